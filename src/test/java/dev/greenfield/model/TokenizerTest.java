package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tokenizers that need no library: the demo's words, GPT-2's pieces, lists of tokens, bare ids. */
class TokenizerTest {
    @TempDir
    Path folder;

    private static void refused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    @Test
    void theDemoReadsItsWords() throws IOException {
        try (ModelSource demo = ModelSource.open("demo")) {
            Tokenizer words = demo.tokenizer();
            assertThat(words).isSameAs(demo.tokenizer());
            assertThat(words.canEncode()).isTrue();
            assertThat(words.encode("<|endoftext|> The capital of Korea is"))
                    .containsExactly(0, 130, 166, 238, 78, 204);
            assertThat(words.encode("<|endoftext|>The")).containsExactly(0, 130);
            assertThat(words.encode("  The\t \nThe ")).containsExactly(130, 130);
            assertThat(words.encode("")).isEmpty();
            assertThat(words.text(78)).isEqualTo("Korea");
            assertThat(words.single("Korea")).isEqualTo(78);
            assertThat(words.single(" Korea")).isEqualTo(78);
            assertThat(words.single("#290")).isEqualTo(290);
            assertThat(words.single("#00007")).isEqualTo(7);
            assertThat(words.single("<|endoftext|>")).isZero();
        }
    }

    @Test
    void theDemoNamesWhatItDoesNotKnow() throws IOException {
        try (ModelSource demo = ModelSource.open("demo")) {
            Tokenizer words = demo.tokenizer();
            refused(
                    () -> words.encode("The capital of Atlantis is"),
                    "found the word \"Atlantis\"",
                    "demo:tokenizer.json");
            refused(() -> words.single("Atlantis"), "Atlantis");
            refused(
                    () -> words.single("The capital"),
                    "2 tokens (\"The\" #130, \"capital\" #166)",
                    "exactly one token");
            refused(() -> words.single(""), "no token");
            refused(() -> words.single("#291"), "token #291", "0 to 290");
            refused(() -> words.single("#99999999999999999999"), "0 to 290");
            refused(() -> words.single("#"), "\"#\"");
            refused(() -> words.text(291), "token id 291", "0 to 290");
            refused(() -> words.text(-1), "token id -1");
            refused(() -> words.encode("The \ud83d end"), "half of a surrogate pair at character 4");
            refused(() -> words.encode("The a\u0007"), "a\\u0007");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"copying", "two_hop", "indirect_object"})
    void theDemoAgreesWithTheGoldenTokens(String task) throws IOException {
        int[] ids;
        try (Safetensors file = Safetensors.open(TestData.golden("facts-4l." + task))) {
            String[] parts =
                    file.metadata().get("tokens").replaceAll("[\\[\\] ]", "").split(",", -1);
            ids = Arrays.stream(parts).mapToInt(Integer::parseInt).toArray();
        }
        boolean found = false;
        try (ModelSource demo = ModelSource.open("demo")) {
            for (JsonNode pair : TestData.facts()) {
                found |=
                        Arrays.equals(demo.tokenizer().encode(pair.path("clean").asText()), ids);
                assertThat(demo.tokenizer().single(pair.path("answer").asText()))
                        .isPositive();
            }
        }
        assertThat(found).as("a prompt has the golden tokens").isTrue();
    }

    @Test
    void gpt2sPiecesAreBuiltIn() throws IOException {
        try (ModelSource source = ModelSource.open("random:1,1,1,50257,8")) {
            Tokenizer pieces = source.tokenizer();
            assertThat(pieces.encode("The capital of France is")).containsExactly(464, 3139, 286, 4881, 318);
            assertThat(pieces.single(" Paris")).isEqualTo(6342);
            assertThat(pieces.text(6342)).isEqualTo(" Paris");
            assertThat(pieces.encode("<|endoftext|> a<|endoftext|>")).containsExactly(50256, 257, 50256);
            assertThat(pieces.single("<|endoftext|>")).isEqualTo(50256);
            assertThat(pieces.text(50256)).isEqualTo("<|endoftext|>");
            assertThat(pieces.text(447)).isEqualTo("\\xE2\\x80");
            assertThat(IntStream.range(0, 50257).mapToObj(pieces::text)).doesNotContainNull();
            refused(() -> pieces.single("Timbuktu"), "tokens (", "exactly one token");
            refused(() -> pieces.single("Korea"), "\" Korea\" with a blank in front is one");
            refused(() -> pieces.text(50257), "0 to 50256");
        }
    }

    @Test
    void listedTokensAreNamesOnly() throws IOException {
        new ModelDirectory(folder).whole().file("tokens.json", "[\" a\", \"b\", \"b\", \" is\"]");
        try (ModelSource source = ModelSource.open(folder)) {
            Tokenizer list = source.tokenizer();
            assertThat(list.canEncode()).isFalse();
            assertThat(list.text(3)).isEqualTo(" is");
            assertThat(list.text(4)).as("vocabularies are padded").isEqualTo("#4");
            assertThat(list.single(" is")).isEqualTo(3);
            assertThat(list.single("is")).isEqualTo(3);
            assertThat(list.single("#4")).isEqualTo(4);
            refused(() -> list.single("b"), "several tokens", "#1, #2");
            refused(() -> list.single("c"), "\"c\" is not in tokens.json");
            refused(() -> list.single("#5"), "0 to 4");
            refused(() -> list.encode("a is"), "use token ids");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[1]", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]", "[\"a\""})
    void badListsAreRefused(String json) throws IOException {
        new ModelDirectory(folder).whole().file("tokens.json", json);
        try (ModelSource source = ModelSource.open(folder)) {
            refused(source::tokenizer, "tokens.json");
        }
    }

    @Test
    void withNothingThereAreOnlyIds() throws IOException {
        try (ModelSource source = ModelSource.open("random:1,1,1,9,8")) {
            Tokenizer none = source.tokenizer();
            assertThat(none.canEncode()).isFalse();
            assertThat(none.text(8)).isEqualTo("#8");
            assertThat(none.single("#8")).isEqualTo(8);
            refused(() -> none.single("a"), "\"a\"", "#123");
            refused(() -> none.encode("a"), "use token ids");
            refused(() -> none.text(9), "0 to 8");
        }
    }

    @Test
    void aSortingModelHasAList() throws IOException {
        try (ModelSource sort = ModelSource.open(TestData.model("gpt-nano-sort"))) {
            assertThat(sort.tokenizer().single("C")).isEqualTo(2);
        }
    }

    @Test
    void aChatModelHasAList() throws IOException {
        try (ModelSource source = ModelSource.open(TestData.model("craftgpt"))) {
            assertThat(source.tokenizer().single("is")).isEqualTo(16);
            assertThat(source.tokenizer().text(16)).isEqualTo(" is");
            assertThat(source.tokenizer().text(1919)).isEqualTo("#1919");
            assertThat(source.config().activation()).isEqualTo(Activation.RELU);
            assertThat(source.parameter("lm_head.weight").name()).isEqualTo("lm_head.weight");
        }
    }
}
