package dev.greenfield.model;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The {@code config.json} of shapes that {@code random:} names: published ones, and those of a family with sizes of one's own. They
 * are read as a model's own file is, so that a shape is what a model of it would be.
 */
final class RandomShapes {
    /** Names of sizes, in the order in which messages list them. */
    private static final List<String> SIZES =
            List.of("layers", "heads", "keys", "head", "width", "inner", "vocabulary", "positions");

    private static final List<String> OPTIONAL = List.of("keys", "head");

    private static final Map<String, String> NAMED = named();

    private RandomShapes() {}

    private static Map<String, String> named() {
        Map<String, String> shapes = new LinkedHashMap<>();
        shapes.put(
                "llama-3.2-1b",
                llama("llama", 16, 32, 8, 2048, 8192, 128256, 131072)
                        + ", \"head_dim\": 64, \"rms_norm_eps\": 1e-5, \"rope_theta\": 500000.0, \"rope_scaling\": "
                        + llama3(32) + ", \"tie_word_embeddings\": true}");
        shapes.put(
                "llama-3.1-8b",
                llama("llama", 32, 32, 8, 4096, 14336, 128256, 131072)
                        + ", \"rms_norm_eps\": 1e-5, \"rope_theta\": 500000.0, \"rope_scaling\": " + llama3(8)
                        + ", \"tie_word_embeddings\": false}");
        shapes.put(
                "qwen2.5-0.5b",
                llama("qwen2", 24, 14, 2, 896, 4864, 151936, 32768)
                        + ", \"rms_norm_eps\": 1e-6, \"rope_theta\": 1000000.0, \"tie_word_embeddings\": true}");
        shapes.put(
                "qwen3-0.6b",
                llama("qwen3", 28, 16, 8, 1024, 3072, 151936, 40960)
                        + ", \"head_dim\": 128, \"rms_norm_eps\": 1e-6, \"rope_theta\": 1000000.0,"
                        + " \"tie_word_embeddings\": true}");
        shapes.put(
                "smollm2-135m",
                llama("llama", 30, 9, 3, 576, 1536, 49152, 8192)
                        + ", \"rms_norm_eps\": 1e-5, \"rope_theta\": 100000.0, \"tie_word_embeddings\": true}");
        shapes.put("pythia-160m", """
                {"model_type": "gpt_neox", "num_hidden_layers": 12, "num_attention_heads": 12, "hidden_size": 768,
                 "intermediate_size": 3072, "vocab_size": 50304, "max_position_embeddings": 2048, "rotary_pct": 0.25,
                 "rotary_emb_base": 10000, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "use_parallel_residual": true,
                 "tie_word_embeddings": false}""");
        shapes.put(
                "gemma-2-2b",
                llama("gemma2", 26, 8, 4, 2304, 9216, 256000, 8192)
                        + ", \"head_dim\": 256, \"rms_norm_eps\": 1e-6, \"rope_theta\": 10000.0,"
                        + " \"query_pre_attn_scalar\": 256, \"sliding_window\": 4096, \"attn_logit_softcapping\": 50.0,"
                        + " \"final_logit_softcapping\": 30.0, \"hidden_activation\": \"gelu_pytorch_tanh\","
                        + " \"tie_word_embeddings\": true}");
        return shapes;
    }

    /** The beginning of a configuration that has Llama's names. */
    private static String llama(
            String type, int layers, int heads, int keys, int width, int inner, int vocabulary, int positions) {
        return "{\"model_type\": \"" + type + "\", \"num_hidden_layers\": " + layers + ", \"num_attention_heads\": "
                + heads + ", \"num_key_value_heads\": " + keys + ", \"hidden_size\": " + width
                + ", \"intermediate_size\": " + inner + ", \"vocab_size\": " + vocabulary
                + ", \"max_position_embeddings\": " + positions;
    }

    private static String llama3(int factor) {
        return "{\"rope_type\": \"llama3\", \"factor\": " + factor + ".0, \"low_freq_factor\": 1.0,"
                + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192}";
    }

    /** The names of published shapes. */
    static List<String> names() {
        return List.copyOf(NAMED.keySet());
    }

    /**
     * A configuration, or null where a text names none.
     *
     * @param text a published shape's name, or {@code FAMILY:layers=2,...}
     * @throws InputException if a family or a size is not understood
     */
    static byte[] config(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            String named = NAMED.get(text);
            return named == null ? null : named.getBytes(StandardCharsets.UTF_8);
        }
        Family family = Family.named(text.substring(0, colon));
        return config(family, sizes(family, text.substring(colon + 1)))
                .toString()
                .getBytes(StandardCharsets.UTF_8);
    }

    private static boolean shares(Family family) {
        return family != Family.GPT2 && family != Family.GPT_NEO && family != Family.GPT_NEOX;
    }

    private static Map<String, Integer> sizes(Family family, String text) {
        Map<String, Integer> sizes = new LinkedHashMap<>();
        List<String> known = SIZES.stream()
                .filter(name -> shares(family) || !OPTIONAL.contains(name))
                .toList();
        String expected = ", expected " + String.join(", ", known) + ", each with a whole number; for example"
                + " random:llama:layers=2,heads=4,keys=2,width=64,inner=128,vocabulary=100,positions=64";
        for (String part : text.split(",", -1)) {
            String[] pair = part.split("=", 2);
            if (pair.length < 2 || !known.contains(pair[0])) {
                throw new InputException(
                        "found " + Lines.quoted(part) + " for a size of a " + family.label() + " model" + expected);
            }
            try {
                if (sizes.put(pair[0], Integer.parseInt(pair[1])) != null) {
                    throw new InputException("found " + pair[0] + " twice" + expected);
                }
            } catch (NumberFormatException wrong) {
                throw new InputException("found " + Lines.quoted(pair[1]) + " for " + pair[0] + expected, wrong);
            }
        }
        for (String name : known) {
            if (!OPTIONAL.contains(name) && !sizes.containsKey(name)) {
                throw new InputException("found no " + name + expected);
            }
        }
        return sizes;
    }

    private static ObjectNode config(Family family, Map<String, Integer> sizes) {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        int heads = sizes.get("heads");
        int width = sizes.get("width");
        config.put("model_type", family.modelType());
        config.put(family.layersKey(), sizes.get("layers"));
        config.put(family.headsKey(), heads);
        config.put(family.widthKey(), width);
        config.put(family.innerKey(), sizes.get("inner"));
        config.put("vocab_size", sizes.get("vocabulary"));
        config.put(family.positionsKey(), sizes.get("positions"));
        if (shares(family)) {
            if (!sizes.containsKey("head") && (heads < 1 || width % heads != 0)) {
                throw new InputException("width: found " + width + ", expected a multiple of heads (" + heads
                        + "), or the width of a head as head; correct one of them");
            }
            int head = sizes.containsKey("head") ? sizes.get("head") : width / heads;
            config.put("num_key_value_heads", sizes.getOrDefault("keys", heads));
            config.put("head_dim", head);
            if (Arrays.asList(Family.GEMMA2, Family.GEMMA3).contains(family)) {
                config.put("query_pre_attn_scalar", head);
            }
        }
        return config;
    }
}
