package dev.greenfield.model;

import dev.greenfield.safetensors.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which tensors of a family's file make up each parameter of the canonical names. GPT-2's are one and the same. Llama keeps a linear
 * layer as [out, in], its queries, keys and values in three, and gate and up in two.
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
     */
    record Source(String name, long[] shape, Map<String, long[]> tensors, boolean transposed) {
        /** The parameter, from its tensors in their order. */
        Parameter parameter(List<Tensor> parts) {
            return parts.size() == 1 && !transposed
                    ? new StoredParameter(name, parts.get(0))
                    : new JoinedParameter(name, shape, parts);
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
        return config.family() == Family.GPT2 ? 12 : 9;
    }

    /** The name of the token embedding, without the prefix. */
    static String embedding(Family family) {
        return family == Family.GPT2 ? ParameterLayout.TOKEN_EMBEDDING : "embed_tokens.weight";
    }

    private static Source source(ModelConfig config, String name, long[] shape) {
        if (config.family() == Family.GPT2) {
            return new Source(name, shape, Map.of(name, shape), false);
        }
        List<String> layers = layers(name);
        boolean matrix = name.startsWith("h.") && shape.length == 2;
        long[] widths = widths(config, name, shape);
        Map<String, long[]> tensors = new LinkedHashMap<>();
        for (int i = 0; i < layers.size(); i++) {
            long[] stored = matrix ? new long[] {widths[i], shape[0]} : shape.clone();
            if (!matrix && layers.size() > 1) {
                stored[0] = widths[i];
            }
            tensors.put(layers.get(i), stored);
        }
        return new Source(name, shape, tensors, matrix);
    }

    /** The columns of each tensor that stands beside others. */
    private static long[] widths(ModelConfig config, String name, long[] shape) {
        Architecture.Attention attention = config.architecture().attention();
        if (name.contains("attn.c_attn.")) {
            long keys = (long) attention.keyHeads() * attention.headWidth();
            return new long[] {attention.queryWidth(), keys, keys};
        }
        if (name.contains("mlp.c_fc.")) {
            return new long[] {config.inner(), config.inner()};
        }
        return new long[] {shape[shape.length - 1]};
    }

    private static List<String> layers(String name) {
        if (!name.startsWith("h.")) {
            return List.of(
                    switch (name) {
                        case ParameterLayout.TOKEN_EMBEDDING -> "embed_tokens.weight";
                        case "ln_f.weight" -> "norm.weight";
                        default -> name;
                    });
        }
        int dot = name.indexOf('.', 2);
        String block = "layers." + name.substring(2, dot) + ".";
        String part = name.substring(dot + 1, name.lastIndexOf('.'));
        String kind = name.substring(name.lastIndexOf('.'));
        List<String> parts = switch (part) {
            case "ln_1" -> List.of("input_layernorm");
            case "attn.c_attn" -> List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
            case "attn.q_norm" -> List.of("self_attn.q_norm");
            case "attn.k_norm" -> List.of("self_attn.k_norm");
            case "attn.c_proj" -> List.of("self_attn.o_proj");
            case "ln_2" -> List.of("post_attention_layernorm");
            case "mlp.c_fc" -> List.of("mlp.gate_proj", "mlp.up_proj");
            case "mlp.c_proj" -> List.of("mlp.down_proj");
            default -> throw new IllegalArgumentException("no family has a parameter " + name);
        };
        return parts.stream().map(own -> block + own + kind).toList();
    }
}
