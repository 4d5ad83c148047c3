package dev.greenfield.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A tokenizer of GPT-2's kind to spoil: the 256 bytes and eleven merges. */
final class SmallTokenizer {
    static final List<String> MERGES = List.of(
            "\u0120 P",
            "a r",
            "i s",
            "ar is",
            "P aris",
            "\u0120P aris",
            "\u0120 R",
            "o m",
            "om e",
            "\u0120R ome",
            "a a");

    private SmallTokenizer() {}

    /** The vocabulary: bytes by their value, then what merges make. */
    static Map<String, Integer> words() {
        Map<String, Integer> words = new TreeMap<>();
        for (int b = 0; b < 256; b++) {
            words.put(ByteLevel.characters(new byte[] {(byte) b}), b);
        }
        MERGES.forEach(merge -> words.putIfAbsent(merge.replace(" ", ""), words.size()));
        return words;
    }

    static String vocabulary() {
        return words().entrySet().stream()
                .map(word -> quoted(word.getKey()) + ": " + word.getValue())
                .collect(Collectors.joining(", ", "{", "}"));
    }

    static String mergesText() {
        return "#version: 0.2\n" + String.join("\n", MERGES) + "\n";
    }

    /** The file. */
    static String json(boolean prefixBlank, String model, String... added) {
        List<String> tokens = new ArrayList<>();
        for (String token : added) {
            String[] parts = token.split(" ", -1);
            tokens.add(
                    "{\"id\": " + parts[0] + ", \"content\": " + quoted(parts[1])
                            + ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, \"special\": true}");
        }
        String level = "{\"type\": \"ByteLevel\", \"add_prefix_space\": " + prefixBlank
                + ", \"trim_offsets\": true, \"use_regex\": true}";
        return "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": " + tokens
                + ", \"normalizer\": null, \"pre_tokenizer\": " + level + ", \"post_processor\": " + level
                + ", \"decoder\": " + level
                + ", \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
                + "\"continuing_subword_prefix\": \"\", \"end_of_word_suffix\": \"\", \"fuse_unk\": false, " + model
                + "\"vocab\": " + vocabulary() + ", \"merges\": "
                + MERGES.stream().map(SmallTokenizer::quoted).collect(Collectors.joining(", ", "[", "]")) + "}}";
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
