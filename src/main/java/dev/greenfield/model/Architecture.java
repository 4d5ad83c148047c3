package dev.greenfield.model;

import java.util.List;

/**
 * A block as data: what its norms, attention and MLP compute. Which family a model is of makes no other difference once its
 * configuration is read.
 *
 * @param norm before attention, before the MLP and after the last block
 * @param attention heads, scores and positions
 * @param mlp its hidden layer
 */
public record Architecture(Norm norm, Attention attention, Mlp mlp) {
    /**
     * A normalization of the stream.
     *
     * @param centred LayerNorm, which takes off the mean and has a bias; otherwise RMSNorm, x / sqrt(mean(x^2) + epsilon), which has none
     * @param epsilon added to the variance, or to the mean square
     */
    public record Norm(boolean centred, double epsilon) {}

    /**
     * An attention.
     *
     * @param heads H, query heads
     * @param keyHeads K, heads of keys and values, a divisor of H: query head h reads number h K / H, rounded down
     * @param headWidth d, elements of a head
     * @param scale what a score q k' is multiplied with
     * @param scaleByInverseLayer whether the scores of block l are also divided by l + 1
     * @param rotary positions that turn queries and keys; null where positions are learned and added to the embedding
     * @param headNorms whether each head's query and key goes through an RMSNorm with a gain before it is turned
     * @param windows per block how many keys a query sees, its own included; 0 for all up to its own. Empty where all are 0
     * @param bias whether queries, keys and values have one
     * @param outputBias whether the output has one
     */
    public record Attention(
            int heads,
            int keyHeads,
            int headWidth,
            double scale,
            boolean scaleByInverseLayer,
            Rotary rotary,
            boolean headNorms,
            List<Integer> windows,
            boolean bias,
            boolean outputBias) {
        public Attention {
            windows = windows.stream().allMatch(window -> window == 0) ? List.of() : List.copyOf(windows);
        }

        /** Elements of a token's queries, and of its output before the projection, H d. */
        public int queryWidth() {
            return heads * headWidth;
        }

        /** Elements of a token's query, key and value as the model projects them, (H + 2 K) d. */
        public int projectedWidth() {
            return (heads + 2 * keyHeads) * headWidth;
        }

        /** How many keys a query of a block sees; 0 for all. */
        public int window(int layer) {
            return windows.isEmpty() ? 0 : windows.get(layer);
        }

        /** Whether what is projected is what the scores are made of: nothing turned, normalized or shared among heads. */
        public boolean plain() {
            return rotary == null && !headNorms && keyHeads == heads;
        }
    }

    /**
     * An MLP.
     *
     * @param inner F, the width of its hidden layer
     * @param gated whether the hidden layer is act(x Wgate) times x Wup, otherwise act(x Wup)
     * @param activation act
     * @param bias whether its layers have one
     */
    public record Mlp(int inner, boolean gated, Activation activation, boolean bias) {
        /** Columns of the matrix that makes the hidden layer: F, or gates and values side by side, 2 F. */
        public int upWidth() {
            return gated ? 2 * inner : inner;
        }
    }
}
