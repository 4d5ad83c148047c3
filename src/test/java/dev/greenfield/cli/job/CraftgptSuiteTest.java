package dev.greenfield.cli.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.testing.TestData;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The pairs of prompts for the chat model are what the guide says of them. */
class CraftgptSuiteTest {
    private static final String SUITE = "docs/examples/craftgpt-suite.json";
    private static final double PREFERENCE = 2;

    private static Model model() throws IOException {
        return Greenfield.load(TestData.model("craftgpt"), Options.defaults().backend("cpu"));
    }

    private static JsonNode entries() throws IOException {
        return Json.parse(Files.readAllBytes(Path.of(SUITE)), SUITE);
    }

    /** Needs no model. */
    @Test
    void onePlaceOfEqualPromptsDiffers() throws IOException {
        Set<List<Integer>> seen = new HashSet<>();
        for (Suite.Item entry : Suite.read(SUITE).entries()) {
            int[] clean = entry.ids();
            int[] corrupt = entry.other().corruptIds();
            assertThat(clean).hasSizeBetween(8, 16).hasSameSizeAs(corrupt);
            int[] places = IntStream.range(0, clean.length)
                    .filter(t -> clean[t] != corrupt[t])
                    .toArray();
            JsonNode json = entries().get(entry.number() - 1);
            assertThat(places).containsExactly(json.path("differs_at_token").intValue());
            boolean copied = entry.other().answer().equals("#" + clean[places[0]])
                    && entry.other().foil().equals("#" + corrupt[places[0]]);
            assertThat(json.path("task").textValue()).isEqualTo(copied ? "copying" : "association");
            assertThat(seen.add(Arrays.stream(clean).boxed().toList()))
                    .as("entry %d is new", entry.number())
                    .isTrue();
        }
        assertThat(seen).hasSize(24);
    }

    @Test
    void textsAreThoseOfTheTokens() throws IOException {
        try (Model model = model()) {
            for (JsonNode json : entries()) {
                assertThat(text(model, json.path("tokens")))
                        .isEqualTo(json.path("text").textValue());
                assertThat(text(model, json.path("corrupt_tokens")))
                        .isEqualTo(json.path("corrupt_text").textValue());
                for (String key : List.of("answer", "foil")) {
                    int token = model.tokenizer().single(json.path(key).textValue());
                    assertThat(model.tokenizer().text(token).strip())
                            .isEqualTo(json.path(key + "_text").textValue());
                }
            }
        }
    }

    private static String text(Model model, JsonNode tokens) {
        StringBuilder text = new StringBuilder();
        tokens.forEach(token -> text.append(model.tokenizer().text(token.intValue())));
        return text.toString().strip();
    }

    @Test
    void theModelPrefersTheAnswerAndTheFoilAfterTheOtherPrompt() throws IOException {
        Suite suite = Suite.read(SUITE);
        try (Model model = model()) {
            for (SuitePrompt prompt : suite.prompts(model)) {
                Suite.Other other = suite.entries().get(prompt.number() - 1).other();
                SuitePair pair = SuitePair.of(prompt, other, model, true);
                try (Run clean = model.run(prompt.tokens());
                        Run corrupt = model.run(pair.corrupt())) {
                    double before = clean.value(pair.observable());
                    double after = corrupt.value(pair.observable());
                    assertThat(before).as(prompt.shown()).isGreaterThan(PREFERENCE);
                    assertThat(after).as(prompt.shown()).isLessThan(-PREFERENCE);
                    assertThat(best(clean)).isEqualTo(model.tokenizer().single(other.answer()));
                    assertThat(best(corrupt)).isEqualTo(model.tokenizer().single(other.foil()));
                    // The only token that differs, patched at depth 0, makes the one prompt the other.
                    int differs = Arrays.mismatch(prompt.tokens(), pair.corrupt());
                    assertThat(clean.patchSweep(corrupt, pair.observable()).measured()[0][differs])
                            .as(prompt.shown())
                            .isCloseTo(after - before, within(1e-3));
                }
            }
        }
    }

    /** The token that is most probable at the end of a prompt. */
    private static int best(Run run) {
        double[] logits = run.logits(run.tokens().length - 1);
        return IntStream.range(0, logits.length)
                .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                .orElseThrow();
    }
}
