package dev.greenfield.model;

import dev.greenfield.safetensors.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which tensors of a family's file make up each parameter of the canonical names. GPT-2's are one and the same. Others keep a linear
 * layer as [out, in], most of them queries, keys and values in three and gate and up in two; NeoX keeps queries, keys and values head by
 * head.
 */
final class StoredNames {
    private StoredNames() {}

    /**
     * A parameter and what it is made of.
     *
     * @param name canonical
     * @param shape of the parameter
     * @param tensors names, without the family's prefix, and shapes, in the order in which they stand side by side
     * @param transposed whether they hold [out, in] where the parameter is [in, out]
     * @param headWidth where queries, keys and values of one head after the other stand side by side, the elements of each; otherwise 0
     */
    record Source(String name, long[] shape, Map<String, long[]> tensors, boolean transposed, int headWidth) {
        /** The parameter, from its tensors in their order. */
        Parameter parameter(List<Tensor> parts) {
            Parameter stored = parts.size() == 1 && !transposed
                    ? new StoredParameter(name, parts.get(0))
                    : new JoinedParameter(name, shape, parts);
            return headWidth == 0 ? stored : new HeadByHead(stored, headWidth);
        }
    }

    /** All parameters of a configuration, in the order of {@link ParameterLayout}. */
    static List<Source> of(ModelConfig config) {
        List<Source> sources = new ArrayList<>();
        ParameterLayout.shapes(config).forEach((name, shape) -> sources.add(source(config, name, shape)));
        return sources;
    }

    /** How many tensors a block has at least. */
    static int perBlock(ModelConfig config) {
        return switch (config.family()) {
            case GPT2, GPT_NEOX -> 12;
            case GPT_NEO -> 13;
            case GEMMA2 -> 11;
            case OLMO2 -> 11;
            case GEMMA3 -> 13;
            default -> 9;
        };
    }

    /** The name of the token embedding, without the prefix. */
    static String embedding(Family family) {
        return switch (family) {
            case GPT2, GPT_NEO -> ParameterLayout.TOKEN_EMBEDDING;
            case GPT_NEOX -> "embed_in.weight";
            default -> "embed_tokens.weight";
        };
    }

    private static Source source(ModelConfig config, String name, long[] shape) {
        if (config.family() == Family.GPT2) {
            return new Source(name, shape, Map.of(name, shape), false, 0);
        }
        List<String> layers = layers(config.family(), name);
        boolean matrix = name.startsWith("h.") && shape.length == 2;
        long[] widths = layers.size() > 1 ? widths(config, name) : new long[] {shape[shape.length - 1]};
        Map<String, long[]> tensors = new LinkedHashMap<>();
        for (int i = 0; i < layers.size(); i++) {
            long[] stored = matrix ? new long[] {widths[i], shape[0]} : shape.clone();
            if (!matrix && layers.size() > 1) {
                stored[0] = widths[i];
            }
            tensors.put(layers.get(i), stored);
        }
        boolean headByHead = config.family() == Family.GPT_NEOX && name.contains("attn.c_attn.");
        return new Source(name, shape, tensors, matrix, headByHead ? config.headWidth() : 0);
    }

    /** The columns of each tensor that stands beside others. */
    private static long[] widths(ModelConfig config, String name) {
        Architecture.Attention attention = config.architecture().attention();
        return name.contains("attn.c_attn.")
                ? new long[] {attention.queryWidth(), attention.keyWidth(), attention.keyWidth()}
                : new long[] {config.inner(), config.inner()};
    }

    private static List<String> layers(Family family, String name) {
        if (!name.startsWith("h.")) {
            return List.of(
                    switch (name) {
                        case ParameterLayout.TOKEN_EMBEDDING -> embedding(family);
                        case "ln_f.weight", "ln_f.bias" -> finalNorm(family) + name.substring("ln_f".length());
                        default -> name;
                    });
        }
        int dot = name.indexOf('.', 2);
        String number = name.substring(2, dot);
        String part = name.substring(dot + 1, name.lastIndexOf('.'));
        String kind = name.substring(name.lastIndexOf('.'));
        String block = (family == Family.GPT_NEO ? "h." : "layers.") + number + ".";
        List<String> parts = switch (family) {
            case GPT_NEOX -> neox(part);
            case GPT_NEO -> neo(part);
            default -> llama(family, part);
        };
        return parts.stream().map(own -> block + own + kind).toList();
    }

    private static String finalNorm(Family family) {
        return switch (family) {
            case GPT_NEO -> "ln_f";
            case GPT_NEOX -> "final_layer_norm";
            default -> "norm";
        };
    }

    private static List<String> llama(Family family, String part) {
        return switch (part) {
            case "ln_1" -> List.of("input_layernorm");
            case "attn.c_attn" -> List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
            case "attn.q_norm" -> List.of("self_attn.q_norm");
            case "attn.k_norm" -> List.of("self_attn.k_norm");
            case "attn.c_proj" -> List.of("self_attn.o_proj");
            case "attn.ln_post" -> List.of("post_attention_layernorm");
            // Llama's file calls the norm before the MLP after what comes before it.
            case "ln_2" ->
                List.of(
                        family == Family.GEMMA2 || family == Family.GEMMA3
                                ? "pre_feedforward_layernorm"
                                : "post_attention_layernorm");
            case "mlp.c_fc" -> List.of("mlp.gate_proj", "mlp.up_proj");
            case "mlp.c_proj" -> List.of("mlp.down_proj");
            case "mlp.ln_post" -> List.of("post_feedforward_layernorm");
            default -> throw new IllegalArgumentException("no family has a parameter " + part);
        };
    }

    private static List<String> neox(String part) {
        return List.of(
                switch (part) {
                    case "ln_1" -> "input_layernorm";
                    case "attn.c_attn" -> "attention.query_key_value";
                    case "attn.c_proj" -> "attention.dense";
                    case "ln_2" -> "post_attention_layernorm";
                    case "mlp.c_fc" -> "mlp.dense_h_to_4h";
                    case "mlp.c_proj" -> "mlp.dense_4h_to_h";
                    default -> throw new IllegalArgumentException("GPT-NeoX has no parameter " + part);
                });
    }

    private static List<String> neo(String part) {
        String attention = "attn.attention.";
        return switch (part) {
            case "attn.c_attn" -> List.of(attention + "q_proj", attention + "k_proj", attention + "v_proj");
            case "attn.c_proj" -> List.of(attention + "out_proj");
            default -> List.of(part);
        };
    }
}
