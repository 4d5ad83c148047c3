/**
 * The layer loop, once for all backends: a model's weights on a backend, the linearization of one run, and the sweeps that
 * carry tangents up, cotangents down and patched runs up, all as ragged batches. Decides what is computed in which order;
 * every number is made by an operation of {@link dev.greenfield.backend.Backend}.
 */
package dev.greenfield.engine;
