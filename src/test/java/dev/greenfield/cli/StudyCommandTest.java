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
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PredictionTable;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.transfer.DisplacementTransfer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The study of a suite, against the library, and taken up again. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class StudyCommandTest {
    private static final List<List<String>> PAIRS = List.of(
            List.of("capital", "The capital of Korea is", "The capital of Norway is", "Seoul", "Oslo"),
            List.of("capital", "The capital of China is", "The capital of Brazil is", "Beijing", "Brasilia"),
            List.of("language", "The language of Bulgaria is", "The language of Germany is", "Bulgarian", "German"),
            List.of("agreement", "The girls near the child", "The girl near the child", "are", "is"));

    private Path temporary;
    private Path done;

    @BeforeAll
    void study(@TempDir Path directory) throws IOException {
        temporary = directory;
        List<String> entries = new ArrayList<>();
        for (List<String> pair : PAIRS) {
            String text = """
                    {"task": "%s", "clean": "<|endoftext|> %s", "corrupt": "<|endoftext|> %s", "answer": "%s",
                     "foil": "%s", "differs_at_token": %d}""";
            entries.add(text.formatted(
                    pair.get(0),
                    pair.get(1),
                    pair.get(2),
                    pair.get(3),
                    pair.get(4),
                    pair.get(0).equals("agreement") ? 2 : 4));
        }
        Files.writeString(temporary.resolve("suite.json"), "[" + String.join(",\n", entries) + "]");
        done = temporary.resolve("done");
        Cli cli = Cli.done(command(done));
        assertThat(cli.out())
                .contains("E1: ", "E5: ", "mechanisms: ", "undecided")
                .doesNotContain("holds"); // four prompts
        assertThat(cli.err()).contains("prompts: 4 of 4 done");
    }

    private String[] command(Path out, String... more) {
        return Cli.with(
                new String[] {
                    "study",
                    "--suite",
                    temporary.resolve("suite.json").toString(),
                    "--model-b",
                    "demo",
                    "--backend",
                    "cpu",
                    "--out",
                    out.toString()
                },
                more);
    }

    private JsonNode findings() throws IOException {
        return Cli.result(done).path("results").path("findings");
    }

    private JsonNode finding(String metric) throws IOException {
        for (JsonNode finding : findings()) {
            if (finding.path("metric").asText().equals(metric)) {
                return finding;
            }
        }
        throw new AssertionError("no finding " + metric);
    }

    @Test
    void findingsAreThoseOfTheLibrary() throws IOException {
        PredictionTable predictions = new PredictionTable();
        PredictionPlan plan = new PredictionPlan(
                List.of(InterventionKind.parse("noise")),
                List.of(Component.RESIDUAL),
                List.of(PredictionMethod.FIRST, PredictionMethod.SECOND),
                PredictionPlan.STEPS,
                0);
        double best = 0;
        double errors = 0;
        try (Model model = Greenfield.load("demo", Options.defaults().backend("cpu"))) {
            for (List<String> pair : PAIRS) {
                Observable f = Observable.logitDifference(pair.get(3), pair.get(4));
                try (Run clean = model.run("<|endoftext|> " + pair.get(1));
                        Run corrupt = model.run("<|endoftext|> " + pair.get(2))) {
                    predictions.add(clean.predictions(corrupt, f, plan));
                    DisplacementTransfer transfer = clean.transfer(corrupt, f);
                    double[][] sites = transfer.curves(new double[] {0.5}, 1).sites()[0];
                    double most = Double.NEGATIVE_INFINITY;
                    for (int l = 1; l < model.config().layers(); l++) {
                        for (double achieved : sites[l]) {
                            most = Math.max(most, achieved);
                        }
                    }
                    best += most / PAIRS.size();
                    double wanted = 0.1 * clean.value(f);
                    var inferred = clean.infer().changeByFraction(f, 0.1).solve();
                    errors += Math.abs(inferred.achieved()[0] - wanted) / Math.abs(wanted) / PAIRS.size();
                }
            }
        }
        assertThat(finding("site.best.0.5").path("value").asDouble()).isCloseTo(best, within(1e-5));
        assertThat(finding("least_norm.0.1.error").path("value").asDouble()).isCloseTo(errors, within(1e-6));
        List<PredictionTable.Row> rows = predictions.rows(new Bootstrap(1000, 0));
        for (PredictionTable.Row row : rows) {
            JsonNode found = finding("noise.resid." + row.method().label() + ".pearson");
            assertThat(found.path("value").asDouble())
                    .isCloseTo(row.summary().pearson().value(), within(1e-5));
            assertThat(found.path("low").isNull())
                    .as("no interval of four prompts")
                    .isTrue();
            assertThat(found.path("verdict").asText()).isNotEqualTo("holds");
            assertThat(found.path("n").asInt()).isEqualTo(PAIRS.size());
        }
        assertThat(Files.readString(done.resolve("findings.csv"))).contains("E2,noise.resid.first.pearson,4,");
        assertThat(Files.readAllLines(done.resolve("transfer.csv"))).hasSize(1 + PAIRS.size());
        assertThat(Files.readString(done.resolve("report.html")))
                .contains("E1. Linear regime", "Radius of the linear regime by depth", "Two models");
    }

    @Test
    void aModelAgreesWithItself() throws IOException {
        assertThat(finding("sensitivity.rho").path("value").asDouble()).isCloseTo(1, within(1e-9));
        assertThat(finding("map.rho").path("value").asDouble()).isCloseTo(1, within(1e-9));
        assertThat(finding("sensitivity.shuffled").path("value").asDouble()).isBetween(-0.5, 0.5);
        // One pair of each kind of task is too few to be sure of anything.
        assertThat(finding("language.differs.predicted.top3").path("n").asInt()).isEqualTo(1);
        assertThat(finding("language.differs.predicted.top3").path("verdict").asText())
                .isEqualTo("undecided");
        assertThat(finding("outside_cone").path("value").asDouble()).isZero();
    }

    @Test
    void anInterruptedStudyFindsTheSame() throws IOException {
        Path copy = temporary.resolve("copy");
        Files.createDirectories(copy.resolve("prompts"));
        Files.copy(done.resolve("study.json"), copy.resolve("study.json"));
        for (String name : Cli.list(done.resolve("prompts"))) {
            Files.copy(
                    done.resolve("prompts").resolve(name),
                    copy.resolve("prompts").resolve(name));
        }
        Files.delete(copy.resolve("prompts/0002.json"));
        Path damaged = copy.resolve("prompts/0003.json");
        String whole = Files.readString(damaged);
        Files.writeString(damaged, whole.substring(0, whole.length() / 2));
        // A number changed by hand, and a file that says there was nothing to measure.
        Path changed = copy.resolve("prompts/0001.json");
        String before = Files.readString(changed);
        Files.writeString(changed, before.replaceFirst("([0-9])([,\\]])", "9$1$2"));
        assertThat(Files.readString(changed)).isNotEqualTo(before);
        Path emptied = copy.resolve("prompts/0004.json");
        Files.writeString(emptied, "{\"prompt\":4,\"parts\":{}}");
        Path planted = Files.writeString(temporary.resolve("planted"), "mine");
        Files.createSymbolicLink(copy.resolve("prompts/0002.json.tmp"), planted);
        Cli cli = Cli.done(command(copy));
        assertThat(Files.readString(planted)).isEqualTo("mine");
        assertThat(cli.out()).contains("3 damaged files of this study were measured again: ");
        assertThat(cli.err()).contains("4 of 4 done");
        assertThat(Files.readString(changed)).isEqualTo(before);
        assertThat(Cli.result(copy).path("results").path("findings")).isEqualTo(findings());
        assertThat(Files.readString(damaged)).isEqualTo(whole);
        assertThat(Cli.list(copy)).doesNotContain("tensors.safetensors").contains("result.json", "regime.csv");
    }

    @Test
    void aStudyNeedsADirectory() {
        Cli cli = Cli.run("study", "--suite", temporary.resolve("suite.json").toString());
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(cli.err()).contains("no directory: give --out DIR");
    }

    @Test
    void anotherStudyIsRefused() throws IOException {
        byte[] before = Files.readAllBytes(done.resolve("result.json"));
        Cli other = Cli.run(command(done, "--seed", "3"));
        assertThat(other.exit()).isEqualTo(2);
        assertThat(other.err()).contains("made with seed 0", "this run has seed 3", "another directory");
        Cli fewer = Cli.run(command(done, "--limit", "3"));
        assertThat(fewer.exit()).isEqualTo(2);
        assertThat(fewer.err()).contains("prompts 4", "prompts 3");
        try (FileChannel channel = FileChannel.open(done.resolve("prompts/.lock"), StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            assertThat(lock.isValid()).isTrue();
            assertThat(Cli.run(command(done)).err()).contains("another process works in it");
        }
        assertThat(Files.readAllBytes(done.resolve("result.json"))).isEqualTo(before);
    }
}
