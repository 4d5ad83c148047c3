package dev.greenfield.backend;

/**
 * Shape of a causal self-attention.
 *
 * @param heads number of heads H
 * @param headWidth elements h of a head's query, key and value; the width D is H h
 * @param scale what a score q k' is multiplied with before the softmax
 */
public record AttentionShape(int heads, int headWidth, double scale) {
    /** Elements of a token's output, H h. */
    public int width() {
        return heads * headWidth;
    }
}
