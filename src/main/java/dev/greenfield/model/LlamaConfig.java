package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * {@code config.json} of the families that have Llama's block. Keys that are absent have the defaults of transformers' classes. A
 * key that nobody here knows may change the arithmetic: such a model is refused.
 */
final class LlamaConfig {
    /** Keys that say nothing of what a forward pass of the trained model computes. */
    private static final Set<String> HARMLESS = Set.of(
            "architectures",
            "attention_dropout",
            "attn_implementation",
            "auto_map",
            "bos_token_id",
            "chunk_size_feed_forward",
            "do_sample",
            "dtype",
            "eos_token_id",
            "gradient_checkpointing",
            "hidden_dropout",
            "id2label",
            "initializer_range",
            "is_llama_config",
            "label2id",
            "max_length",
            "output_attentions",
            "output_hidden_states",
            "pad_token_id",
            "pretraining_tp",
            "return_dict",
            "task_specific_params",
            "temperature",
            "tokenizer_class",
            "top_k",
            "top_p",
            "torch_dtype",
            "torchscript",
            "transformers.js_config",
            "transformers_version",
            "unk_token_id",
            "unsloth_fixed",
            "unsloth_version",
            "use_bfloat16",
            "use_cache");

    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";

    private final Family family;
    private final ConfigFields fields;

    private LlamaConfig(Family family, ConfigFields fields) {
        this.family = family;
        this.fields = fields;
    }

    /**
     * Reads the configuration of a family.
     *
     * @throws InputException if a field is of the wrong type, out of range, unknown or asks for what is not supported
     */
    static ModelConfig read(Family family, ConfigFields fields) {
        return new LlamaConfig(family, fields).read();
    }

    private ModelConfig read() {
        // The sizes of the classes' defaults are those of one published model: a file without them is not a model's.
        int layers = required(family.layersKey());
        int heads = required(family.headsKey());
        int width = required(family.widthKey());
        int keyHeads = keyHeads(heads);
        int headWidth = headWidth(width, heads);
        int positions = required(family.positionsKey());
        boolean attentionBias =
                (family == Family.LLAMA || family == Family.QWEN3) && fields.flag("attention_bias", false);
        Architecture.Attention attention = new Architecture.Attention(
                heads,
                keyHeads,
                headWidth,
                1 / Math.sqrt(headWidth),
                false,
                new RotaryConfig(fields, headWidth, positions).read(),
                family == Family.QWEN3,
                windows(layers),
                attentionBias || family == Family.QWEN2,
                attentionBias);
        Architecture.Mlp mlp = new Architecture.Mlp(
                required(family.innerKey()),
                true,
                activation(),
                family == Family.LLAMA && fields.flag("mlp_bias", false));
        ModelConfig config = new ModelConfig(
                family,
                layers,
                width,
                positions,
                required("vocab_size"),
                fields.flag("tie_word_embeddings", false),
                new Architecture(
                        new Architecture.Norm(false, fields.number(family.epsilonKey(), 1e-6)), attention, mlp));
        refuseUnknown();
        return config;
    }

    /** Where the file says null each query has its own; where it says nothing, as many as the class has. */
    private int keyHeads(int heads) {
        if (!fields.absent("num_key_value_heads")) {
            return required("num_key_value_heads");
        }
        if (!fields.missing("num_key_value_heads") || family == Family.LLAMA) {
            return heads;
        }
        return family == Family.MISTRAL ? 8 : 32;
    }

    private int headWidth(int width, int heads) {
        if (fields.absent("head_dim")) {
            if (family == Family.QWEN3 && fields.missing("head_dim")) {
                return 128;
            }
            if (width % heads != 0) {
                throw new InputException(family.widthKey() + ": found " + width + ", expected a multiple of "
                        + family.headsKey() + " (" + heads + "), or the width of a head as head_dim; correct "
                        + family.widthKey() + " or " + family.headsKey());
            }
            return width / heads;
        }
        return required("head_dim");
    }

    private int required(String field) {
        int value = fields.integer(field, field, 0);
        if (value < 1) {
            throw new InputException(field + ": found " + (fields.missing(field) ? "no such field" : value)
                    + ", expected a whole number of at least 1; correct " + field);
        }
        return value;
    }

    private Activation activation() {
        String name = fields.absent("hidden_act") ? "silu" : fields.text("hidden_act");
        return switch (name) {
            case "silu", "swish" -> Activation.SILU;
            case "gelu", "gelu_python" -> Activation.GELU;
            case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_NEW;
            default ->
                throw new InputException("hidden_act: found " + Lines.quoted(name)
                        + ", expected silu, gelu, gelu_new or gelu_pytorch_tanh; other activations are not supported");
        };
    }

    /** Per block how many keys a query sees, 0 for all. */
    private List<Integer> windows(int layers) {
        boolean sliding = switch (family) {
            case MISTRAL -> true;
            case QWEN2, QWEN3 -> fields.flag("use_sliding_window", false);
            default -> false;
        };
        if (family == Family.LLAMA) {
            return List.of();
        }
        // transformers' Mistral has a window of 4096 where the file says nothing, and ignores layer_types.
        int window = fields.missing("sliding_window") ? 4096 : fields.integer("sliding_window", 0);
        int from = family == Family.MISTRAL ? 0 : fields.integer("max_window_layers", 28);
        List<Integer> windows = new ArrayList<>(Collections.nCopies(layers, 0));
        JsonNode types = fields.read("layer_types");
        boolean byType = family != Family.MISTRAL && types.isArray();
        if (byType && types.size() != layers) {
            throw new InputException("layer_types: found " + types.size() + " entries, expected one for each of the "
                    + layers + " blocks; correct layer_types or " + family.layersKey());
        }
        for (int l = 0; l < layers; l++) {
            boolean here = byType ? sliding(types.get(l).asText()) : l >= from;
            if (sliding && here && window > 0) {
                windows.set(l, window);
            } else if (byType && here && window > 0) {
                throw new InputException("layer_types: found " + SLIDING + ", expected " + FULL
                        + " where use_sliding_window is false; correct one of the two");
            }
        }
        return windows;
    }

    private static boolean sliding(String type) {
        if (!type.equals(FULL) && !type.equals(SLIDING)) {
            throw new InputException("layer_types: found " + Lines.quoted(type) + ", expected " + FULL + " or "
                    + SLIDING + "; other kinds of blocks are not supported");
        }
        return type.equals(SLIDING);
    }

    private void refuseUnknown() {
        for (Map.Entry<String, JsonNode> field : fields.unread()) {
            String name = field.getKey();
            boolean off = field.getValue().isBoolean() && !field.getValue().booleanValue();
            if (!HARMLESS.contains(name) && !name.startsWith("_") && !off) {
                throw new InputException(Lines.one(name) + ": found "
                        + Lines.one(field.getValue().toString())
                        + ", expected only keys that " + family.label()
                        + " is known to have, since it may change what the model computes; remove it if it does not");
            }
        }
    }
}
