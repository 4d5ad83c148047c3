package dev.greenfield.backend.reference;

import dev.greenfield.backend.AttentionPrimal;

/** The probabilities that the oracle's derivatives of attention work with. */
public final class ReferenceProbabilities {
    private ReferenceProbabilities() {}

    /** [H, T, T] of a forward pass on the reference backend. */
    public static double[] of(AttentionPrimal primal) {
        int tokens = primal.qkv().rows();
        double[] all = new double[primal.shape().heads() * tokens * tokens];
        ReferenceAttention attention = new ReferenceAttention(Arithmetic.DOUBLE);
        for (int head = 0; head < primal.shape().heads(); head++) {
            for (int i = 0; i < tokens; i++) {
                double[] p = new double[tokens];
                attention.probabilities(primal, head, i, p, new double[tokens]);
                System.arraycopy(p, 0, all, (head * tokens + i) * tokens, tokens);
            }
        }
        return all;
    }
}
