package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The fields of a {@code config.json}, which remembers those that were asked for. */
final class ConfigFields {
    /** Keys that say nothing of what a forward pass of the trained model computes. */
    private static final Set<String> HARMLESS = Set.of(
            "architectures",
            "attention_dropout",
            "attention_probs_dropout_prob",
            "attn_implementation",
            "auto_map",
            "bos_token_id",
            "cache_implementation",
            "chunk_size_feed_forward",
            "classifier_dropout",
            "do_sample",
            "dtype",
            "embed_dropout",
            "eos_token_id",
            "gradient_checkpointing",
            "hidden_dropout",
            "hidden_dropout_prob",
            "id2label",
            "initializer_range",
            "is_llama_config",
            "label2id",
            "max_length",
            "output_attentions",
            "output_hidden_states",
            "pad_token_id",
            "pretraining_tp",
            "resid_dropout",
            "return_dict",
            "summary_activation",
            "summary_first_dropout",
            "summary_proj_to_labels",
            "summary_type",
            "summary_use_proj",
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

    private final JsonNode fields;
    private final Map<String, Integer> sizes; // where the file has none
    private final Set<String> known = new HashSet<>();

    ConfigFields(JsonNode fields) {
        this(fields, Map.of());
    }

    /**
     * The fields of a configuration within another, which leaves out what is its class's default.
     *
     * @param sizes those that the class has
     */
    ConfigFields(JsonNode fields, Map<String, Integer> sizes) {
        this.fields = fields;
        this.sizes = sizes;
    }

    /** The value of a field; a missing node where there is none. */
    JsonNode read(String field) {
        known.add(field);
        return fields.path(field);
    }

    /** Fields that are neither null nor have been asked for, with their values. */
    List<Map.Entry<String, JsonNode>> unread() {
        List<Map.Entry<String, JsonNode>> unread = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : fields.properties()) {
            if (!known.contains(field.getKey()) && !field.getValue().isNull()) {
                unread.add(field);
            }
        }
        return unread;
    }

    boolean absent(String field) {
        return read(field).isMissingNode() || read(field).isNull();
    }

    boolean missing(String field) {
        return read(field).isMissingNode();
    }

    /** A whole number by either of its names. */
    int integer(String name, String alias, int otherwise) {
        if (missing(name) && missing(alias)) {
            return otherwise;
        }
        if (!missing(name) && !missing(alias) && !read(name).equals(read(alias))) {
            throw new InputException(name + ": found " + kind(read(name)) + ", and " + kind(read(alias)) + " as "
                    + alias + ", which is another name of it; remove one of the two");
        }
        String field = missing(name) ? alias : name;
        JsonNode value = read(field);
        if (!value.isIntegralNumber()) {
            throw wrong(field, value, "a whole number");
        }
        if (!value.canConvertToInt()) {
            throw wrong(field, value, "a whole number of at most " + Integer.MAX_VALUE);
        }
        return value.intValue();
    }

    double number(String field) {
        JsonNode value = read(field);
        if (!value.isNumber()) {
            throw wrong(field, value, "a number");
        }
        return value.doubleValue();
    }

    String text(String field) {
        JsonNode value = read(field);
        if (!value.isTextual()) {
            throw wrong(field, value, "a string");
        }
        return value.textValue();
    }

    boolean flag(String field, boolean otherwise) {
        if (absent(field)) {
            return otherwise;
        }
        JsonNode value = read(field);
        if (!value.isBoolean()) {
            throw wrong(field, value, "true or false");
        }
        return value.booleanValue();
    }

    static InputException wrong(String field, JsonNode value, String expected) {
        return new InputException(field + ": found " + kind(value) + ", expected " + expected + "; correct " + field);
    }

    static String kind(JsonNode value) {
        if (value.isMissingNode()) {
            return "no such field";
        }
        return value.isContainerNode()
                ? "an " + value.getNodeType().name().toLowerCase(Locale.ROOT)
                : Lines.one(value.toString());
    }

    /** A whole number; {@code otherwise} where the field is absent. */
    int integer(String field, int otherwise) {
        return absent(field) ? otherwise : integer(field, field, otherwise);
    }

    /** A number; {@code otherwise} where the field is absent. */
    double number(String field, double otherwise) {
        return absent(field) ? otherwise : number(field);
    }

    /** A size, which is at least 1. */
    int required(String field) {
        int value = integer(field, field, sizes.getOrDefault(field, 0));
        if (value < 1) {
            throw new InputException(field + ": found " + (missing(field) ? "no such field" : value)
                    + ", expected a whole number of at least 1; correct " + field);
        }
        return value;
    }

    /** A number that two names may have; both may be there where they say the same. */
    double either(String name, String alias, double otherwise) {
        double first = number(name, otherwise);
        double second = number(alias, first);
        if (!absent(name) && first != second) {
            throw new InputException(name + ": found " + first + ", and " + second + " as " + alias
                    + ", which is another name of it; remove one of the two");
        }
        return second;
    }

    /** What each of {@code heads} heads has of the width. */
    int shared(int width, String widthKey, int heads, String headsKey) {
        if (width % heads != 0) {
            throw new InputException(widthKey + ": found " + width + ", expected a multiple of " + headsKey + " ("
                    + heads + "), or the width of a head as head_dim; correct " + widthKey + " or " + headsKey);
        }
        return width / heads;
    }

    /** An activation by its name; {@code otherwise} where the field is absent. */
    Activation activation(String field, Activation otherwise) {
        if (absent(field)) {
            return otherwise;
        }
        String name = text(field);
        return Activation.find(name)
                .orElseThrow(() -> new InputException(field + ": found " + Lines.quoted(name)
                        + ", expected silu, gelu, relu, gelu_new or another name of it (gelu_pytorch_tanh, gelu_fast,"
                        + " gelu_accurate); other activations are not supported"));
    }

    /** Four times a width, or the largest int, which is then refused with the rest. */
    static int fourTimes(int width) {
        return (int) Math.min(Integer.MAX_VALUE, Math.max(1, 4L * width));
    }

    /** @throws InputException if there is a key that could change what the model computes, and nobody has asked for */
    void refuseUnknown(String label) {
        for (Map.Entry<String, JsonNode> field : unread()) {
            String name = field.getKey();
            boolean off = field.getValue().isBoolean() && !field.getValue().booleanValue();
            if (!HARMLESS.contains(name) && !name.startsWith("_") && !off) {
                throw new InputException(Lines.one(name) + ": found "
                        + Lines.one(field.getValue().toString())
                        + ", expected only keys that " + label
                        + " is known to have, since it may change what the model computes; remove it if it does not");
            }
        }
    }
}
