package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.inverse.Inference;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.safetensors.DType;
import dev.greenfield.testing.Errors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code infer} writes, put back into a run. */
class InferCommandTest {
    private static final String PROMPT = "<|endoftext|> The capital of Korea is";
    private static final String CORRUPT = "<|endoftext|> The capital of Norway is";
    private static final Observable F = Observable.logitDifference("Seoul", "Oslo");

    @TempDir
    private Path temporary;

    private static String[] infer(Path out, String... more) {
        return Cli.with(
                new String[] {
                    "infer",
                    "--prompt",
                    PROMPT,
                    "--answer",
                    "Seoul",
                    "--foil",
                    "Oslo",
                    "--threads",
                    "1",
                    "--out",
                    out.toString()
                },
                more);
    }

    private static Model demo() throws IOException {
        return Greenfield.load("demo", Options.defaults().threads(1));
    }

    /** The source that a result directory holds. */
    private static Source source(Path out) throws IOException {
        JsonNode sites = Cli.result(out).path("results").path("sites");
        double[] rows = Cli.tensor(out, "source", DType.F32, sites.size(), 128);
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        for (int i = 0; i < sites.size(); i++) {
            vectors.put(
                    Site.of(sites.get(i).get(0).asInt(), sites.get(i).get(1).asInt()),
                    Arrays.copyOfRange(rows, i * 128, (i + 1) * 128));
        }
        return Source.of(vectors);
    }

    @Test
    void aWrittenSourceChangesWhatItSays() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(infer(out, "--target-change", "-20%", "--sites", "2", "--among", "0-2:4-5"));
        JsonNode results = Cli.result(out).path("results");
        double clean = results.path("logit_difference").asDouble();
        assertThat(results.path("method").asText()).isEqualTo("sparse");
        assertThat(results.path("end").asText()).isEqualTo("reached");
        assertThat(results.path("wanted_change").asDouble()).isCloseTo(-0.2 * clean, within(1e-6));
        assertThat(results.path("sites")).hasSize(2);
        assertThat(results.path("steps").size()).isBetween(1, 12);
        Source source = source(out);
        assertThat(source.vectors().keySet()).allMatch(site -> site.depth() <= 2 && site.token() >= 4);
        try (Model model = demo()) {
            Run run = model.run(PROMPT);
            double achieved = run.effects(List.of(source), F)[0];
            assertThat(results.path("achieved_change").asDouble())
                    .isCloseTo(achieved, within(1e-4))
                    .isCloseTo(-0.2 * clean, within(2e-4 * clean));
            assertThat(results.path("predicted_change").asDouble())
                    .isCloseTo(run.sensitivity(F).predict(source), within(1e-4));
        }
        double[] norms = Cli.tensor(out, "source.norm", DType.F32, 5, 6);
        assertThat(Arrays.stream(norms).filter(x -> x > 0).count()).isEqualTo(2);
        assertThat(cli.out()).contains("change of F wanted", "achieved", "the tolerance is reached");
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("Length of the source at each site", "Change of F along the source", "Convergence");
    }

    @Test
    void theStreamBecomesTheCorruptPrompts() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(infer(out, "--corrupt", CORRUPT, "--targets", "3:5", "--lambda", "1e-5"));
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("method").asText()).isEqualTo("ridge");
        assertThat(results.path("lambda").asDouble()).isEqualTo(1e-5);
        assertThat(results.path("misfit").asDouble()).isLessThan(0.01);
        try (Model model = demo()) {
            Run run = model.run(PROMPT);
            double[] wanted = model.run(CORRUPT).field().minus(run.field()).vector(3, 5);
            assertThat(Errors.relative(Cli.tensor(out, "displacement.wanted", DType.F32, 128), wanted))
                    .isLessThan(1e-5);
            double[] moved = run.with(source(out)).field().minus(run.field()).vector(3, 5);
            assertThat(Errors.relative(Cli.tensor(out, "displacement.achieved", DType.F32, 128), moved))
                    .isLessThan(1e-3);
            assertThat(Errors.relative(moved, wanted)).isLessThan(0.03);
            assertThat(results.path("achieved_change_of_f").asDouble())
                    .isCloseTo(run.effects(List.of(source(out)), F)[0], within(1e-3));
        }
        assertThat(results.path("wanted_change_of_f").asDouble())
                .isCloseTo(
                        results.path("logit_difference_corrupt").asDouble()
                                - results.path("logit_difference").asDouble(),
                        within(1e-9));
    }

    @Test
    void oneStepIsTheFirstOrderSource() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(infer(out, "--target-change", "2", "--steps", "1"));
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("method").asText()).isEqualTo("least-norm");
        assertThat(results.path("predicted_change").asDouble()).isCloseTo(2, within(1e-6));
        assertThat(results.path("steps")).hasSize(1);
        assertThat(results.path("end").asText()).isEqualTo("steps");
        try (Model model = demo()) {
            Run run = model.run(PROMPT);
            Inference found = run.infer().change(F, 2).steps(1).solve();
            assertThat(found.achieved()[0])
                    .isCloseTo(results.path("achieved_change").asDouble(), within(1e-4));
            assertThat(source(out).norm()).isCloseTo(found.source().norm(), within(1e-5));
        }
    }
}
