package dev.greenfield.model;

import java.util.List;

/**
 * A block as data: what its norms, attention and MLP compute, and how the stream goes through. Which family a model is of makes no other
 * difference once its configuration is read.
 *
 * @param norm of attention, of the MLP and after the last block
 * @param attention heads, scores and positions
 * @param mlp its hidden layer
 * @param stream what is between the blocks, and at its ends
 */
public record Architecture(Norm norm, Attention attention, Mlp mlp, Stream stream) {
    /**
     * A normalization of the stream.
     *
     * @param centred LayerNorm, which takes off the mean and has a bias; otherwise RMSNorm, x / sqrt(mean(x^2) + epsilon), which has none
     * @param epsilon added to the variance, or to the mean square
     * @param gainOffset what is added to every gain that a file has: 1 for Gemma, otherwise 0
     * @param placement where in a half of a block it stands
     */
    public record Norm(boolean centred, double epsilon, double gainOffset, Placement placement) {
        /** A norm before each half of a block, with gains as the file has them. */
        public Norm(boolean centred, double epsilon) {
            this(centred, epsilon, 0, Placement.BEFORE);
        }
    }

    /** Where the norms of a half of a block stand: x + N2(f(N1(x))) with one of the two, or both. */
    public enum Placement {
        /** Of what the half reads: x + f(N1(x)). */
        BEFORE,
        /** Of what the half adds: x + N2(f(x)). */
        AFTER,
        /** Of both. */
        AROUND;

        /** Whether what a half reads is normalized. */
        public boolean before() {
            return this != AFTER;
        }

        /** Whether what a half adds is normalized. */
        public boolean after() {
            return this != BEFORE;
        }
    }

    /** Which norms queries and keys go through between their projection and their rotation. */
    public enum HeadNorms {
        /** None. */
        NONE,
        /** Each head's query and key by itself, with one gain for all queries and one for all keys, [h] each. */
        EACH,
        /** All queries of a token as one vector, and all keys likewise, with gains [H h] and [K h]. */
        WHOLE
    }

    /**
     * An attention.
     *
     * @param heads H, query heads
     * @param keyHeads K, heads of keys and values, a divisor of H: query head h reads number h K / H, rounded down
     * @param headWidth d, elements of a head
     * @param scale what a score q k' is multiplied with
     * @param scaleByInverseLayer whether the scores of block l are also divided by l + 1
     * @param rotary positions that turn queries and keys; null where positions are learned and added to the embedding
     * @param windowRotary those of blocks that have a window; the same object where they are no others
     * @param headNorms norms of queries and keys, with a gain, before they are turned
     * @param windows per block how many keys a query sees, its own included; 0 for all up to its own. Empty where all are 0
     * @param softCap c, where a scaled score s becomes c tanh(s / c); 0 for none
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
            Rotary windowRotary,
            HeadNorms headNorms,
            List<Integer> windows,
            double softCap,
            boolean bias,
            boolean outputBias) {
        public Attention {
            windows = windows.stream().allMatch(window -> window == 0) ? List.of() : List.copyOf(windows);
        }

        /** Elements of a token's queries, and of its output before the projection, H d. */
        public int queryWidth() {
            return heads * headWidth;
        }

        /** Elements of a token's keys, and of its values, K d. */
        public int keyWidth() {
            return keyHeads * headWidth;
        }

        /** Elements of a token's query, key and value as the model projects them, (H + 2 K) d. */
        public int projectedWidth() {
            return (heads + 2 * keyHeads) * headWidth;
        }

        /** How many keys a query of a block sees; 0 for all. */
        public int window(int layer) {
            return windows.isEmpty() ? 0 : windows.get(layer);
        }

        /** The positions of a block; null where they are learned. */
        public Rotary rotary(int layer) {
            return window(layer) == 0 ? rotary : windowRotary;
        }

        /** Whether what is projected is what the scores are made of: nothing turned, normalized or shared among heads. */
        public boolean plain() {
            return rotary == null && headNorms == HeadNorms.NONE && keyHeads == heads;
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

    /**
     * How blocks and ends of the stream fit together.
     *
     * @param parallel whether attention and MLP of a block both read what enters the block, x + attention(x) + mlp(x), so that the stream has
     *     no state in the middle of a block; otherwise the MLP reads what attention made
     * @param embeddingScale what token embeddings are multiplied with
     * @param logitCap c, where a logit l becomes c tanh(l / c); 0 for none
     */
    public record Stream(boolean parallel, double embeddingScale, double logitCap) {
        /** One half after the other, embeddings and logits as they are. */
        public static final Stream PLAIN = new Stream(false, 1, 0);
    }
}
