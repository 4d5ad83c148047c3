package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.Interventions;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The predict command and patches of components, against the library. */
@Tag("slow")
class PredictCommandTest {
    private static final String SUITE = "docs/examples/suite.json";
    private static final String KOREA = "<|endoftext|> The capital of Korea is";
    private static final String NORWAY = "<|endoftext|> The capital of Norway is";

    @TempDir
    private Path temporary;

    @Test
    void resultsTensorsAndPageSayTheSame() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(
                "predict", "--suite", SUITE, "--limit", "3", "--backend", "reference", "--out", out.toString());
        assertThat(cli.out())
                .contains(
                        "5 prompts, 3 of them taken",
                        "resid: predicted",
                        "head: predicted",
                        "missed by more than 10 %");
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("prompts")).hasSize(3);
        assertThat(results.path("kinds")).hasSize(8);
        // 4 kinds have a donor and three methods, 4 have two.
        assertThat(results.path("rows")).hasSize(4 * (4 * 3 + 4 * 2));
        Set<String> seen = new HashSet<>();
        for (JsonNode row : results.path("rows")) {
            String name =
                    row.path("kind").asText() + "." + row.path("component").asText();
            seen.add(name + "." + row.path("method").asText());
            assertThat(row.path("interventions").asInt())
                    .isEqualTo(row.path("sites").asInt() + row.path("unchanged").asInt());
            int n = row.path("sites").asInt();
            double[] measured = Cli.tensor(out, "predict." + name + ".measured", DType.F64, n);
            double[] predicted =
                    Cli.tensor(out, "predict." + name + "." + row.path("method").asText(), DType.F64, n);
            double error = 0;
            double all = 0;
            for (int i = 0; i < n; i++) {
                error += Math.pow(predicted[i] - measured[i], 2);
                all += measured[i] * measured[i];
            }
            assertThat(row.at("/relative_error/value").asDouble()).isCloseTo(Math.sqrt(error / all), within(1e-9));
            assertThat(row.at("/pearson/low").asDouble())
                    .isLessThanOrEqualTo(row.at("/pearson/high").asDouble());
        }
        assertThat(seen).hasSize(results.path("rows").size());
        // What the guide says of patched heads: the path errs least over all, and ranks worst.
        double[] errors = heads(results, "/relative_error/value");
        assertThat(errors[2]).isLessThan(0.3 * errors[1]);
        assertThat(errors[1]).isLessThan(0.9 * errors[0]);
        double[] ranks = heads(results, "/spearman/value");
        assertThat(ranks[1]).isGreaterThan(0.98);
        assertThat(ranks[2]).isLessThan(ranks[0]);
        double[] sites = Cli.tensor(out, "predict.noise.head.sites", DType.F64, 3 * 4 * 7, 3);
        assertThat(sites[0]).isEqualTo(1);
        assertThat(sites[sites.length - 3]).isEqualTo(3);
        assertThat(sites[sites.length - 2]).isEqualTo(15);
        assertThat(sites[sites.length - 1]).isEqualTo(5);
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("Where predictions miss", "figure-6-data", "Share missed by the path-integrated prediction");
    }

    /** A number of patched heads by first order, second order and path. */
    private static double[] heads(JsonNode results, String pointer) {
        double[] values = new double[3];
        for (JsonNode row : results.path("rows")) {
            if (row.path("kind").asText().equals("noise")
                    && row.path("component").asText().equals("head")) {
                values[
                        List.of("first", "second", "path")
                                .indexOf(row.path("method").asText())] = row.at(pointer)
                        .asDouble();
            }
        }
        return values;
    }

    @Test
    void choicesAreKeptToAndOneSeedGivesOneResult() throws IOException {
        String[] args = {
            "predict",
            "--suite",
            SUITE,
            "--limit",
            "2",
            "--kinds",
            "random:0.5,zero",
            "--components",
            "mlp",
            "--methods",
            "first",
            "--threads",
            "1",
            "--seed",
            "4"
        };
        for (String name : new String[] {"one", "two"}) {
            Cli.done(Cli.with(args, "--out", temporary.resolve(name).toString()));
        }
        byte[] tensors = Files.readAllBytes(temporary.resolve("one/tensors.safetensors"));
        assertThat(Files.readAllBytes(temporary.resolve("two/tensors.safetensors")))
                .isEqualTo(tensors);
        JsonNode rows = Cli.result(temporary.resolve("one")).at("/results/rows");
        assertThat(rows).isEqualTo(Cli.result(temporary.resolve("two")).at("/results/rows"));
        assertThat(rows).hasSize(2);
        try (Safetensors file = Safetensors.open(temporary.resolve("one/tensors.safetensors"))) {
            assertThat(file.names())
                    .containsExactlyInAnyOrder(
                            "predict.random:0.5.mlp.sites",
                            "predict.random:0.5.mlp.measured",
                            "predict.random:0.5.mlp.first",
                            "predict.zero.mlp.sites",
                            "predict.zero.mlp.measured",
                            "predict.zero.mlp.first");
        }
    }

    @Test
    void promptsByThemselvesHaveNoIntervalAndNoPath() throws IOException {
        Path suite = Files.writeString(temporary.resolve("s.json"), "[{\"tokens\": [3, 1, 4], \"answer\": \"#1\"}]");
        Path out = temporary.resolve("out");
        String[] args = {"predict", "--model", Cli.SMALL, "--suite", suite.toString(), "--kinds", "zero"};
        Cli cli = Cli.done(Cli.with(args, "--components", "attn", "--out", out.toString()));
        assertThat(cli.out()).contains("path-integrated: says nothing about these kinds");
        JsonNode rows = Cli.result(out).at("/results/rows");
        assertThat(rows).hasSize(2);
        assertThat(rows.at("/0/pearson/value").isNumber()).isTrue();
        assertThat(rows.at("/0/pearson/low").isNull()).isTrue();
        assertThat(rows.at("/0/top_overlap/value").isNull())
                .as("three tokens have no more than five changes")
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({"attn, noise", "mlp, denoise", "head, denoise"})
    void patchesOfComponentsAreSources(String name, String direction) throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(
                "patch",
                "--prompt",
                KOREA,
                "--corrupt",
                NORWAY,
                "--answer",
                "Seoul",
                "--foil",
                "Oslo",
                "--component",
                name,
                "--direction",
                direction,
                "--backend",
                "reference",
                "--out",
                out.toString());
        Component component = Component.of(name);
        long[] shape = component == Component.HEAD ? new long[] {4, 4, 6} : new long[] {4, 6};
        double[] measured = Cli.tensor(out, "patch.measured", DType.F64, shape);
        double[] predicted = Cli.tensor(out, "patch.predicted", DType.F64, shape);
        double[] second = Cli.tensor(out, "patch.second_order", DType.F64, shape);
        try (Model model = Greenfield.load("demo", Options.defaults().backend("reference"))) {
            Run run = model.run(direction.equals("noise") ? KOREA : NORWAY);
            Run donor = model.run(direction.equals("noise") ? NORWAY : KOREA);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            Interventions patches = Interventions.patches(run.components(), donor.components(), component);
            double[] effects = run.effects(patches.sources(), f);
            double[] derivatives = run.secondOrder(patches.sources(), f).second();
            for (int i = 0; i < effects.length; i++) {
                assertThat(second[i]).isCloseTo(predicted[i] + derivatives[i] / 2, within(1e-9));
                assertThat(measured[i]).isCloseTo(effects[i], within(1e-9));
                assertThat(predicted[i])
                        .isCloseTo(run.sensitivity(f).predict(patches.sources().get(i)), within(1e-9));
            }
            assertThat(measured[0]).isZero();
        }
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("component").asText()).isEqualTo(name);
        assertThat(results.path("unchanged").asInt()).isEqualTo(component == Component.HEAD ? 96 - 28 : 24 - 7);
        assertThat(results.at("/largest/0").has("head")).isEqualTo(component == Component.HEAD);
        assertThat(cli.out()).contains("change nothing");
        assertThat(Files.readString(out.resolve("report.html"))).contains("figure-2-data");
    }
}
