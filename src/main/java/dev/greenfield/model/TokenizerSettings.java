package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@code tokenizer_config.json} and {@code added_tokens.json} say that changes tokens, as transformers reads them: the class, its
 * blank in front of a text, and tokens that are no part of the vocabulary.
 */
final class TokenizerSettings {
    private final JsonNode config;
    private final Map<Integer, String> added =
            new TreeMap<>(); // by id, the order in which they are given to the tokenizer

    private TokenizerSettings(JsonNode config) {
        this.config = config;
    }

    /** Of a model that has perhaps neither file. */
    static TokenizerSettings read(ModelFiles files) throws IOException {
        TokenizerSettings settings = new TokenizerSettings(json(files, ModelFiles.TOKENIZER_CONFIG));
        json(files, ModelFiles.ADDED_TOKENS)
                .properties()
                .forEach(token -> settings.added.put(token.getValue().asInt(-1), token.getKey()));
        settings.config.path("added_tokens_decoder").properties().forEach(token -> {
            String content = content(token.getValue());
            if (content != null && token.getKey().matches("[0-9]{1,9}")) {
                settings.added.put(Integer.valueOf(token.getKey()), content);
            }
        });
        return settings;
    }

    private static JsonNode json(ModelFiles files, String name) throws IOException {
        return files.has(name) ? Json.parse(files.read(name), files.origin(name)) : MissingNode.getInstance();
    }

    /** Whether these are the settings of GPT-2's own class, which has settings of its own beside a tokenizer.json. */
    boolean ofGpt2() {
        return config.path("tokenizer_class").asText("GPT2Tokenizer").matches("GPT2Tokenizer(Fast)?");
    }

    /** The class that is named, or null. */
    String named() {
        return config.path("tokenizer_class").asText(null);
    }

    /** Whether a text without a blank in front gets one, where GPT-2's own class decides. */
    boolean prefixesBlank() {
        return config.path("add_prefix_space").asBoolean(false);
    }

    /** Whether a text gets the token that begins texts in front, where GPT-2's own class decides. */
    boolean prefixesBeginning() {
        return config.path("add_bos_token").asBoolean(false);
    }

    /** The token that begins texts; null where none is named. */
    String beginning() {
        return content(config.path("bos_token"));
    }

    /** Tokens besides those of the vocabulary: content to id, in the order of ids. */
    Map<String, Integer> added() {
        Map<String, Integer> tokens = new LinkedHashMap<>();
        added.forEach((id, content) -> tokens.put(content, id));
        return tokens;
    }

    private static String content(JsonNode token) {
        return token.isTextual() ? token.textValue() : token.path("content").asText(null);
    }
}
