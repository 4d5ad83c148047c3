package dev.greenfield.model;

import dev.greenfield.failure.InputException;

/**
 * {@code config.json} of the families that have Llama's block, or one that grew from it. Keys that are absent have the defaults of
 * transformers' classes.
 */
final class LlamaConfig {
    private final Family family;
    private final ConfigFields fields;

    private LlamaConfig(Family family, ConfigFields fields) {
        this.family = family;
        this.fields = fields;
    }

    /**
     * Reads the configuration of a family.
     *
     * @throws InputException if a field is of the wrong type, out of range or asks for what is not supported
     */
    static ModelConfig read(Family family, ConfigFields fields) {
        return new LlamaConfig(family, fields).read();
    }

    private ModelConfig read() {
        // The sizes of the classes' defaults are those of one published model: a file without them is not a model's.
        int layers = fields.required(family.layersKey());
        int width = fields.required(family.widthKey());
        return new ModelConfig(
                family,
                layers,
                width,
                fields.required(family.positionsKey()),
                fields.required("vocab_size"),
                fields.flag("tie_word_embeddings", family.gemma()),
                new Architecture(
                        norm(),
                        attention(layers, width),
                        new Architecture.Mlp(
                                fields.required(family.innerKey()),
                                true,
                                activation(),
                                family == Family.LLAMA && fields.flag("mlp_bias", false)),
                        stream(width)));
    }

    private Architecture.Norm norm() {
        double epsilon = fields.number(family.epsilonKey(), family == Family.OLMO2 ? 1e-5 : 1e-6);
        Architecture.Placement placement = switch (family) {
            case GEMMA2, GEMMA3 -> Architecture.Placement.AROUND;
            case OLMO2 -> Architecture.Placement.AFTER;
            default -> Architecture.Placement.BEFORE;
        };
        return new Architecture.Norm(false, epsilon, family.gemma() ? 1 : 0, placement);
    }

    private Architecture.Stream stream(int width) {
        // transformers multiplies with the root as the weights' type has it; these are float32 or are taken for it.
        double scale = family.gemma() ? (float) Math.sqrt(width) : 1;
        double cap = switch (family) {
            case GEMMA2 -> cap("final_logit_softcapping", 30);
            case GEMMA3 -> cap("final_logit_softcapping", 0);
            default -> 0;
        };
        return new Architecture.Stream(false, scale, cap);
    }

    /** A soft cap; null means none, and a key that is not there the class's default. */
    private double cap(String field, double otherwise) {
        if (fields.absent(field)) {
            return fields.missing(field) ? otherwise : 0;
        }
        double cap = RotaryConfig.positive(field, fields.number(field));
        if (cap < Float.MIN_NORMAL || cap > Float.MAX_VALUE) { // it is a float32 in the kernels
            throw new InputException(
                    field + ": found " + cap + ", expected a number that float32 holds; correct " + field);
        }
        return cap;
    }

    private Architecture.Attention attention(int layers, int width) {
        int heads = fields.required(family.headsKey());
        int keyHeads = keyHeads(heads);
        int headWidth = headWidth(width, heads);
        int positions = fields.required(family.positionsKey());
        boolean bias = family != Family.MISTRAL && family != Family.QWEN2 && fields.flag("attention_bias", false);
        Architecture.HeadNorms headNorms = switch (family) {
            case QWEN3, GEMMA3 -> Architecture.HeadNorms.EACH;
            case OLMO2 -> Architecture.HeadNorms.WHOLE;
            default -> Architecture.HeadNorms.NONE;
        };
        Rotary rotary;
        Rotary windowRotary;
        if (family == Family.GEMMA3) {
            rotary = RotaryConfig.ofLayers(fields, Windows.FULL, headWidth, positions, "rope_theta", 1e6);
            windowRotary =
                    RotaryConfig.ofLayers(fields, Windows.SLIDING, headWidth, positions, "rope_local_base_freq", 1e4);
        } else {
            rotary = new RotaryConfig(fields, headWidth, positions).read(fields.number("rope_theta", 10000), 1);
            windowRotary = rotary;
        }
        if (family == Family.GEMMA3) {
            fields.read("attn_logit_softcapping"); // transformers does not look at it either
        }
        return new Architecture.Attention(
                heads,
                keyHeads,
                headWidth,
                scale(headWidth),
                false,
                rotary,
                windowRotary,
                headNorms,
                new Windows(family, fields).read(layers),
                family == Family.GEMMA2 ? cap("attn_logit_softcapping", 50) : 0,
                bias || family == Family.QWEN2,
                bias);
    }

    private double scale(int headWidth) {
        boolean own = family == Family.GEMMA2 || family == Family.GEMMA3;
        double width = own
                ? RotaryConfig.positive("query_pre_attn_scalar", fields.number("query_pre_attn_scalar", 256))
                : headWidth;
        return 1 / Math.sqrt(width);
    }

    /** Where the file says null each query has its own; where it says nothing, as many as the class has. */
    private int keyHeads(int heads) {
        if (!fields.absent("num_key_value_heads")) {
            return fields.required("num_key_value_heads");
        }
        if (!fields.missing("num_key_value_heads")) {
            return heads;
        }
        return switch (family) {
            case MISTRAL -> 8;
            case QWEN2, QWEN3 -> 32;
            case GEMMA -> 16;
            case GEMMA2, GEMMA3 -> 4;
            default -> heads;
        };
    }

    private int headWidth(int width, int heads) {
        if (!fields.absent("head_dim")) {
            return fields.required("head_dim");
        }
        if (fields.missing("head_dim") && family == Family.QWEN3) {
            return 128;
        }
        if (fields.missing("head_dim") && family.gemma()) {
            return 256;
        }
        return fields.shared(width, family.widthKey(), heads, family.headsKey());
    }

    private Activation activation() {
        if (!family.gemma()) {
            return fields.activation("hidden_act", Activation.SILU);
        }
        if (family != Family.GEMMA) {
            fields.read("hidden_act"); // transformers does not look at it either
            return fields.activation("hidden_activation", Activation.GELU_NEW);
        }
        if (!fields.absent("hidden_activation")) {
            fields.read("hidden_act");
            return fields.activation("hidden_activation", Activation.GELU_NEW);
        }
        // Files of the first weeks say gelu and mean its tanh form, which the model was trained with.
        Activation named = fields.activation("hidden_act", Activation.GELU_NEW);
        return named == Activation.GELU ? Activation.GELU_NEW : named;
    }
}
