package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;

/**
 * The dimensions and variants of a GPT-2 style transformer: everything about it but its numbers and its words.
 *
 * @param layers L, the number of blocks ({@code n_layer})
 * @param heads H, the attention heads of a block ({@code n_head})
 * @param width D, the width of the residual stream ({@code n_embd}), a multiple of {@code heads}
 * @param inner the width of the MLP's hidden layer ({@code n_inner}), usually 4 D
 * @param positions N, the longest sequence that the model can read, in tokens ({@code n_positions})
 * @param vocabulary V, the number of tokens ({@code vocab_size})
 * @param epsilon added to the variance in every LayerNorm ({@code layer_norm_epsilon})
 * @param activation the MLP's nonlinearity ({@code activation_function})
 * @param tied whether the output matrix is the token embedding ({@code tie_word_embeddings})
 * @param scaleAttention whether scores are divided by the square root of the head width ({@code scale_attn_weights})
 * @param scaleByInverseLayer whether the scores of block l are also divided by l + 1
 *     ({@code scale_attn_by_inverse_layer_idx})
 */
public record ModelConfig(
        int layers,
        int heads,
        int width,
        int inner,
        int positions,
        int vocabulary,
        double epsilon,
        Activation activation,
        boolean tied,
        boolean scaleAttention,
        boolean scaleByInverseLayer) {

    /**
     * Checks the numbers.
     *
     * @throws InputException if a number is out of range, the heads do not divide the width, or the parameters are more
     *     than a signed 64-bit integer counts
     */
    public ModelConfig {
        positive("n_layer", layers);
        positive("n_head", heads);
        positive("n_embd", width);
        positive("n_inner", inner);
        positive("n_positions", positions);
        positive("vocab_size", vocabulary);
        if (width % heads != 0) {
            throw new InputException("n_embd: found " + width + ", expected a multiple of n_head (" + heads
                    + "), because every head has the same width; correct n_embd or n_head");
        }
        if (width > Integer.MAX_VALUE / 3) {
            throw new InputException("n_embd: found " + width + ", expected at most " + Integer.MAX_VALUE / 3
                    + ", so that 3 n_embd is an int; choose a smaller n_embd");
        }
        if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
            throw new InputException("layer_norm_epsilon: found " + epsilon
                    + ", expected a finite number greater than 0, such as 1e-5; correct layer_norm_epsilon");
        }
        if (activation == null) {
            throw new InputException("activation_function: found null, expected an activation; name one");
        }
        parameterCount(layers, width, inner, positions, vocabulary, tied);
    }

    /** The same with an output matrix of its own. */
    ModelConfig untied() {
        return new ModelConfig(
                layers,
                heads,
                width,
                inner,
                positions,
                vocabulary,
                epsilon,
                activation,
                false,
                scaleAttention,
                scaleByInverseLayer);
    }

    /** The width of one attention head, D / H. */
    public int headWidth() {
        return width / heads;
    }

    /**
     * The factor on q k' in the scores of a block.
     *
     * @param layer the block, 0 to {@code layers - 1}
     */
    public double attentionScale(int layer) {
        double scale = scaleAttention ? 1 / Math.sqrt(headWidth()) : 1;
        return scaleByInverseLayer ? scale / (layer + 1) : scale;
    }

    /** How many numbers the model consists of; a tied output matrix is not counted twice. */
    public long parameters() {
        return parameterCount(layers, width, inner, positions, vocabulary, tied);
    }

    /**
     * Checks that token ids can be run through the model.
     *
     * @param ids one id a position
     * @throws InputException if there are none, more than the model has positions, or one is not in the vocabulary
     */
    public void checkTokens(int[] ids) {
        if (ids.length == 0) {
            throw new InputException("found no tokens, expected 1 to " + positions
                    + "; give a prompt that is not empty, or " + Remedy.USE_TOKEN_IDS);
        }
        if (ids.length > positions) {
            throw new InputException("found " + ids.length + " tokens, expected at most " + positions
                    + ", the positions of this model; shorten the prompt");
        }
        for (int t = 0; t < ids.length; t++) {
            if (ids[t] < 0 || ids[t] >= vocabulary) {
                throw new InputException("token " + t + ": found id " + ids[t] + ", expected 0 to " + (vocabulary - 1)
                        + ", the vocabulary of this model; correct the id");
            }
        }
    }

    private static void positive(String field, int value) {
        if (value < 1) {
            throw new InputException(
                    field + ": found " + value + ", expected a whole number of at least 1; correct " + field);
        }
    }

    private static long parameterCount(
            int layers, long width, long inner, long positions, long vocabulary, boolean tied) {
        try {
            // Biases and both LayerNorms of a block: 3D + D + 4D of width, and one of inner + D in the MLP.
            long vectors = Math.addExact(Math.multiplyExact(9, width), inner);
            long matrices = Math.addExact(
                    Math.multiplyExact(4 * width, width), Math.multiplyExact(2, Math.multiplyExact(width, inner)));
            long blocks = Math.multiplyExact(layers, Math.addExact(matrices, vectors));
            long rows = positions + vocabulary * (tied ? 1 : 2) + 2; // the last LayerNorm is two rows
            return Math.addExact(blocks, Math.multiplyExact(rows, width));
        } catch (ArithmeticException overflow) {
            throw new InputException(
                    "found a model of more than 9e18 parameters, expected one that can be stored; choose smaller dimensions",
                    overflow);
        }
    }
}
