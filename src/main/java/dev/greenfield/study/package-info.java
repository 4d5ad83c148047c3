/**
 * The claims of the field theory of transformers, each measured on every prompt pair of a suite and summed up over the pairs. Stands
 * above the façade: it asks runs the questions that a user would.
 */
package dev.greenfield.study;
