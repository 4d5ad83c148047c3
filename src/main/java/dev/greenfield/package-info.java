/**
 * The façade: {@code Greenfield} loads a {@code Model}, a model makes a {@code Run} of a prompt, and a run answers every
 * question about its responses. Argument checks live here and in the packages' public entry points; nothing here computes.
 */
package dev.greenfield;
