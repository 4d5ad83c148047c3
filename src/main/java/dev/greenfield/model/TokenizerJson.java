package dev.greenfield.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What Greenfield itself has to know of a {@code tokenizer.json}: the text of each token, which of them stands for unknown
 * words, and of which kind the tokenizer is. Read in one pass.
 */
final class TokenizerJson {
    private final String[] pieces; // one an id of the model's vocabulary; null where the file names none
    private final Map<String, Integer> added = new LinkedHashMap<>(); // content to id
    private final Map<String, JsonNode> parts = new LinkedHashMap<>(); // everything but the model
    private final Map<String, Integer> words = new LinkedHashMap<>(); // the vocabulary: piece to id
    private final List<String[]> merges = new ArrayList<>();
    private final Map<String, JsonNode> modelParts = new LinkedHashMap<>(); // all but vocabulary and merges
    private boolean oddMerges; // that are not pairs of texts
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
            parser.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature());
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
        if (json.words.isEmpty()) {
            throw new InputException(
                    origin + ": found no vocabulary in \"model\", expected pieces and their ids; get the file again");
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
                case "merges" -> readMerges(parser, value);
                default -> modelParts.put(field, Json.tree(parser));
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
                int id = parser.getValueAsInt(-1);
                name(id, piece);
                words.put(piece, id);
                parser.skipChildren();
            }
        } else if (start == JsonToken.START_ARRAY) {
            for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
                String piece = parser.nextTextValue();
                name(id, piece);
                words.putIfAbsent(String.valueOf(piece), id);
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    parser.skipChildren();
                }
            }
        }
    }

    /** Texts of two pieces with a blank between, or arrays of two texts. */
    private void readMerges(JsonParser parser, JsonToken start) throws IOException {
        oddMerges = start != JsonToken.START_ARRAY;
        while (start == JsonToken.START_ARRAY && parser.nextToken() != JsonToken.END_ARRAY && !oddMerges) {
            JsonNode merge = Json.tree(parser);
            String[] pair = merge.isTextual()
                    ? merge.textValue().split(" ", -1)
                    : merge.size() == 2
                                    && merge.get(0).isTextual()
                                    && merge.get(1).isTextual()
                            ? new String[] {
                                merge.get(0).textValue(), merge.get(1).textValue()
                            }
                            : new String[0];
            if (pair.length == 2) {
                merges.add(pair);
            }
            oddMerges = pair.length != 2;
        }
        while (oddMerges && parser.currentToken() != JsonToken.END_ARRAY && parser.currentToken() != null) {
            parser.nextToken();
            parser.skipChildren();
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

    /** What a token reads, for people; null where the file names none. */
    String shown(int id) {
        String piece = pieces[id];
        if (piece == null || added.containsKey(piece)) {
            return piece;
        }
        if (byteLevel()) {
            return ByteLevel.text(piece);
        }
        return marksBlanks() ? piece.replace('\u2581', ' ') : piece;
    }

    /** The vocabulary: id by piece. */
    Map<String, Integer> words() {
        return words;
    }

    /** The merges of byte pairs, the first to be merged first. */
    List<String[]> merges() {
        return merges;
    }

    /** Whether a text without a blank in front gets one, as the file has it. */
    boolean prefixesBlank() {
        return part("pre_tokenizer").path("add_prefix_space").asBoolean(false);
    }

    /** Whether words that the vocabulary has are taken as they are, whatever the merges. */
    boolean wholeWords() {
        return modelParts
                .getOrDefault("ignore_merges", MissingNode.getInstance())
                .asBoolean(false);
    }

    /** The token that the post-processor puts in front of a text; null where it puts none. */
    String beginning() {
        JsonNode post = part("post_processor");
        List<JsonNode> processors = new ArrayList<>();
        if (post.path("type").asText().equals("Sequence")) {
            post.path("processors").forEach(processors::add);
        } else {
            processors.add(post);
        }
        for (JsonNode processor : processors) {
            JsonNode first =
                    processor.path("single").path(0).path("SpecialToken").path("id");
            if (processor.path("type").asText().equals("TemplateProcessing") && first.isTextual()) {
                return first.textValue();
            }
        }
        return null;
    }

    /** Whether this is GPT-2's kind of tokenizer, which needs no library to apply. */
    boolean plainBytePairs() {
        JsonNode splitter = part("pre_tokenizer");
        boolean bare = part("normalizer").isMissingNode() || part("normalizer").isNull();
        boolean pairs = modelType.equals("BPE") || (modelType.isEmpty() && !merges.isEmpty());
        return bare
                && pairs
                && !oddMerges
                && !words.isEmpty()
                && splitter.path("type").asText().equals("ByteLevel")
                && splitter.path("use_regex").asBoolean(true)
                && unknownToken == null
                && !byteFallback
                && modelParts
                        .getOrDefault("continuing_subword_prefix", MissingNode.getInstance())
                        .asText("")
                        .isEmpty()
                && modelParts
                        .getOrDefault("end_of_word_suffix", MissingNode.getInstance())
                        .asText("")
                        .isEmpty()
                && plainlyAdded(false);
    }

    /** Whether added tokens are found just where they stand. */
    private boolean plainlyAdded(boolean normalizes) {
        for (JsonNode token : part("added_tokens")) {
            if (token.path("single_word").asBoolean()
                    || token.path("lstrip").asBoolean()
                    || token.path("rstrip").asBoolean()
                    || (normalizes && token.path("normalized").asBoolean())) {
                return false;
            }
        }
        return true;
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
        boolean bare = part("normalizer").isEmpty()
                && part("post_processor").isEmpty()
                && part("pre_tokenizer").size() == 1
                && part("pre_tokenizer").path("type").asText().equals("WhitespaceSplit");
        if (!bare || !modelType.equals("WordLevel")) {
            return false;
        }
        return plainlyAdded(true);
    }

    private JsonNode part(String name) {
        return parts.getOrDefault(name, MissingNode.getInstance());
    }

    private boolean uses(String type) {
        return part("decoder").findValuesAsText("type").contains(type)
                || part("pre_tokenizer").findValuesAsText("type").contains(type);
    }
}
