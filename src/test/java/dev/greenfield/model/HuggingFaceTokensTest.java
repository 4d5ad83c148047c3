package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers that the library applies. */
class HuggingFaceTokensTest {
    /** Asks for everything that must not happen: truncation to 2, padding to 9, a token in front. */
    private static final String AROUND = """
            {"version": "1.0",
             "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
             "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                         "pad_type_id": 0, "pad_token": "<end>"},
             "added_tokens": [{"id": 0, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false,
                               "normalized": false, "special": true}],
             "normalizer": NORMALIZER, "pre_tokenizer": PRE, "decoder": DECODER,
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<end>", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
                 "special_tokens": {"<end>": {"id": "<end>", "ids": [0], "tokens": ["<end>"]}}},
             "model": MODEL}
            """;

    private static String json(String normalizer, String pre, String decoder, String model) {
        return AROUND.replace("NORMALIZER", normalizer)
                .replace("PRE", pre)
                .replace("DECODER", decoder)
                .replace("MODEL", model);
    }

    private static HuggingFaceTokens load(String json, int vocabulary) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        TokenizerJson summary = TokenizerJson.read(bytes, "tokenizer.json", vocabulary);
        assertThat(summary.plainWords()).isFalse();
        return HuggingFaceTokens.load(
                PlainTokenizerJson.of(bytes, "tokenizer.json"), summary, "tokenizer.json", vocabulary);
    }

    private static void refused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    @Test
    void encodesTextAsItStands() throws IOException {
        String model =
                "{\"type\": \"WordLevel\", \"vocab\": {\"<end>\": 0, \"the\": 1, \"cat\": 2, \".\": 3, \"x\": 9},"
                        + " \"unk_token\": \"<end>\"}";
        String json = json("{\"type\": \"Lowercase\"}", "{\"type\": \"Whitespace\"}", "null", model);
        try (HuggingFaceTokens tokens = load(json, 5)) {
            assertThat(tokens.encode("The cat. THE CAT.")).containsExactly(1, 2, 3, 1, 2, 3);
            assertThat(tokens.encode("<end> the<end>")).containsExactly(0, 1, 0);
            assertThat(tokens.single(" Cat ")).isEqualTo(2);
            assertThat(tokens.text(2)).isEqualTo("cat");
            assertThat(tokens.text(4)).as("no token has this id").isEqualTo("#4");
            refused(
                    () -> tokens.encode("the \ud83d\ude00\ud83d\ude00 Dog"),
                    "found the word \"\ud83d\ude00\ud83d\ude00\"");
            refused(() -> tokens.encode("the Dog"), "found the word \"Dog\"");
            refused(() -> tokens.single("Dog"), "found the word \"Dog\"");
            refused(() -> tokens.encode("the x"), "gives id 9", "0 to 4", "config.json");
        }
    }

    @Test
    void showsBytesAsText() throws IOException {
        List<String> alphabet = new ArrayList<>();
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b > 32 && b < 127) || (b > 160 && b != 173);
            alphabet.add(Character.toString(printable ? b : next++));
        }
        // <end>, then the 256 bytes in order, then two merges.
        String vocabulary = "\"<end>\": 0, "
                + IntStream.range(0, 256)
                        .mapToObj(b -> quoted(alphabet.get(b)) + ": " + (b + 1))
                        .collect(Collectors.joining(", "))
                + ", \"\u0120P\": 257, \"\u0120Pa\": 258";
        String level =
                "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}";
        String model =
                "{\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, \"continuing_subword_prefix\": \"\","
                        + " \"end_of_word_suffix\": \"\", \"fuse_unk\": false, \"vocab\": {" + vocabulary
                        + "}, \"merges\": [\"\u0120 P\", \"\u0120P a\"]}";
        try (HuggingFaceTokens tokens = load(json("null", level, level, model), 259)) {
            assertThat(tokens.single(" Pa")).isEqualTo(258);
            assertThat(tokens.text(258)).isEqualTo(" Pa");
            assertThat(tokens.text(0)).isEqualTo("<end>");
            assertThat(tokens.encode("a\u20ac")).containsExactly('a' + 1, 0xe2 + 1, 0x82 + 1, 0xac + 1);
            assertThat(tokens.text(0xe2 + 1)).isEqualTo("\\xE2");
            assertThat(tokens.text('\n' + 1)).isEqualTo("\n");
            refused(
                    () -> tokens.single("Pa"),
                    "2 tokens (\"P\" #81, \"a\" #98)",
                    "\" Pa\" with a blank in front is one");
        }
    }

    private static String quoted(String character) {
        return switch (character) {
            case "\"" -> "\"\\\"\"";
            case "\\" -> "\"\\\\\"";
            default -> '"' + character + '"';
        };
    }

    @Test
    void noticesCharactersThatVanish() throws IOException {
        String model =
                "{\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, \"continuing_subword_prefix\": null,"
                        + " \"end_of_word_suffix\": null, \"fuse_unk\": false, \"vocab\": {\"<end>\": 0, \"a\": 1, \"b\": 2, \"ab\": 3},"
                        + " \"merges\": [\"a b\"]}";
        try (HuggingFaceTokens tokens = load(json("null", "{\"type\": \"Whitespace\"}", "null", model), 4)) {
            assertThat(tokens.encode("ab ba")).containsExactly(3, 2, 1);
            refused(() -> tokens.encode("ab \ud83d\ude00b"), "found the word \"\ud83d\ude00\"");
        }
    }

    @Test
    void readsUnigramVocabularies() throws IOException {
        String model = "{\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<end>\", 0.0], [\"\u2581a\", -1.0],"
                + " [\"\u2581b\", -2.5], [\"c\", -3.0]]}";
        String blanks =
                "{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \"always\", \"split\": true}";
        try (HuggingFaceTokens tokens = load(json("null", blanks, blanks, model), 4)) {
            assertThat(tokens.encode("a bc")).containsExactly(1, 2, 3);
            assertThat(tokens.text(2)).isEqualTo(" b");
            // As a prompt has it and as it is shown: this tokenizer puts a blank in front of every text.
            assertThat(tokens.single("b")).isEqualTo(2);
            assertThat(tokens.single(" b")).isEqualTo(2);
            refused(() -> tokens.single(" z"), "found the word");
            refused(() -> tokens.encode("a bz"), "found the word \"z\"");
        }
    }

    @Test
    void plainWordsAgreeWithTheLibrary() throws IOException {
        ModelFiles demo = new ModelFiles.Demo();
        byte[] bytes = demo.read(ModelFiles.TOKENIZER);
        TokenizerJson json = TokenizerJson.read(bytes, "demo", 291);
        assertThat(json.plainWords()).isTrue();
        String[] glue = {
            " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u0085", "\u2003", "\u3000", "\u2028", "\u000b", "<|endoftext|>"
        };
        Random random = new Random(11);
        WordTokens words = new WordTokens(json, "demo", 291);
        try (HuggingFaceTokens library =
                HuggingFaceTokens.load(PlainTokenizerJson.of(bytes, "demo"), json, "demo", 291)) {
            for (int i = 0; i < 500; i++) {
                StringBuilder text = new StringBuilder();
                for (int n = random.nextInt(12); n > 0; n--) {
                    text.append(random.nextInt(20) == 0 ? "\u200bx" : json.piece(random.nextInt(291)));
                    text.append(glue[random.nextInt(glue.length)]);
                }
                assertThat(result(words, text.toString())).isEqualTo(result(library, text.toString()));
            }
        }
    }

    private static String result(Tokenizer tokenizer, String text) {
        try {
            return Arrays.toString(tokenizer.encode(text));
        } catch (InputException unknown) {
            return unknown.getMessage();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"model\": 3}",
                "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": {\"b\": 1}, \"c\": 2}}}",
                "{\"model\": {\"type\": \"Novel\"}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": [\"a b\"]}} {}"
            })
    void refusesWhatIsNoTokenizer(String json) {
        refused(() -> load(json, 4).close(), "tokenizer.json: ");
    }

    @Test
    void isClosedOnce() throws IOException {
        String model = "{\"type\": \"WordLevel\", \"vocab\": {\"<end>\": 0}, \"unk_token\": \"<end>\"}";
        HuggingFaceTokens tokens = load(json("null", "{\"type\": \"Whitespace\"}", "null", model), 1);
        tokens.close();
        tokens.close();
        assertThatThrownBy(() -> tokens.encode("a")).isInstanceOf(IllegalStateException.class);
    }
}
