package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.Options;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spark's resource scheduling gives a task its GPU, here the host stand-in of CUDA's libraries. */
class GpuIT {
    private static final Path STANDIN =
            Path.of(System.getProperty("greenfield.standin")).toAbsolutePath().normalize();
    private static final ModelSpec MODEL =
            new ModelSpec("demo", Options.defaults().backend("cuda").memory(1L << 28));
    private static final Path SUITE =
            Path.of("src", "test", "data", "facts.json").toAbsolutePath();

    @TempDir
    Path folder;

    private Path discovery;

    @BeforeEach
    void aMachineWithNvidiaSmi() throws Exception {
        assumeTrue(Files.exists(STANDIN.resolve("libcuda.so.1")), "the host stand-in is not built: " + STANDIN);
        discovery = folder.resolve("gpus.sh");
        try (var script = TaskGpu.class.getResourceAsStream("gpus.sh")) {
            Files.copy(script, discovery, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** The discovery script of the artifact, on a machine whose nvidia-smi lists these numbers. */
    private Path discovery(String... numbers) throws Exception {
        Path bin = Files.createDirectories(folder.resolve("bin"));
        Cluster.script(bin.resolve("nvidia-smi"), "#!/bin/sh\nprintf '" + String.join("\\n", numbers) + "\\n'\n");
        return Cluster.script(
                folder.resolve("discovery"), "#!/bin/sh\nPATH=" + bin + ":$PATH exec sh " + discovery + "\n");
    }

    private Cluster cluster(Path script) throws Exception {
        return Cluster.start(
                1,
                Map.of(
                        "spark.worker.resource.gpu.amount", "1",
                        "spark.worker.resource.gpu.discoveryScript", script.toString(),
                        "spark.executor.resource.gpu.amount", "1",
                        "spark.task.resource.gpu.amount", "1",
                        "spark.task.maxFailures", "1",
                        "spark.executor.extraJavaOptions", "-Dgreenfield.cuda.libs=" + STANDIN));
    }

    @Test
    void theScriptNamesAllGpus() throws Exception {
        assertThat(Cluster.run(Map.of(), List.of(discovery("0", "1", "7").toString()))
                        .strip())
                .isEqualTo("{\"name\": \"gpu\", \"addresses\": [\"0\",\"1\",\"7\"]}");
    }

    @Test
    void mapsOfTheGpuAreThoseOfOneMachine() throws Exception {
        Path one = folder.resolve("one");
        Cluster.run(
                Map.of("JAVA_TOOL_OPTIONS", "-Dgreenfield.cuda.libs=" + STANDIN),
                Cluster.command(
                        "map",
                        "--model",
                        "demo",
                        "--suite",
                        SUITE.toString(),
                        "--probes",
                        "2",
                        "--backend",
                        "cuda",
                        "--memory",
                        "256MiB",
                        "--out",
                        one.toString()));
        try (Cluster cluster = cluster(discovery("0"));
                Safetensors expected = Safetensors.open(one.resolve("tensors.safetensors"));
                TensorReader reader = new TensorReader()) {
            List<Row> rows = ResponseMaps.over(cluster.suite(SUITE), MODEL)
                    .probes(2)
                    .promptsAPart(16)
                    .write(folder.resolve("maps").toString())
                    .collectAsList();
            assertThat(rows).hasSize(48);
            for (Row row : rows) {
                Tensor tensor = expected.tensor("map.frobenius." + row.<Integer>getAs("number"));
                assertThat(reader.read(
                                row.getAs("path"), row.getAs("dtype"), row.getAs("offset"), 0, (int) tensor.elements()))
                        .containsExactly(tensor.toDoubles());
                assertThat(row.<String>getAs("backend")).isEqualTo("cuda");
            }
        }
    }

    /** The stand-in is one GPU: a task that is given number 1 must ask for that and not find it. */
    @Test
    void theAddressReachesTheBackend() throws Exception {
        try (Cluster cluster = cluster(discovery("1"))) {
            assertThatThrownBy(() -> ResponseMaps.over(cluster.suite(SUITE), MODEL)
                            .write(folder.resolve("maps").toString()))
                    .hasStackTraceContaining("found 1 GPU, expected one with number 1");
        }
    }
}
