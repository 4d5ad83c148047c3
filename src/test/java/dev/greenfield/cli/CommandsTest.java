package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.safetensors.DType;
import dev.greenfield.testing.Errors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command's files and texts against what the library itself computes. */
class CommandsTest {
    private static final String PROMPT = "<|endoftext|> The capital of Korea is";
    private static final String CORRUPT = "<|endoftext|> The capital of Norway is";

    @TempDir
    private Path temporary;

    private static String[] demo(String command, String... more) {
        return Cli.with(
                new String[] {command, "--prompt", PROMPT, "--answer", "Seoul", "--foil", "Oslo", "--threads", "1"},
                more);
    }

    @Test
    void saysWhereAnswerAndFoilStandAndThatABlankMatters() {
        String[] gpt2 = {
            "sensitivity", "--model", "random:1,1,4,50257,8", "--prompt", "In", "--backend", "cpu", "--quiet"
        };
        Cli alone = Cli.done(Cli.with(gpt2, "--answer", "Paris", "--foil", " Rome"));
        assertThat(alone.out())
                .containsPattern(
                        "ranks     answer Paris [0-9]+ of 50257, probability [0-9.e-]+; foil \u00b7Rome [0-9]+ of 50257");
        assertThat(alone.err())
                .containsPattern(
                        "--answer \"Paris\" and \" Paris\" with a blank in front are both one token: the first has rank Paris"
                                + " [0-9]+ of 50257.*the second \u00b7Paris [0-9]+ of 50257");
        assertThat(Cli.done(Cli.with(gpt2, "--answer", " Paris")).err()).isEmpty();
        assertThat(Cli.done(Cli.with(gpt2, "--answer", "#6342")).err()).isEmpty();
    }

