package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.lattice.Observable;
import dev.greenfield.safetensors.DType;
import dev.greenfield.transfer.AmplitudeCurves;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import dev.greenfield.transfer.SiteReduction;
import dev.greenfield.transfer.SliceReduction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The transfer, reduce and scale commands write and print what the library finds. */
class TransferCommandsTest {
    private static final String[] PAIR = {
        "--model",
        Cli.SMALL,
        "--tokens",
        "3,1,4,1,5",
        "--corrupt-tokens",
        "3,1,7,1,5",
        "--answer",
        "#1",
        "--foil",
        "#2",
        "--backend",
        "reference"
    };

    @TempDir
    private Path temporary;

    private interface Check {
        void of(DisplacementTransfer transfer) throws IOException;
    }

    private static void library(Check check) throws IOException {
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            check.of(model.run(3, 1, 4, 1, 5).transfer(model.run(3, 1, 7, 1, 5), Observable.logitDifference(1, 2)));
        }
    }

    private static double[] flat(double[][] values) {
        return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
    }

    @Test
    void transferIsTheLibrarys() throws IOException {
        Path out = temporary.resolve("out");
        String[] more = {"--alpha=-1,0.5,1", "--top", "2", "--out", out.toString()};
        Cli cli = Cli.done(Cli.with(Cli.with(new String[] {"transfer"}, PAIR), more));
        assertThat(cli.out()).contains("achieved fraction of the full change by single sites, alpha = 1", "flips");
        JsonNode results = Cli.result(out).path("results");
        library(transfer -> {
            AmplitudeCurves curves = transfer.curves(new double[] {-1, 0.5, 1}, 2);
            assertThat(Cli.tensor(out, "transfer.alpha", DType.F64, 3)).containsExactly(-1, 0.5, 1);
            assertThat(Cli.tensor(out, "transfer.achieved", DType.F64, 3, 3, 5))
                    .containsExactly(flat(Arrays.stream(curves.sites())
                            .flatMap(Arrays::stream)
                            .toArray(double[][]::new)));
            assertThat(Cli.tensor(out, "transfer.slices", DType.F64, 3, 3)).containsExactly(flat(curves.slices()));
            assertThat(Cli.tensor(out, "transfer.columns", DType.F64, 3, 5)).containsExactly(flat(curves.columns()));
            assertThat(Cli.tensor(out, "transfer.top", DType.F64, 3, 2))
                    .containsExactly(flat(curves.top(Ranking.PREDICTED)));
            assertThat(Cli.tensor(out, "transfer.top.sensitivity", DType.F64, 3, 2))
                    .containsExactly(flat(curves.top(Ranking.SENSITIVITY)));
            assertThat(results.path("full_change").asDouble()).isEqualTo(transfer.fullChange());
            assertThat(results.path("top_sites").get(0).path("depth").asInt())
                    .isEqualTo(curves.leading(Ranking.PREDICTED).get(0).depth());
            int flips = 0;
            for (double[] row : curves.sites()[2]) {
                for (double achieved : row) {
                    flips += curves.flips(achieved) ? 1 : 0;
                }
            }
            assertThat(results.path("flips").path("sites").get(2)).hasSize(flips);
            assertThat(results.path("flips").path("slices").get(2))
                    .hasSize(transfer.flips(transfer.fullChange()) ? 3 : 0);
        });
        String page = Files.readString(out.resolve("report.html"));
        for (String part : new String[] {"Achieved fraction by single sites", "Whole depths by amplitude"}) {
            assertThat(page.contains(part)).as(part).isTrue();
        }
    }

    @Test
    void onlyALogitDifferenceHasAnAnswerToFlip() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(
                "transfer",
                "--model",
                Cli.SMALL,
                "--tokens",
                "3,1,4",
                "--corrupt-tokens",
                "3,1,7",
                "--answer",
                "#1",
                "--out",
                out.toString());
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.has("flips")).isFalse();
        assertThat(results.path("alpha")).hasSize(5);
    }

    @Test
    void reduceIsTheLibrarys() throws IOException {
        Path out = temporary.resolve("out");
        String[] more = {"--top", "2", "--rank", "3", "--depths", "0,2", "--out", out.toString()};
        Cli cli = Cli.done(Cli.with(Cli.with(new String[] {"reduce"}, PAIR), more));
        assertThat(cli.out())
                .contains("what the first n inner sites carry", "0 to 2")
                .doesNotContain("0 to 1");
        library(transfer -> {
            SiteReduction sites = SiteReduction.of(transfer, Ranking.PREDICTED, 2);
            assertThat(Cli.tensor(out, "reduce.share.predicted", DType.F64, 2)).containsExactly(sites.share());
            assertThat(Cli.tensor(out, "reduce.together.predicted", DType.F64, 2))
                    .containsExactly(sites.together());
            assertThat(Cli.tensor(out, "reduce.added.random", DType.F64, 2))
                    .containsExactly(SiteReduction.random(transfer, 2, 0).added());
            SliceReduction slice = SliceReduction.of(transfer, 0, 2, 3, 0);
            double[] energy = Cli.tensor(out, "reduce.energy", DType.F64, 3, 3, 3);
            assertThat(Arrays.copyOfRange(energy, 6, 9)).containsExactly(slice.energy());
            assertThat(energy[0]).isNaN();
            assertThat(Arrays.copyOfRange(Cli.tensor(out, "reduce.error.effect", DType.F64, 3, 3, 3), 6, 9))
                    .containsExactly(slice.effect());
        });
        JsonNode slices = Cli.result(out).path("results").path("slices");
        assertThat(slices).hasSize(1);
        assertThat(slices.get(0).path("error_displacement").asDouble()).isPositive();
        assertThat(Files.readString(out.resolve("report.html")).contains("Reduced descriptions"))
                .isTrue();
    }

    private Path suite() throws IOException {
        StringBuilder json = new StringBuilder("[");
        for (int p = 0; p < 6; p++) {
            json.append(p == 0 ? "" : ",")
                    .append("{\"tokens\":[3,%d,4,1],\"corrupt_tokens\":[3,%d,4,1],\"answer\":\"#1\",\"foil\":\"#2\"}"
                            .formatted(5 + p, 15 + p));
        }
        Path file = temporary.resolve("pairs.json");
        Files.writeString(file, json.append("]"));
        return file;
    }

    @Test
    void aModelAgreesWithItself() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(
                "scale",
                "--model",
                Cli.SMALL,
                "--model-b",
                Cli.SMALL,
                "--suite",
                suite().toString(),
                "--backend",
                "reference",
                "--probes",
                "2",
                "--ridge",
                "1e-8",
                "--out",
                out.toString());
        assertThat(cli.out())
                .contains(
                        "agreement of the two models in size and in rank",
                        "R2 of second = first",
                        "aligned by relative depth");
        JsonNode results = Cli.result(out).path("results");
        JsonNode means = results.path("means");
        assertThat(means.path("sensitivity.rho").path("mean").asDouble()).isCloseTo(1, within(1e-12));
        assertThat(means.path("map.rho").path("low").asDouble()).isCloseTo(1, within(1e-12));
        assertThat(means.path("sites.carried.share").path("mean").asDouble())
                .isEqualTo(means.path("sites.own.share").path("mean").asDouble());
        assertThat(results.path("judged")).hasSize(3);
        assertThat(results.path("fitted_runs").asInt()).isEqualTo(6);
        double[] a = Cli.tensor(out, "scale.a.sensitivity.2", DType.F64, 3, 4);
        assertThat(Cli.tensor(out, "scale.b.sensitivity.2", DType.F64, 3, 4)).containsExactly(a);
        assertThat(Cli.tensor(out, "scale.a.map.6", DType.F64, 3, 4, 3, 4))
                .containsExactly(Cli.tensor(out, "scale.b.map.6", DType.F64, 3, 4, 3, 4));
        assertThat(Cli.tensor(out, "scale.agreement.map", DType.F64, 6, 4)[0]).isCloseTo(1, within(1e-12));
        double[] cosine = Cli.tensor(out, "scale.direction.cosine", DType.F64, 3, 3);
        double mean = (cosine[0] + cosine[3] + cosine[6]) / 3;
        assertThat(means.path("direction.cosine.0").path("mean").asDouble()).isCloseTo(mean, within(1e-12));
        assertThat(Files.readString(out.resolve("report.html")).contains("Two models on the same prompts"))
                .isTrue();
    }

    @Test
    void modelsOfOtherDepthsAndWidthsAreCompared() throws IOException {
        Cli cli = Cli.done(
                "scale",
                "--model",
                Cli.SMALL,
                "--model-b",
                "random:3,2,24,40,16,seed=2",
                "--suite",
                suite().toString(),
                "--probes",
                "2");
        assertThat(cli.out()).contains("2 and 3 layers, compared at 3 relative depths");
    }

    @Test
    void suitesThatAreNoPairsAreRefused() throws IOException {
        String sound = "{\"tokens\":[3,5,4],\"corrupt_tokens\":[3,6,4],\"answer\":\"#1\",\"foil\":\"#2\"}";
        String[][] wrong = {
            {"{\"tokens\":[3,5,4],\"answer\":\"#1\"}", "entry 2", "no corrupt prompt", "corrupt_tokens"},
            {"{\"tokens\":[3],\"corrupt\":\"x\",\"corrupt_tokens\":[4],\"answer\":\"#1\"}", "both 'corrupt' and"},
            {"{\"tokens\":[3],\"corrupt_tokens\":[4]}", "entry 2", "no answer"},
            {"{\"tokens\":[3],\"corrupt_tokens\":[4,5],\"answer\":\"#1\"}", "1 tokens", "2", "equal length"},
            {"{\"tokens\":[3],\"corrupt_tokens\":[3],\"answer\":\"#1\"}", "same tokens"},
            {"{\"tokens\":[3],\"corrupt_tokens\":[40],\"answer\":\"#1\"}", "id 40"},
            {"{\"tokens\":[3],\"corrupt_tokens\":\"x\",\"answer\":\"#1\"}", "key 'corrupt_tokens'", "a text"},
            {"{\"tokens\":[3],\"corrupt_tokens\":[4],\"answer\":\"#1\",\"foil\":\"#1\"}", "same token"},
            {sound, "2 pairs of prompts, expected 4"}
        };
        Path file = temporary.resolve("wrong.json");
        for (String[] mistake : wrong) {
            Files.writeString(file, "[" + sound + "," + mistake[0] + "]");
            Cli cli = Cli.run(
                    "scale",
                    "--model",
                    Cli.SMALL,
                    "--model-b",
                    Cli.SMALL,
                    "--suite",
                    file.toString(),
                    "--quiet",
                    "--out",
                    temporary.resolve("out").toString());
            assertThat(cli.exit()).as(mistake[0]).isEqualTo(2);
            assertThat(cli.err().strip())
                    .contains(Arrays.copyOfRange(mistake, 1, mistake.length))
                    .doesNotContain("\n");
            assertThat(Cli.list(temporary)).containsExactly("wrong.json");
        }
    }
}
