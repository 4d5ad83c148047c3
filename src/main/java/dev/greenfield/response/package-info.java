/**
 * What a run answers: sensitivity fields, patch sweeps, linear regimes, responses of sources, Green operators, response maps and
 * how they propagate. Each turns a question into sweeps of the engine and their rows into plain arrays, or measures such arrays.
 */
package dev.greenfield.response;
