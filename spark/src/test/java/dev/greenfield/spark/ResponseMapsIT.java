package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Options;
import dev.greenfield.safetensors.Safetensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The maps of a cluster are those of one machine. */
class ResponseMapsIT {
    private static final Path SUITE = Path.of("src", "test", "data", "facts.json").toAbsolutePath();
    private static final ModelSpec MODEL =
            new ModelSpec("demo", Options.defaults().backend("cpu").threads(1).memory(1L << 28));

    private static Cluster cluster;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(2, Map.of());
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void mapsAreThoseOfOneMachineToTheBit() throws Exception {
        Dataset<Row> rows = ResponseMaps.over(cluster.suite(SUITE), MODEL)
                .probes(4)
                .seed(7)
                .promptsAPart(5)
                .write(folder.resolve("maps").toString());
        Path one = folder.resolve("one");
        Cluster.greenfield(
                "map", "--model", "demo", "--suite", SUITE.toString(), "--probes", "4", "--seed", "7", "--backend",
                "cpu", "--threads", "1", "--memory", "256MiB", "--out", one.toString());
        List<Row> all = rows.collectAsList();
        try (Safetensors expected = Safetensors.open(one.resolve("tensors.safetensors"))) {
            assertThat(all).isNotEmpty();
            for (Row row : all) {
                int number = row.getAs("number");
                try (Safetensors part = Safetensors.open(Path.of(row.<String>getAs("path")))) {
                    for (String name : List.of("map.frobenius." + number, "map.stderr." + number)) {
                        assertThat(part.tensor(name).toDoubles())
                                .as(name)
                                .containsExactly(expected.tensor(name).toDoubles());
                    }
                }
            }
            assertThat(expected.names().stream().filter(name -> name.startsWith("map.frobenius.")))
                    .hasSize(all.size());
        }
        assertThat(Files.isDirectory(folder.resolve("maps/rows"))).isTrue();
    }
}
