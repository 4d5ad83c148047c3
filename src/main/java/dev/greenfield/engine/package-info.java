/**
 * The layer loop, once for all backends: a model's weights on a backend, the linearization of one run, and the sweeps that
 * carry tangents up, cotangents down and patched runs up, all as ragged batches. Decides what is computed in which order;
 * every number is made by an operation of {@link dev.greenfield.backend.Backend}.
 *
 * <p>Internal: users of the library need nothing of it, and it may change at any time. The rooms above compute on a {@link
 * dev.greenfield.engine.Scope}, which is the one type of this package that their public signatures mention. Only the façade makes
 * scopes, so that constructors and methods which take one are for the library itself.
 */
package dev.greenfield.engine;
