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
import java.util.Map;

/** {@code config.json} as Hugging Face writes it, to {@link ModelConfig}, and for GPT-2 from it. */
final class ConfigJson {
    private ConfigJson() {}

    /**
     * Reads a configuration.
     *
     * @param origin what messages call the file
     * @throws InputException if a field is missing, of the wrong type, out of range or asks for what is not supported
     */
    static ModelConfig read(byte[] bytes, String origin) throws IOException {
        JsonNode tree = Json.parse(bytes, origin);
        if (!tree.isObject()) {
            throw new InputException(origin + ": found " + ConfigFields.kind(tree)
                    + ", expected a JSON object with the fields of a model's configuration; get the file again");
        }
        try {
            return config(new ConfigFields(tree));
        } catch (InputException wrong) {
            throw new InputException(origin + ": " + wrong.getMessage(), wrong);
        }
    }

    /** Writes a GPT-2 configuration so that {@link #read} and Hugging Face's transformers both understand it; {@code type} is what weights are stored in. */
    static byte[] write(ModelConfig config, String type) throws IOException {
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
            json.writeStringField("torch_dtype", type);
            json.writeEndObject();
            json.writeRaw('\n');
        }
        return bytes.toByteArray();
    }

    private static ModelConfig config(ConfigFields fields) {
        String type = fields.text("model_type");
        Family family = Family.named(type);
        for (String changes : List.of("quantization_config", "pruned_heads")) {
            JsonNode value = fields.read(changes);
            if (!value.isMissingNode() && !value.isNull() && !value.isEmpty()) {
                throw new InputException(changes + ": found " + Lines.one(value.toString())
                        + ", expected none; save the model as it computes, in floats and with all heads");
            }
        }
        if (fields.flag("add_cross_attention", false)) {
            throw new InputException(
                    "add_cross_attention: found true, expected false; cross attention is not supported");
        }
        if (family == Family.GPT2) {
            return gpt2(fields);
        }
        ConfigFields own = type.equals(Family.NESTED) ? nested(fields) : fields;
        ModelConfig config = family == Family.GPT_NEO || family == Family.GPT_NEOX
                ? NeoConfig.read(family, own)
                : LlamaConfig.read(family, own);
        own.refuseUnknown(family.label());
        return config;
    }

    /** Sizes of transformers' Gemma3TextConfig: files of models that see pictures name only those that differ. */
    private static final Map<String, Integer> GEMMA3_SIZES = Map.of(
            "vocab_size",
            262208,
            "hidden_size",
            2304,
            "intermediate_size",
            9216,
            "num_hidden_layers",
            26,
            "num_attention_heads",
            8,
            "max_position_embeddings",
            131072);

    /** The text model's part of a configuration that has a vision tower beside it, whose keys do not matter for text. */
    private static ConfigFields nested(ConfigFields fields) {
        JsonNode text = fields.read("text_config");
        if (!text.isObject()) {
            throw ConfigFields.wrong("text_config", text, "an object");
        }
        ConfigFields own = new ConfigFields(text, GEMMA3_SIZES);
        own.read("model_type");
        return own;
    }

    private static ModelConfig gpt2(ConfigFields fields) {
        // Keys that are absent have the defaults of transformers' GPT2Config; some have a second name there.
        int width = fields.integer("n_embd", "hidden_size", 768);
        return new ModelConfig(
                fields.integer("n_layer", "num_hidden_layers", 12),
                fields.integer("n_head", "num_attention_heads", 12),
                width,
                fields.absent("n_inner") ? ConfigFields.fourTimes(width) : fields.integer("n_inner", "n_inner", 0),
                fields.integer("n_positions", "max_position_embeddings", 1024),
                fields.integer("vocab_size", "vocab_size", 50257),
                fields.missing("layer_norm_epsilon") ? 1e-5 : fields.number("layer_norm_epsilon"),
                fields.missing("activation_function")
                        ? Activation.GELU_NEW
                        : Activation.named(fields.text("activation_function")),
                fields.flag("tie_word_embeddings", true),
                fields.flag("scale_attn_weights", true),
                fields.flag("scale_attn_by_inverse_layer_idx", false));
    }
}