    @Test
    void fieldWritesTheRunItself() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done("field", "--prompt", PROMPT, "--threads", "1", "--out", out.toString());
        try (Model model = Greenfield.load("demo", Options.defaults().threads(1))) {
            Run run = model.run(PROMPT);
            assertThat(Errors.relative(
                            Cli.tensor(out, "field", DType.F32, 5, 6, 128),
                            run.field().toArray()))
                    .isLessThan(1e-5);
            assertThat(Errors.relative(Cli.tensor(out, "logits", DType.F32, 6, 291), run.logits()))
                    .isLessThan(1e-5);
        }
        JsonNode result = Cli.result(out);
        assertThat(fields(result))
                .containsExactly(
                        "command",
                        "schema_version",
                        "created",
                        "model",
                        "prompt",
                        "tokens",
                        "token_text",
                        "observable",
                        "answer",
                        "foil",
                        "options",
                        "bos",
                        "backend",
                        "device",
                        "precision",
                        "weights",
                        "seed",
                        "version",
                        "timings",
                        "results");
        assertThat(result.path("command").asText()).isEqualTo("field");
        assertThat(result.path("model").path("path").asText()).isEqualTo("demo");
        try (ModelSource source = ModelSource.open("demo")) {
            assertThat(result.path("model").path("sha256").asText()).isEqualTo(source.sha256());
        }
        assertThat(result.path("tokens").get(4).asInt()).isEqualTo(78);
        assertThat(result.path("token_text").get(4).asText()).isEqualTo("Korea");
        assertThat(result.path("observable").isNull()).isTrue();
        assertThat(result.path("backend").asText()).isEqualTo("cpu");
        assertThat(result.path("precision").asText()).isEqualTo("fp32");
        assertThat(result.path("version").asText()).isEqualTo(Greenfield.version());
        assertThat(result.path("timings").path("run").isNumber()).isTrue();
        assertThat(result.path("results").has("logit_difference")).isFalse();
        assertThat(result.path("results")
                        .path("predictions")
                        .get(0)
                        .path("text")
                        .asText())
                .isEqualTo("Seoul");
        assertThat(Cli.list(out)).containsExactly("report.html", "result.json", "tensors.safetensors");
        assertThat(cli.out()).contains("4 Korea", "Seoul 1.000", "|R|");
        assertThat(cli.err()).contains("backend cpu");
    }

    @Test
    void sensitivityAgreesWithTheLibrary() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(demo("sensitivity", "--out", out.toString(), "--quiet"));
        assertThat(cli.err()).isEmpty();
        assertThat(cli.out()).contains("logit(Seoul) - logit(Oslo)", "most sensitive sites", "4 Korea");
        try (Model model = Greenfield.load("demo", Options.defaults().threads(1))) {
            Run run = model.run(PROMPT);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            assertThat(Errors.relative(
                            Cli.tensor(out, "sensitivity", DType.F32, 5, 6, 128),
                            run.sensitivity(f).field().toArray()))
                    .isLessThan(1e-4);
            assertThat(Errors.relative(
                            Cli.tensor(out, "sensitivity.norm", DType.F32, 5, 6),
                            Errors.flat(run.sensitivity(f).norms())))
                    .isLessThan(1e-4);
            Cli.tensor(out, "field", DType.F32, 5, 6, 128);
            Cli.tensor(out, "logits", DType.F32, 6, 291);
            assertThat(Cli.result(out).path("results").path("logit_difference").asDouble())
                    .isCloseTo(run.value(f), within(1e-3));
        }
        assertThat(Cli.result(out).path("observable").asText()).isEqualTo("logit(Seoul) - logit(Oslo)");
        assertThat(Files.readString(out.resolve("report.html"))).contains("Norm of the sensitivity", "Korea");
    }

    @Test
    void anAnswerAloneIsItsLogit() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done("sensitivity", "--prompt", PROMPT, "--answer", "#116", "--position", "5", "--out", out.toString());
        JsonNode result = Cli.result(out);
        assertThat(result.path("observable").asText()).isEqualTo("logit(#116) at token 5");
        assertThat(result.path("results").path("logit").asDouble()).isBetween(19.0, 21.0);
        assertThat(result.path("results").has("logit_difference")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"noise", "denoise"})
    void patchAgreesWithTheLibraryBothWays(String direction) throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(demo(
                "patch",
                "--corrupt",
                CORRUPT,
                "--direction",
                direction,
                "--out",
                out.toString(),
                "--backend",
                "reference"));
        try (Model model = Greenfield.load("demo", Options.defaults().backend("reference"))) {
            Run own = model.run(PROMPT);
            Run corrupt = model.run(CORRUPT);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            PatchSweep sweep = direction.equals("noise")
                    ? own.withSecondOrder(own.patchSweep(corrupt, f))
                    : corrupt.withSecondOrder(corrupt.patchSweep(own, f));
            assertThat(Cli.tensor(out, "patch.measured", DType.F64, 5, 6))
                    .containsExactly(Errors.flat(sweep.measured()));
            assertThat(Cli.tensor(out, "patch.predicted", DType.F64, 5, 6))
                    .containsExactly(Errors.flat(sweep.predicted()));
            assertThat(Cli.tensor(out, "patch.second_order", DType.F64, 5, 6))
                    .containsExactly(Errors.flat(sweep.secondOrder()));
            JsonNode results = Cli.result(out).path("results");
            assertThat(results.path("correlation_second_order").asDouble())
                    .isEqualTo(Agreement.of(sweep.measured(), sweep.secondOrder(), 0)
                            .correlation()
                            .value())
                    .isNotEqualTo(results.path("correlation").asDouble());
            assertThat(results.path("logit_difference").asDouble()).isEqualTo(own.value(f));
            assertThat(results.path("logit_difference_corrupt").asDouble()).isEqualTo(corrupt.value(f));
            assertThat(results.path("full_change").asDouble()).isEqualTo(sweep.donorValue() - sweep.value());
        }
        assertThat(Cli.result(out).path("precision").asText()).isEqualTo("fp64");
    }

    @Test
    void patchTakesTokens() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(
                "patch",
                "--model",
                Cli.SMALL,
                "--tokens",
                "1, 2,3",
                "--corrupt-tokens",
                "1,5,3",
                "--answer",
                "#7",
                "--foil",
                "#8",
                "--out",
                out.toString());
        double[] measured = Cli.tensor(out, "patch.measured", DType.F32, 3, 3);
        assertThat(measured[0]).isZero();
        assertThat(measured[1]).isNotZero();
    }

    @Test
    void greenIsTheOperatorOrItsLeadingPart() throws IOException {
        Path full = temporary.resolve("full");
        Path part = temporary.resolve("part");
        String[] common = {
            "green",
            "--model",
            Cli.SMALL,
            "--tokens",
            "3,1,4,1",
            "--depth",
            "0",
            "--token",
            "1",
            "--backend",
            "reference"
        };
        Cli.done(Cli.with(common, "--out", full.toString(), "--to-depth", "1"));
        Cli cli = Cli.done(Cli.with(common, "--out", part.toString(), "--rank", "3", "--seed", "5"));
        assertThat(cli.out()).contains("singular value", "rank-3 part of the operator");
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 1, 4, 1);
            double[] green = Cli.tensor(full, "green", DType.F64, 4, 16, 16);
            assertThat(green).containsExactly(run.green(Site.of(0, 1)).to(1).materialize());
            assertThat(green).startsWith(new double[16 * 16]);
            LowRank expected = run.green(Site.of(0, 1)).to(2).svd(3, 5);
            assertThat(Cli.tensor(part, "green.u", DType.F64, 64, 3)).containsExactly(expected.u());
            assertThat(Cli.tensor(part, "green.s", DType.F64, 3)).containsExactly(expected.s());
            assertThat(Cli.tensor(part, "green.v", DType.F64, 16, 3)).containsExactly(expected.v());
            JsonNode results = Cli.result(part).path("results");
            assertThat(results.path("energy").asDouble()).isEqualTo(expected.energy());
            assertThat(results.path("energy_standard_error").asDouble()).isEqualTo(expected.energyError());
            assertThat(results.path("squared_frobenius").asDouble()).isEqualTo(expected.squaredFrobenius());
            assertThat(results.path("energy_curve")).hasSize(3);
        }
        assertThat(Cli.result(part).path("seed").asLong()).isEqualTo(5);
        assertThat(Cli.result(full).path("results").path("to_depth").asInt()).isEqualTo(1);
    }

    @Test
    void mapIsTheLibrarysResponseMap() throws IOException {
        Path exact = temporary.resolve("exact");
        Path estimate = temporary.resolve("estimate");
        Path part = temporary.resolve("part");
        String[] common = {"map", "--model", Cli.SMALL, "--tokens", "3,1,4,1", "--backend", "reference"};
        Cli cli = Cli.done(Cli.with(common, "--exact", "--out", exact.toString()));
        assertThat(cli.out()).contains("from each site to the whole last depth", "sites of largest response");
        Cli.done(Cli.with(
                common,
                "--probes",
                "5",
                "--seed",
                "3",
                "--answer",
                "#2",
                "--half-depths",
                "--out",
                estimate.toString()));
        Cli.done(Cli.with(
                common,
                "--exact",
                "--sites",
                "0:1-2,1:*",
                "--targets",
                "2:3",
                "--mode",
                "adjoint",
                "--out",
                part.toString()));
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 1, 4, 1);
            double[] norms = run.responseMap().exact().compute().frobenius();
            assertThat(Cli.tensor(exact, "map.frobenius", DType.F64, 3, 4, 3, 4))
                    .containsExactly(norms);
            ResponseMap map = run.responseMap().probes(5).seed(3).halfDepths().compute();
            assertThat(Cli.tensor(estimate, "map.frobenius", DType.F64, 5, 4, 5, 4))
                    .containsExactly(map.frobenius());
            assertThat(Cli.tensor(estimate, "map.stderr", DType.F64, 5, 4, 5, 4))
                    .containsExactly(map.standardErrors());
            double[] gain = Cli.tensor(estimate, "map.gain", DType.F64, 5, 4);
            SensitivityField sensitivity = run.sensitivity(Observable.logit("#2"));
            for (int level = 0; level < 5; level++) {
                double[] row = (level % 2 == 0 ? sensitivity.field() : sensitivity.middleField()).norms()[level / 2];
                assertThat(Arrays.copyOfRange(gain, 4 * level, 4 * level + 4)).containsExactly(row);
            }
            double[] some = Cli.tensor(part, "map.frobenius", DType.F64, 3, 4, 3, 4);
            int asked = 0;
            for (int i = 0; i < some.length; i++) {
                int source = i / 12;
                boolean wanted = (source == 1 || source == 2 || source / 4 == 1) && i % 12 == 11;
                assertThat(Double.isNaN(some[i])).isEqualTo(!wanted);
                if (wanted) {
                    assertThat(some[i]).isCloseTo(norms[i], within(1e-12 * (1 + norms[i])));
                    asked++;
                }
            }
            assertThat(asked).isEqualTo(6);
        }
        JsonNode results = Cli.result(estimate).path("results");
        assertThat(results.path("probes").asInt()).isEqualTo(5);
        assertThat(results.path("exact").asBoolean()).isFalse();
        assertThat(results.path("half_depths").asBoolean()).isTrue();
        assertThat(Cli.list(estimate)).containsExactly("report.html", "result.json", "tensors.safetensors");
    }

    @Test
    void exportWritesAModelThatLoads() throws IOException {
        Path out = temporary.resolve("some/where");
        Cli cli = Cli.done("export", "--model", Cli.SMALL, "--out", out.toString());
        assertThat(cli.out()).contains("written to");
        assertThat(Cli.list(out)).containsExactly("config.json", "model.safetensors");
        assertThat(Cli.list(out.getParent())).containsExactly("where");
        Path a = temporary.resolve("a");
        Path b = temporary.resolve("b");
        Cli.done("field", "--model", Cli.SMALL, "--tokens", "1,2", "--out", a.toString());
        Cli.done("field", "--model", out.toString(), "--tokens", "1,2", "--out", b.toString());
        assertThat(Cli.result(a).path("model").path("sha256"))
                .isEqualTo(Cli.result(b).path("model").path("sha256"));
        assertThat(Cli.tensor(a, "field", DType.F32, 3, 2, 16))
                .containsExactly(Cli.tensor(b, "field", DType.F32, 3, 2, 16));
    }

    @Test
    void demoTellsItsStoryIntoADirectory() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done("demo", "--out", out.toString());
        assertThat(Cli.list(out)).containsExactly("report.html", "result.json", "tensors.safetensors");
        assertThat(cli.out()).contains("Bulgarian", "measured change of F", "correlation", "energy", "report.html");
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("logit_difference").asDouble()).isBetween(10.0, 12.0);
        assertThat(results.path("correlation").asDouble()).isGreaterThan(0.99);
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("figure-5-data", "captured by rank k", "<meta charset=\"utf-8\">");
    }

    @Test
    void demoOfATinyVocabularySaysWhereFIsRead() throws IOException {
        Path model = temporary.resolve("model");
        Path out = temporary.resolve("out");
        Cli.done("export", "--model", "random:2,2,16,2,8,seed=1", "--out", model.toString());
        Files.writeString(model.resolve("tokenizer.json"), """
                {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
                 "post_processor": null, "decoder": null,
                 "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}}
                """);
        String[] story = {
            "demo",
            "--model",
            model.toString(),
            "--prompt",
            "a b a",
            "--corrupt",
            "b b a",
            "--answer",
            "a",
            "--foil",
            "b"
        };
        Cli.done(Cli.with(story, "--position", "1", "--out", out.toString()));
        assertThat(Files.readString(out.resolve("report.html"))).contains("read after token 1 of the prompt");
        Cli.done(Cli.with(story, "--out", out.toString()));
        assertThat(Files.readString(out.resolve("report.html"))).contains("read after the last token");
    }

    @Test
    void theLogitsOfOnePositionAreThoseOfAll() throws IOException {
        for (String backend : List.of("cpu", "reference")) {
            try (Model model = Greenfield.load("demo", Options.defaults().backend(backend))) {
                Run run = model.run(PROMPT);
                double[] all = run.logits();
                int vocabulary = model.config().vocabulary();
                for (int t = 0; t < run.tokens().length; t++) {
                    double[] slice = Arrays.copyOfRange(all, t * vocabulary, (t + 1) * vocabulary);
                    assertThat(Errors.relative(run.logits(t), slice)).isLessThan(1e-6);
                }
                assertThatThrownBy(() -> run.logits(-1)).isInstanceOf(InputException.class);
                assertThatThrownBy(() -> run.logits(6))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("0 to 5");
            }
        }
    }

    @Test
    void doctorAndHelpAndVersion() {
        assertThat(Cli.done("doctor").out())
                .contains("java", "processors", "reference: yes", "cpu: ", "cuda: ", "tokenizer.json");
        assertThat(Cli.done("doctor").out()).doesNotContain("greenfield.cuda.chunk");
        assertThat(Cli.done("doctor", "--verbose").out())
                .contains("-Dgreenfield.cuda.chunk=4096 ", "-Dgreenfield.cuda.weights=auto ");
        assertThat(Cli.done("--version").out()).isEqualTo("greenfield " + Greenfield.version() + "\n");
        assertThat(Cli.done("field", "--version").out()).startsWith("greenfield ");
        String help = Cli.done("--help").out();
        for (String command :
                List.of("field", "sensitivity", "patch", "green", "map", "merge", "export", "doctor", "demo")) {
            assertThat(help).contains("  " + command + " ");
            String own = Cli.done(command, "--help").out();
            assertThat(own)
                    .startsWith("Usage: java -jar greenfield.jar " + command)
                    .contains("--version", "Examples:");
            assertThat(Cli.done("help", command).out()).isEqualTo(own);
        }
        assertThat(Cli.done("patch", "--help").out()).contains("--corrupt", "--direction", "denoise", "--memory");
    }

    private static List<String> fields(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
