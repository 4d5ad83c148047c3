/**
 * What a run answers: sensitivity fields, patch sweeps, responses of sources, Green operators. Each turns a question into
 * sweeps of the engine and their rows into plain arrays.
 */
package dev.greenfield.response;
