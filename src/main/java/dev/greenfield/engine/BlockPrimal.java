package dev.greenfield.engine;

/**
 * What tangents, cotangents and patched runs of one block need of the forward pass that they are taken at, half by half; see
 * {@link Linearization}.
 */
record BlockPrimal(AttentionPart.Primal attention, MlpPart.Primal mlp) {}
