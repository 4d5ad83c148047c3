package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Options;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What two executors find over a suite is what one machine finds, to the bit. */
class ResponseMapsIT {
    private static final Path SUITE =
            Path.of("src", "test", "data", "facts.json").toAbsolutePath();
    private static final ModelSpec MODEL =
            new ModelSpec("demo", Options.defaults().backend("cpu").threads(1).memory(1L << 28));

    private static Cluster cluster;
    private static Dataset<Row> rows;

    @TempDir
    static Path folder;

    @BeforeAll
    static void compute() throws Exception {
        cluster = Cluster.start(2, Map.of());
        Cluster.greenfield(
                "map",
                "--model",
                "demo",
                "--suite",
                SUITE.toString(),
                "--probes",
                "4",
                "--seed",
                "7",
                "--backend",
                "cpu",
                "--threads",
                "1",
                "--memory",
                "256MiB",
                "--out",
                folder.resolve("one").toString());
        rows = maps();
    }

    private static Dataset<Row> maps() throws Exception {
        return ResponseMaps.over(cluster.suite(SUITE), MODEL)
                .probes(4)
                .seed(7)
                .promptsAPart(5)
                .write(folder.resolve("maps").toString());
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static Safetensors one() throws Exception {
        return Safetensors.open(folder.resolve("one").resolve("tensors.safetensors"));
    }

    @Test
    void mapsAreThoseOfOneMachine() throws Exception {
        List<Row> all = rows.collectAsList();
        try (Safetensors expected = one();
                TensorReader reader = new TensorReader()) {
            for (Row row : all) {
                int number = row.getAs("number");
                for (Map.Entry<String, String> column : Map.of(
                                "map.frobenius.", "offset", "map.stderr.", "stderr_offset")
                        .entrySet()) {
                    Tensor tensor = expected.tensor(column.getKey() + number);
                    int count = (int) tensor.elements();
                    assertThat(reader.read(
                                    row.getAs("path"), row.getAs("dtype"), row.getAs(column.getValue()), 0, count))
                            .as(column.getKey() + number)
                            .containsExactly(tensor.toDoubles());
                }
            }
            assertThat(all).hasSize((int) expected.names().stream()
                    .filter(name -> name.startsWith("map.frobenius."))
                    .count());
        }
        assertThat(all)
                .extracting(row -> row.<Integer>getAs("number"))
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(all).extracting(row -> row.<String>getAs("backend")).containsOnly("cpu");
    }

    @Test
    void statisticsAreThoseOfOneMachine() throws Exception {
        List<Row> statistics = ResponseMaps.statistics(
                        rows, folder.resolve("statistics").toString())
                .collectAsList();
        Map<String, List<Double>> found = new HashMap<>();
        try (TensorReader reader = new TensorReader()) {
            for (Row row : statistics) { // in the order of the source levels
                int length = row.getAs("length");
                int pairs = length * length * row.<Integer>getAs("levels");
                for (Map.Entry<String, String> column : Map.of(
                                "map.mean.", "offset", "map.variance.", "variance_offset")
                        .entrySet()) {
                    if (!row.isNullAt(row.fieldIndex(column.getValue()))) {
                        List<Double> values = found.computeIfAbsent(column.getKey() + length, key -> new ArrayList<>());
                        for (double value : reader.read(
                                row.getAs("path"), row.getAs("dtype"), row.getAs(column.getValue()), 0, pairs)) {
                            values.add(value);
                        }
                    }
                }
            }
        }
        try (Safetensors expected = one()) {
            List<String> names = expected.names().stream()
                    .filter(name -> name.startsWith("map.mean.") || name.startsWith("map.variance."))
                    .toList();
            assertThat(found.keySet()).hasSizeGreaterThan(3).containsExactlyInAnyOrderElementsOf(names);
            for (String name : names) {
                assertThat(found.get(name).stream().mapToDouble(x -> x).toArray())
                        .as(name)
                        .containsExactly(expected.tensor(name).toDoubles());
            }
        }
    }

    @Test
    void theAggregatorJoinsMapsOfAnyGroup() throws Exception {
        var groups = rows.groupByKey(new Cluster.Length(), Encoders.INT())
                .agg(new MapAggregator().toColumn())
                .collectAsList();
        try (Safetensors expected = one()) {
            assertThat(groups).isNotEmpty();
            for (var group : groups) {
                double[] mean = expected.tensor("map.mean." + group._1()).toDoubles();
                assertThat(group._2().getMean()).hasSameSizeAs(mean);
                for (int i = 0; i < mean.length; i++) {
                    if (Double.isNaN(mean[i])) {
                        assertThat(group._2().getMean()[i]).isNaN();
                    } else {
                        // The file's is rounded to single precision.
                        assertThat(group._2().getMean()[i]).isCloseTo(mean[i], within(mean[i]));
                    }
                }
            }
        }
    }

    private static Offset<Double> within(double value) {
        return Offset.offset(1e-7 * Math.abs(value));
    }

    @Test
    void whatIsThereIsNotComputedAgainAndWhatIsDamagedIs() throws Exception {
        Path parts = folder.resolve("maps").resolve("parts");
        List<String> names = Cluster.names(parts);
        assertThat(names).contains("map-part-000000.safetensors").noneMatch(name -> name.endsWith(".tmp"));
        Path kept = parts.resolve("map-part-000000.safetensors");
        Path cut = parts.resolve("map-part-000001.safetensors");
        FileTime before = Files.getLastModifiedTime(kept);
        byte[] whole = Files.readAllBytes(cut);
        Files.write(cut, Arrays.copyOf(whole, whole.length - 100));
        List<Row> first = rows.collectAsList();
        Files.writeString(parts.resolve(".greenfield-left.tmp"), "of a killed task");
        assertThat(maps().collectAsList()).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(kept)).isEqualTo(before);
        assertThat(Files.readAllBytes(cut)).isEqualTo(whole);
        assertThat(Cluster.names(parts)).isEqualTo(names);
    }

    @Test
    void wrongPromptsAreRefusedInOneLine() {
        Dataset<Row> prompts = cluster.suite(SUITE);
        assertThatThrownBy(
                        () -> ResponseMaps.over(prompts.select("answer"), MODEL).write(folder + "/x"))
                .isInstanceOf(InputException.class)
                .hasMessage("the prompts have the columns [answer], expected one of 'clean', 'prompt' and 'tokens':"
                        + " rename the column that has the prompt");
        assertThatThrownBy(() -> ResponseMaps.over(prompts.selectExpr("clean", "1 as number"), MODEL)
                        .write(folder + "/x"))
                .isInstanceOf(InputException.class)
                .hasMessage("found 48 prompts of the number 1, expected each number once: leave the column 'number'"
                        + " out to number the rows in their order");
        assertThatThrownBy(() -> ResponseMaps.over(prompts.selectExpr("'zzz' as clean"), MODEL)
                        .write(folder + "/x"))
                .hasMessageContaining("prompt 1: column 'clean': ");
        assertThatThrownBy(() -> ResponseMaps.over(prompts, MODEL).write("s3a://bucket/x"))
                .isInstanceOf(InputException.class)
                .hasMessage("folder s3a://bucket/x: found an address, expected a folder of a file system that all"
                        + " machines share");
    }
}
