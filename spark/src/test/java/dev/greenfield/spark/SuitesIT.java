package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.study.Finding;
import dev.greenfield.study.Study;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sensitivities, predictions and studies of two executors are those of one machine. */
class SuitesIT {
    private static final Options OPTIONS =
            Options.defaults().backend("cpu").threads(1).memory(1L << 28);
    private static final ModelSpec MODEL = new ModelSpec("demo", OPTIONS);

    private static Cluster cluster;
    private static Path suite;

    @TempDir
    static Path folder;

    @BeforeAll
    static void start() throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonNode all =
                json.readTree(Path.of("src", "test", "data", "facts.json").toFile());
        var few = json.createArrayNode();
        for (int i = 0; i < all.size(); i += 8) {
            few.add(all.get(i));
        }
        suite = Files.writeString(folder.resolve("few.json"), few.toString());
        cluster = Cluster.start(2, Map.of());
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static String[] command(String name, Path out) {
        return new String[] {
            name,
            "--model",
            "demo",
            "--suite",
            suite.toString(),
            "--seed",
            "3",
            "--backend",
            "cpu",
            "--threads",
            "1",
            "--memory",
            "256MiB",
            "--out",
            out.toString()
        };
    }

    @Test
    void sensitivitiesAreThoseOfTheLibrary() throws Exception {
        Dataset<Row> prompts = cluster.suite(suite);
        List<Row> rows = Sensitivities.over(prompts, MODEL)
                .promptsAPart(2)
                .write(folder.resolve("sensitivities").toString())
                .collectAsList();
        List<Row> asked = prompts.collectAsList();
        assertThat(rows).hasSameSizeAs(asked);
        try (Model model = Greenfield.load("demo", OPTIONS);
                TensorReader reader = new TensorReader()) {
            for (Row row : rows) {
                Row prompt = asked.get(row.<Integer>getAs("number") - 1);
                try (Run run = model.run(prompt.<String>getAs("clean"))) {
                    SensitivityField s = run.sensitivity(
                            Observable.logitDifference(prompt.<String>getAs("answer"), prompt.<String>getAs("foil")));
                    double[] field = s.field().toArray();
                    for (int i = 0; i < field.length; i++) {
                        field[i] = (float) field[i];
                    }
                    assertThat(row.<Double>getAs("value")).isEqualTo(s.value());
                    assertThat(reader.read(row.getAs("path"), row.getAs("dtype"), row.getAs("offset"), 0, field.length))
                            .containsExactly(field);
                    double norm = s.norms()[row.<Integer>getAs("largest_depth")][row.<Integer>getAs("largest_token")];
                    assertThat(row.<Double>getAs("largest")).isEqualTo((double) (float) norm);
                }
            }
        }
    }

    @Test
    void predictionsSumUpAsOnOneMachine() throws Exception {
        Cluster.greenfield(command("predict", folder.resolve("predicted")));
        JsonNode expected = new ObjectMapper()
                .readTree(folder.resolve("predicted").resolve("result.json").toFile())
                .at("/results/rows");
        Dataset<Row> rows = Predictions.over(cluster.suite(suite), MODEL)
                .plan(PredictionPlan.defaults().seed(3))
                .promptsAPart(2)
                .write(folder.resolve("predictions").toString());
        Map<String, Row> found = new HashMap<>();
        for (Row row : Predictions.summaries(rows, 3).collectAsList()) {
            found.put(row.getAs("kind") + " " + row.getAs("component") + " " + row.getAs("method"), row);
        }
        assertThat(found).hasSize(expected.size());
        for (JsonNode one : expected) {
            String key = one.get("kind").asText() + " " + one.get("component").asText() + " "
                    + one.get("method").asText();
            Row row = found.get(key);
            one.properties().forEach(field -> {
                Object value = row.getAs(field.getKey());
                JsonNode wanted = field.getValue();
                if (value instanceof Row estimate) {
                    for (String part : List.of("value", "low", "high")) {
                        assertThat(estimate.<Double>getAs(part))
                                .as(key + " " + field.getKey() + " " + part)
                                .isEqualTo(number(wanted.get(part)));
                    }
                } else if (value instanceof Double number) {
                    assertThat(number).as(key + " " + field.getKey()).isEqualTo(number(wanted));
                } else {
                    assertThat(value).as(key + " " + field.getKey()).hasToString(wanted.asText());
                }
            });
        }
    }

    /** What is not defined is null in the results. */
    private static Double number(JsonNode node) {
        return node.isNull() ? (Double) Double.NaN : (Double) node.asDouble();
    }

    @Test
    void studiesFindWhatOneMachineFinds() throws Exception {
        Cluster.greenfield(command("study", folder.resolve("studied")));
        JsonNode expected = new ObjectMapper()
                .readTree(folder.resolve("studied").resolve("result.json").toFile())
                .at("/results/findings");
        Study.Outcome outcome = Studies.over(cluster.suite(suite), MODEL)
                .seed(3)
                .promptsAPart(2)
                .run(folder.resolve("study").toString());
        assertThat(outcome.findings()).hasSize(expected.size()).hasSizeGreaterThan(20);
        for (int i = 0; i < expected.size(); i++) {
            Finding finding = outcome.findings().get(i);
            JsonNode wanted = expected.get(i);
            assertThat(finding.metric()).isEqualTo(wanted.get("metric").asText());
            assertThat(finding.n()).isEqualTo(wanted.get("n").asInt());
            assertThat(finding.estimate().value()).as(finding.metric()).isEqualTo(number(wanted.get("value")));
            assertThat(finding.estimate().low()).as(finding.metric()).isEqualTo(number(wanted.get("low")));
        }
    }
}
