package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizers of GPT-2's kind over the model's own vocabulary, chosen by files. */
class BytePairsTest {
    private static final int VOCABULARY = 300;

    @TempDir
    Path folder;

    /** A directory with a vocabulary of 300. */
    private ModelDirectory directory() throws IOException {
        return new ModelDirectory(folder)
                .config("\"vocab_size\": 5", "\"vocab_size\": " + VOCABULARY)
                .tensor("wte.weight", dev.greenfield.safetensors.DType.F32, VOCABULARY, 4)
                .whole();
    }

    private int[] ids(String text) throws IOException {
        try (ModelSource source = ModelSource.open(folder)) {
            return source.tokenizer().encode(text);
        }
    }

    private void refused(String... parts) {
        assertThatThrownBy(() -> ids("a")).isInstanceOf(InputException.class).hasMessageContainingAll(parts);
    }

    /** Values by transformers 5.18 on the same files, with the ten merges that both share. */
    @Test
    void readsTheOwnVocabulary() throws IOException {
        directory().file("vocab.json", SmallTokenizer.vocabulary()).file("merges.txt", SmallTokenizer.mergesText());
        assertThat(ids("In Paris")).containsExactly('I', 'n', 261);
        assertThat(ids("Paris Rome")).containsExactly(260, 265);
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.tokenizer().text(261)).isEqualTo(" Paris");
            assertThat(source.tokenizer().text(299)).isEqualTo("#299");
        }
    }

    @Test
    void followsTheSettingsOfGpt2sClass() throws IOException {
        ModelDirectory directory = directory().file("tokenizer.json", SmallTokenizer.json(true, ""));
        assertThat(ids("Paris Rome"))
                .as("the class decides, and its default is no blank")
                .containsExactly(260, 265);
        directory.file("tokenizer_config.json", "{\"add_prefix_space\": true, \"tokenizer_class\": \"GPT2Tokenizer\"}");
        assertThat(ids("Paris Rome")).containsExactly(261, 265);
        directory.file(
                "tokenizer_config.json",
                "{\"add_prefix_space\": false, \"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
        assertThat(ids("Paris Rome")).as("the general class takes the file's").containsExactly(261, 265);
        directory.file(
                "tokenizer_config.json",
                "{\"tokenizer_class\": \"GPT2Tokenizer\", \"added_tokens_decoder\": {\"267\": {\"content\": \"<|x|>\"}}}");
        assertThat(ids("Paris<|x|> Rome")).containsExactly(260, 267, 265);
        directory.file("tokenizer_config.json", "{\"add_bos_token\": true, \"bos_token\": \"a\"}");
        try (ModelSource source = ModelSource.open(folder)) {
            Tokenizer tokenizer = source.tokenizer();
            assertThat(tokenizer.beginning()).hasValue('a');
            assertThat(tokenizer.encode("bc", Beginning.AUTO)).containsExactly('a', 'b', 'c');
            assertThat(tokenizer.encode("abc", Beginning.AUTO))
                    .as("never twice")
                    .containsExactly('a', 'b', 'c');
            assertThat(tokenizer.encode("bc", Beginning.YES)).containsExactly('a', 'b', 'c');
            assertThat(tokenizer.encode("bc", Beginning.NO)).containsExactly('b', 'c');
        }
        directory.file("tokenizer_config.json", "{\"add_bos_token\": false, \"bos_token\": \"a\"}");
        try (ModelSource source = ModelSource.open(folder)) {
            Tokenizer tokenizer = source.tokenizer();
            assertThat(tokenizer.encode("bc", Beginning.AUTO)).containsExactly('b', 'c');
            assertThat(tokenizer.beginning()).isEmpty();
            assertThat(tokenizer.encode("bc", Beginning.YES))
                    .as("the file names one, though it does not put it in front")
                    .containsExactly('a', 'b', 'c');
        }
        directory.file("tokenizer_config.json", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
        try (ModelSource source = ModelSource.open(folder)) {
            Tokenizer tokenizer = source.tokenizer();
            assertThat(tokenizer.start()).isEmpty();
            assertThatThrownBy(() -> tokenizer.encode("bc", Beginning.YES))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("without a token that begins texts");
        }
    }

    @Test
    void dropsNothing() throws IOException {
        directory()
                .file(
                        "tokenizer.json",
                        SmallTokenizer.json(false, "").replace("\"dropout\": null", "\"dropout\": 0.9"));
        for (int i = 0; i < 20; i++) {
            assertThat(ids("In Paris Rome")).containsExactly('I', 'n', 261, 265);
        }
    }

    @Test
    void refusesIdsThatTheLibraryWouldChange() throws IOException {
        ModelDirectory directory = directory().file("tokenizer.json", SmallTokenizer.json(false, "", "290 <|user|>"));
        refused("<|user|>", "290", "267");
        directory.file("tokenizer.json", SmallTokenizer.json(false, "", "261 <|x|>"));
        refused("<|x|>", "261", "267");
        directory.file("tokenizer.json", SmallTokenizer.json(false, "", "267 <|x|>", "268 <|y|>"));
        assertThat(ids("a<|y|><|x|>")).containsExactly('a', 268, 267);
    }

    @Test
    void refusesTokenizersOfOtherKinds() throws IOException {
        ModelDirectory directory = directory().file("vocab.txt", "[PAD]\na\n");
        refused("vocab.txt", "another kind", "use token ids");
        directory.file("vocab.json", SmallTokenizer.vocabulary());
        refused("merges.txt is missing");
        directory.file("merges.txt", "a\n");
        refused("merges.txt: line 1", "two pieces");
        directory.file("merges.txt", "a \u00e9\u00e9\n");
        refused("is not in the vocabulary");
        directory
                .file("merges.txt", SmallTokenizer.mergesText())
                .file("tokenizer_config.json", "{\"tokenizer_class\": \"BertTokenizer\"}");
        refused("BertTokenizer");
    }

    @Test
    void agreesWithTheLibrary() throws IOException {
        Random random = new Random(3);
        String[] parts = {
            "Paris",
            " Paris",
            "aaaa",
            "a",
            "'s",
            "'T",
            " 12",
            "\u00b2\u00bd",
            "\u00e9",
            "\u20ac",
            "\ud83d\ude00",
            "\n",
            "\t",
            "  ",
            "\u00a0",
            "\u2003",
            "\u0085",
            "\u001c",
            "!?",
            " _",
            "\u0301",
            "\u4e2d\u6587",
            "\u0661",
            "<|x|>",
            "Rome",
            "\u200b",
            "\ufeff",
            "\u180e"
        };
        for (boolean blank : new boolean[] {false, true}) {
            for (String model : new String[] {"", "\"ignore_merges\": true, "}) {
                byte[] file = SmallTokenizer.json(blank, model, "267 <|x|>").getBytes(StandardCharsets.UTF_8);
                TokenizerJson json = TokenizerJson.read(file, "small", VOCABULARY);
                assertThat(json.plainBytePairs()).isTrue();
                BytePairs ours = new BytePairs(
                        json.words(),
                        json.merges(),
                        json.added(),
                        new BytePairs.Variant(json.prefixesBlank(), json.wholeWords()),
                        json,
                        "small",
                        VOCABULARY);
                try (HuggingFaceTokens library = HuggingFaceTokens.load(file, json, "small", VOCABULARY)) {
                    for (int i = 0; i < 1000; i++) {
                        StringBuilder text = new StringBuilder();
                        for (int n = random.nextInt(12); n > 0; n--) {
                            text.append(parts[random.nextInt(parts.length)]);
                        }
                        assertThat(ours.encode(text.toString()))
                                .as(text.toString())
                                .isEqualTo(library.encode(text.toString()));
                    }
                }
            }
        }
    }
}
