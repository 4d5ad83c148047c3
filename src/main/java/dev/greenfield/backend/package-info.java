/**
 * The operations that the engine is written in, and what they work on: buffers, matrices and ragged batches of rows. Each
 * operation has a value, a tangent and an adjoint; each backend implements all of them and nothing else. What an operation
 * means is said once, in {@link dev.greenfield.backend.Backend}; the engine's layer loop is not repeated per backend.
 */
package dev.greenfield.backend;
