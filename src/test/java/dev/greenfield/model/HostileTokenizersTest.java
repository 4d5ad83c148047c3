package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that end the published library end a process of it, never this one. */
class HostileTokenizersTest {
    private static final String SPLIT =
            "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"REGEX\"}, \"behavior\": \"Isolated\","
                    + " \"invert\": false}";

    @TempDir
    Path folder;

    private Tokenizer open(String json) throws IOException {
        new ModelDirectory(folder)
                .config("\"vocab_size\": 5", "\"vocab_size\": 300")
                .tensor("wte.weight", dev.greenfield.safetensors.DType.F32, 300, 4)
                .whole()
                .file("tokenizer.json", json)
                .file("tokenizer_config.json", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
        return ModelSource.open(folder).tokenizer();
    }

    private static String small(String part, String by) {
        String json = SmallTokenizer.json(false, "");
        assertThat(json).contains(part);
        return json.replace(part, by);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PARENTHESES", "NUMBER", "SURROGATE", "CHARSMAP", "PREFIX", "BRACES", "NESTED"})
    void areRefused(String kind) {
        String level = "\"pre_tokenizer\": {\"type\": \"ByteLevel\"";
        String json = switch (kind) {
            case "PARENTHESES" ->
                small(
                        "\"normalizer\": null",
                        "\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": \"" + "(".repeat(2000)
                                + ")".repeat(2000) + "\"}, \"content\": \"\"}");
            case "NUMBER" ->
                small("\"trim_offsets\": true, \"use_regex\": true", "\"trim_offsets\": 1e400, \"use_regex\": false");
            case "SURROGATE" ->
                small("\"normalizer\": null", "\"normalizer\": {\"type\": \"Prepend\", \"prepend\": \"\\ud800\"}");
            case "CHARSMAP" ->
                small(
                        "\"normalizer\": null",
                        "\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"////fwAA\"}");
            case "PREFIX" ->
                small(
                        "\"continuing_subword_prefix\": \"\"",
                        "\"continuing_subword_prefix\": \"\u00e9\u00e9\u00e9\u00e9\"");
            case "BRACES" -> small(level, "\"x\": " + "[".repeat(900) + "]".repeat(900) + ", " + level);
            default -> small(level, "\"x\": " + "[".repeat(100_000) + "]".repeat(100_000) + ", " + level);
        };
        if (kind.equals("BRACES")) {
            assertThat(json).isNotEmpty(); // what nobody reads may be nested as deep as JSON is read
        } else {
            assertThatThrownBy(() -> open(json).encode("a Paris")).isInstanceOf(InputException.class);
        }
    }

    @Test
    void anotherTokenizerGoesOnWhereOneEndedTheLibrary() throws IOException {
        String split = small("\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}");
        try (Tokenizer good = open(split)) {
            int[] before = good.encode("IN Paris");
            assertThat(before).startsWith('i', 'n');
            for (int i = 0; i < 3; i++) {
                TokenizerProcess process = TokenizerProcess.get();
                process.kill();
                assertThat(good.encode("IN Paris")).isEqualTo(before);
            }
        }
    }

    /** Bytes and parts of files changed at random: each is read or refused. The long run is TokenizerCampaign's. */
    @Test
    void mutantsAreReadOrRefused() throws IOException {
        assertThat(TokenizerMutants.run(200, new Random(5))[0]).isEqualTo(200);
    }
}
