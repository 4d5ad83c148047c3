package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import java.util.List;

/**
 * The dimensions and variants of a decoder: everything about it but its numbers and its words.
 *
 * @param family whose names its files use
 * @param layers L, the number of blocks
 * @param width D, the width of the residual stream
 * @param positions N, the longest sequence that the model can read, in tokens
 * @param vocabulary V, the number of tokens
 * @param tied whether the output matrix is the token embedding ({@code tie_word_embeddings})
 * @param architecture what a block computes
 */
public record ModelConfig(
        Family family, int layers, int width, int positions, int vocabulary, boolean tied, Architecture architecture) {

    /**
     * Checks the numbers.
     *
     * @throws InputException if a number is out of range, or the parameters are more than a signed 64-bit integer counts
     */
    public ModelConfig {
        Architecture.Attention attention = architecture.attention();
        positive(family.layersKey(), layers);
        positive(family.headsKey(), attention.heads());
        positive(family.widthKey(), width);
        positive(family.innerKey(), architecture.mlp().inner());
        positive(family.positionsKey(), positions);
        positive("vocab_size", vocabulary);
        if (attention.heads() % attention.keyHeads() != 0) {
            throw new InputException("num_key_value_heads: found " + attention.keyHeads()
                    + ", expected a divisor of num_attention_heads (" + attention.heads()
                    + "), because as many queries share each; correct one of the two");
        }
        long widest = Math.max(
                Math.max(width, 2L * architecture.mlp().inner()), (long) attention.heads() * attention.headWidth());
        if (width > Integer.MAX_VALUE / 3 || (family != Family.GPT2 && widest > Integer.MAX_VALUE / 3)) {
            throw new InputException(family.widthKey() + ": found " + width + ", expected at most "
                    + Integer.MAX_VALUE / 3 + ", so that 3 " + family.widthKey() + " is an int; choose a smaller "
                    + family.widthKey());
        }
        double epsilon = architecture.norm().epsilon();
        if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
            throw new InputException(family.epsilonKey() + ": found " + epsilon
                    + ", expected a finite number greater than 0, such as 1e-5; correct " + family.epsilonKey());
        }
        if (architecture.mlp().activation() == null) {
            throw new InputException("activation_function: found null, expected an activation; name one");
        }
        parameterCount(layers, width, positions, vocabulary, tied, architecture);
    }

    /**
     * A GPT-2 style model.
     *
     * @param layers L ({@code n_layer})
     * @param heads H ({@code n_head})
     * @param width D ({@code n_embd}), a multiple of {@code heads}
     * @param inner F ({@code n_inner}), usually 4 D
     * @param positions N ({@code n_positions})
     * @param vocabulary V ({@code vocab_size})
     * @param epsilon of every LayerNorm ({@code layer_norm_epsilon})
     * @param activation the MLP's nonlinearity ({@code activation_function})
     * @param tied {@code tie_word_embeddings}
     * @param scaleAttention whether scores are divided by the square root of the head width ({@code scale_attn_weights})
     * @param scaleByInverseLayer whether the scores of block l are also divided by l + 1
     *     ({@code scale_attn_by_inverse_layer_idx})
     * @throws InputException if a number is out of range, or the heads do not divide the width
     */
    public ModelConfig(
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
        this(
                Family.GPT2,
                layers,
                width,
                positions,
                vocabulary,
                tied,
                gpt2(layers, heads, width, inner, epsilon, activation, scaleAttention, scaleByInverseLayer));
    }

    private static Architecture gpt2(
            int layers,
            int heads,
            int width,
            int inner,
            double epsilon,
            Activation activation,
            boolean scaleAttention,
            boolean scaleByInverseLayer) {
        positive("n_layer", layers);
        positive("n_head", heads);
        positive("n_embd", width);
        if (width % heads != 0) {
            throw new InputException("n_embd: found " + width + ", expected a multiple of n_head (" + heads
                    + "), because every head has the same width; correct n_embd or n_head");
        }
        int headWidth = width / heads;
        double scale = scaleAttention ? 1 / Math.sqrt(headWidth) : 1;
        return new Architecture(
                new Architecture.Norm(true, epsilon),
                new Architecture.Attention(
                        heads,
                        heads,
                        headWidth,
                        scale,
                        scaleByInverseLayer,
                        null,
                        null,
                        Architecture.HeadNorms.NONE,
                        List.of(),
                        0,
                        true,
                        true),
                new Architecture.Mlp(inner, false, activation, true),
                Architecture.Stream.PLAIN);
    }

    /** The same with an output matrix of its own. */
    ModelConfig untied() {
        return new ModelConfig(family, layers, width, positions, vocabulary, false, architecture);
    }

    /** H, the attention heads of a block. */
    public int heads() {
        return architecture.attention().heads();
    }

    /** d, the width of one attention head; D / H for GPT-2. */
    public int headWidth() {
        return architecture.attention().headWidth();
    }

    /** F, the width of the MLP's hidden layer. */
    public int inner() {
        return architecture.mlp().inner();
    }

    /** What every norm adds to the variance, or to the mean square. */
    public double epsilon() {
        return architecture.norm().epsilon();
    }

    /** The MLP's nonlinearity. */
    public Activation activation() {
        return architecture.mlp().activation();
    }

    /** Whether scores are divided by anything but the number of their block. */
    public boolean scaleAttention() {
        return architecture.attention().scale() != 1;
    }

    /** Whether the scores of block l are also divided by l + 1. */
    public boolean scaleByInverseLayer() {
        return architecture.attention().scaleByInverseLayer();
    }

    /**
     * The factor on q k' in the scores of a block.
     *
     * @param layer the block, 0 to {@code layers - 1}
     */
    public double attentionScale(int layer) {
        double scale = architecture.attention().scale();
        return scaleByInverseLayer() ? scale / (layer + 1) : scale;
    }

    /**
     * Checks that the stream has a state in the middle of each block.
     *
     * @param what is asked for there, for the message: {@code site (1.5, 3)}
     * @throws InputException if attention and MLP of a block both read what enters it
     */
    public void requireMiddles(String what) {
        if (architecture.stream().parallel()) {
            throw new InputException(what
                    + ": found a half depth, expected whole depths only, because attention and MLP of a "
                    + family.label() + " block both read what enters it, so that the stream has no state between them;"
                    + " use the next depth, where both outputs arrive");
        }
    }

    /** How many numbers the model consists of; a tied output matrix is not counted twice. */
    public long parameters() {
        return parameterCount(layers, width, positions, vocabulary, tied, architecture);
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
            int layers, long width, long positions, long vocabulary, boolean tied, Architecture architecture) {
        Architecture.Attention attention = architecture.attention();
        Architecture.Mlp mlp = architecture.mlp();
        try {
            long head = attention.headWidth();
            long queries = attention.heads() * head;
            long projected = Math.multiplyExact(attention.heads() + 2L * attention.keyHeads(), head);
            long inner = mlp.inner();
            long up = mlp.gated() ? 2 * inner : inner;
            long norm = architecture.norm().centred() ? 2 * width : width;
            int norms = architecture.norm().placement() == Architecture.Placement.AROUND ? 4 : 2;
            long headNorms = switch (attention.headNorms()) {
                case NONE -> 0;
                case EACH -> 2 * head;
                case WHOLE -> (attention.heads() + (long) attention.keyHeads()) * head;
            };
            long vectors = norms * norm
                    + (attention.bias() ? projected : 0)
                    + (attention.outputBias() ? width : 0)
                    + headNorms
                    + (mlp.bias() ? up + width : 0);
            long matrices = Math.multiplyExact(width, Math.addExact(projected + queries, up + inner));
            long blocks = Math.multiplyExact(layers, Math.addExact(matrices, vectors));
            long rows = (attention.rotary() == null ? positions : 0) + vocabulary * (tied ? 1 : 2);
            return Math.addExact(blocks, Math.addExact(norm, Math.multiplyExact(rows, width)));
        } catch (ArithmeticException overflow) {
            throw new InputException(
                    "found a model of more than 9e18 parameters, expected one that can be stored; choose smaller dimensions",
                    overflow);
        }
    }
}
