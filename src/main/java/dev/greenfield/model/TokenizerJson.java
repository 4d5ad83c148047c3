package dev.greenfield.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What Greenfield itself has to know of a {@code tokenizer.json}: the text of each token, which of them stands for unknown
 * words, and of which kind the tokenizer is. Read in one pass that skips the merges, which are most of the file.
 */
final class TokenizerJson {
    private final String[] pieces; // one an id of the model's vocabulary; null where the file names none
    private final Map<String, Integer> added = new LinkedHashMap<>(); // content to id
    private final Map<String, JsonNode> parts = new LinkedHashMap<>(); // everything but the model
    private String modelType = "";
    private String unknownToken;
    private int unknownId = -1;
    private boolean byteFallback;

    private TokenizerJson(int vocabulary) {
        pieces = new String[vocabulary];
    }

    /**
     * Reads the file.
     *
     * @param vocabulary the model's vocabulary; ids beyond it are passed over
     * @throws InputException if it is not a tokenizer
     */
    static TokenizerJson read(byte[] bytes, String origin, int vocabulary) throws IOException {
        TokenizerJson json = new TokenizerJson(vocabulary);
        boolean model = false;
        try (JsonParser parser = Json.FACTORY.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw noTokenizer(origin);
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                if (field.equals("model") && value == JsonToken.START_OBJECT) {
                    json.readModel(parser);
                    model = true;
                } else {
                    json.parts.put(field, Json.tree(parser));
                }
            }
            Json.requireEnd(parser, origin);
        } catch (JsonProcessingException malformed) {
            throw Json.malformed(malformed, origin);
        }
        if (!model) {
            throw noTokenizer(origin);
        }
        json.readAdded();
        json.findUnknown();
        return json;
    }

    private static InputException noTokenizer(String origin) {
        return new InputException(origin + ": found no \"model\" object, expected a Hugging Face tokenizer;"
                + " get the file again, or remove it and " + Remedy.USE_TOKEN_IDS);
    }

    private void readModel(JsonParser parser) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (field) {
                case "type" -> modelType = parser.getValueAsString("");
                case "unk_token" -> unknownToken = parser.getValueAsString(null);
                case "unk_id" -> unknownId = parser.getValueAsInt(-1);
                case "byte_fallback" -> byteFallback = parser.getValueAsBoolean(false);
                case "vocab" -> readVocabulary(parser, value);
                default -> {}
            }
            parser.skipChildren(); // of a value that was not looked into; nothing to skip otherwise
        }
    }

    /** An object of ids by piece, or for Unigram an array of [piece, score] in the order of ids. */
    private void readVocabulary(JsonParser parser, JsonToken start) throws IOException {
        if (start == JsonToken.START_OBJECT) {
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String piece = parser.currentName();
                parser.nextToken();
                name(parser.getValueAsInt(-1), piece);
                parser.skipChildren();
            }
        } else if (start == JsonToken.START_ARRAY) {
            for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
                name(id, parser.nextTextValue());
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    parser.skipChildren();
                }
            }
        }
    }

    private void name(int id, String piece) {
        if (id >= 0 && id < pieces.length) {
            pieces[id] = piece;
        }
    }

    private void readAdded() {
        for (JsonNode token : part("added_tokens")) {
            int id = token.path("id").asInt(-1);
            String content = token.path("content").asText("");
            if (id >= 0 && !content.isEmpty()) {
                added.put(content, id);
                name(id, content);
            }
        }
    }

    private void findUnknown() {
        for (int id = 0; unknownToken != null && unknownId < 0 && id < pieces.length; id++) {
            if (unknownToken.equals(pieces[id])) {
                unknownId = id;
            }
        }
    }

    /** The text of a token, with a byte-level or blank marker as it is stored; null where the file names none. */
    String piece(int id) {
        return pieces[id];
    }

    /** The id that stands for words not in the vocabulary, or -1. */
    int unknownId() {
        return unknownId;
    }

    /** Whether characters that the vocabulary lacks vanish without a token: byte pairs of characters with nothing unknown. */
    boolean dropsUnknown() {
        return modelType.equals("BPE") && unknownId < 0 && !byteFallback && !byteLevel();
    }

    /** Whether pieces are bytes written as printable characters. */
    boolean byteLevel() {
        return uses("ByteLevel");
    }

    /** Whether pieces write a blank as U+2581. */
    boolean marksBlanks() {
        return uses("Metaspace") || part("decoder").toString().contains("\u2581");
    }

    /** Tokens recognized in the text before it is split, by what they read. */
    Map<String, Integer> added() {
        return added;
    }

    /** Whether this is no more than a list of words separated by blanks, which needs no library to apply. */
    boolean plainWords() {
        boolean bare = part("normalizer").isNull()
                && part("post_processor").isNull()
                && part("pre_tokenizer").size() == 1
                && part("pre_tokenizer").path("type").asText().equals("WhitespaceSplit");
        if (!bare || !modelType.equals("WordLevel")) {
            return false;
        }
        for (JsonNode token : part("added_tokens")) {
            for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
                if (token.path(flag).asBoolean()) {
                    return false;
                }
            }
        }
        return true;
    }

    private JsonNode part(String name) {
        return parts.getOrDefault(name, MissingNode.getInstance());
    }

    private boolean uses(String type) {
        return part("decoder").findValuesAsText("type").contains(type)
                || part("pre_tokenizer").findValuesAsText("type").contains(type);
    }
}
