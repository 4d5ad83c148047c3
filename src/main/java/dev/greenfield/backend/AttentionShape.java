package dev.greenfield.backend;

/**
 * Shape of a causal self-attention.
 *
 * @param heads number of heads H
 * @param headWidth elements h of a head's query, key and value; the width of the output is H h
 * @param scale what a score q k' is multiplied with before the softmax
 * @param window how many keys a query sees, its own included: those after its token less the window; 0 for all up to its own
 * @param softCap c, beyond which no score goes: a score s, scaled, becomes c tanh(s / c) before the softmax; 0 for none
 */
public record AttentionShape(int heads, int headWidth, double scale, int window, double softCap) {
    /** A shape whose queries see all keys up to their own, with scores as they are. */
    public AttentionShape(int heads, int headWidth, double scale) {
        this(heads, headWidth, scale, 0, 0);
    }

    /** Elements of a token's output, H h. */
    public int width() {
        return heads * headWidth;
    }

    /** The first key that the query at a token sees. */
    public int firstKey(int query) {
        return window == 0 ? 0 : Math.max(0, query + 1 - window);
    }
}
