package dev.greenfield.backend;

/**
 * What the tangent and the adjoint of attention need of the forward pass they are taken at.
 *
 * @param shape heads, head width, scale
 * @param qkv [T, 3D]: queries, keys and values side by side, head by head within each
 * @param logSumExp [H, T]: per head and query the logarithm of its softmax denominator; the probabilities are
 *     exp(scale q k' - logSumExp), divided by their sum over the keys, and are never stored
 */
public record AttentionPrimal(AttentionShape shape, Matrix qkv, Buffer logSumExp) {}
