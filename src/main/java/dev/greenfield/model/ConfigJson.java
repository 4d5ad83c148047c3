package dev.greenfield.model;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** {@code config.json} as Hugging Face writes it for GPT-2, to and from {@link ModelConfig}. */
final class ConfigJson {
    private final JsonNode fields;

    private ConfigJson(JsonNode fields) {
        this.fields = fields;
    }

    /**
     * Reads a configuration.
     *
     * @param origin what messages call the file
     * @throws InputException if a field is missing, of the wrong type, out of range or asks for what is not supported
     */
    static ModelConfig read(byte[] bytes, String origin) throws IOException {
        JsonNode tree = Json.parse(bytes, origin);
        if (!tree.isObject()) {
            throw new InputException(origin + ": found " + kind(tree)
                    + ", expected a JSON object with the fields of a GPT-2 configuration; get the file again");
        }
        try {
            return new ConfigJson(tree).config();
        } catch (InputException wrong) {
            throw new InputException(origin + ": " + wrong.getMessage(), wrong);
        }
    }

    /** Writes a configuration so that {@link #read} and Hugging Face's transformers both understand it. */
    static byte[] write(ModelConfig config) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.FACTORY.createGenerator(bytes)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));
            json.writeStartObject();
            json.writeStringField("model_type", "gpt2");
            json.writeArrayFieldStart("architectures");
            json.writeString("GPT2LMHeadModel");
            json.writeEndArray();
            json.writeNumberField("n_layer", config.layers());
            json.writeNumberField("n_head", config.heads());
            json.writeNumberField("n_embd", config.width());
            json.writeNumberField("n_inner", config.inner());
            json.writeNumberField("n_positions", config.positions());
            json.writeNumberField("n_ctx", config.positions());
            json.writeNumberField("vocab_size", config.vocabulary());
            json.writeNumberField("layer_norm_epsilon", config.epsilon());
            json.writeStringField("activation_function", config.activation().configName());
            json.writeBooleanField("tie_word_embeddings", config.tied());
            json.writeBooleanField("scale_attn_weights", config.scaleAttention());
            json.writeBooleanField("scale_attn_by_inverse_layer_idx", config.scaleByInverseLayer());
            json.writeStringField("torch_dtype", "float32");
            json.writeEndObject();
            json.writeRaw('\n');
        }
        return bytes.toByteArray();
    }

    private ModelConfig config() {
        String type = text("model_type");
        if (!type.equals("gpt2")) {
            throw new InputException("model_type: found " + Lines.quoted(type)
                    + ", expected \"gpt2\"; only GPT-2 style models are supported");
        }
        if (flag("add_cross_attention", false)) {
            throw new InputException(
                    "add_cross_attention: found true, expected false; cross attention is not supported");
        }
        for (String changes : List.of("quantization_config", "pruned_heads")) {
            JsonNode value = fields.path(changes);
            if (!value.isMissingNode() && !value.isNull() && !value.isEmpty()) {
                throw new InputException(changes + ": found " + Lines.one(value.toString())
                        + ", expected none; save the model as it computes, in floats and with all heads");
            }
        }
        // Keys that are absent have the defaults of transformers' GPT2Config; some have a second name there.
        int width = integer("n_embd", "hidden_size", 768);
        return new ModelConfig(
                integer("n_layer", "num_hidden_layers", 12),
                integer("n_head", "num_attention_heads", 12),
                width,
                absent("n_inner") ? fourTimes(width) : integer("n_inner", "n_inner", 0),
                integer("n_positions", "max_position_embeddings", 1024),
                integer("vocab_size", "vocab_size", 50257),
                missing("layer_norm_epsilon") ? 1e-5 : number("layer_norm_epsilon"),
                missing("activation_function") ? Activation.GELU_NEW : Activation.named(text("activation_function")),
                flag("tie_word_embeddings", true),
                flag("scale_attn_weights", true),
                flag("scale_attn_by_inverse_layer_idx", false));
    }

    private static int fourTimes(int width) {
        // Where 4 n_embd is no int, ModelConfig refuses n_embd itself or the number of parameters.
        return (int) Math.min(Integer.MAX_VALUE, Math.max(1, 4L * width));
    }

    private boolean absent(String field) {
        return fields.path(field).isMissingNode() || fields.path(field).isNull();
    }

    private boolean missing(String field) {
        return fields.path(field).isMissingNode();
    }

    /** A whole number by either of its names. */
    private int integer(String name, String alias, int otherwise) {
        if (missing(name) && missing(alias)) {
            return otherwise;
        }
        if (!missing(name) && !missing(alias) && !fields.path(name).equals(fields.path(alias))) {
            throw new InputException(name + ": found " + kind(fields.path(name)) + ", and " + kind(fields.path(alias))
                    + " as " + alias + ", which is another name of it; remove one of the two");
        }
        String field = missing(name) ? alias : name;
        JsonNode value = fields.path(field);
        if (!value.isIntegralNumber()) {
            throw wrong(field, value, "a whole number");
        }
        if (!value.canConvertToInt()) {
            throw wrong(field, value, "a whole number of at most " + Integer.MAX_VALUE);
        }
        return value.intValue();
    }

    private double number(String field) {
        JsonNode value = fields.path(field);
        if (!value.isNumber()) {
            throw wrong(field, value, "a number");
        }
        return value.doubleValue();
    }

    private String text(String field) {
        JsonNode value = fields.path(field);
        if (!value.isTextual()) {
            throw wrong(field, value, "a string");
        }
        return value.textValue();
    }

    private boolean flag(String field, boolean otherwise) {
        if (absent(field)) {
            return otherwise;
        }
        JsonNode value = fields.path(field);
        if (!value.isBoolean()) {
            throw wrong(field, value, "true or false");
        }
        return value.booleanValue();
    }

    private static InputException wrong(String field, JsonNode value, String expected) {
        return new InputException(field + ": found " + kind(value) + ", expected " + expected + "; correct " + field);
    }

    private static String kind(JsonNode value) {
        if (value.isMissingNode()) {
            return "no such field";
        }
        return value.isContainerNode()
                ? "an " + value.getNodeType().name().toLowerCase(Locale.ROOT)
                : Lines.one(value.toString());
    }
}
