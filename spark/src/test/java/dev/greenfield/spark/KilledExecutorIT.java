package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Options;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An executor that is killed in the middle of its work costs time, not results. */
class KilledExecutorIT {
    private static final Path SUITE =
            Path.of("src", "test", "data", "facts.json").toAbsolutePath();
    private static final ModelSpec MODEL =
            new ModelSpec("demo", Options.defaults().backend("cpu").threads(1).memory(1L << 28));

    @TempDir
    Path folder;

    private static Dataset<Row> write(Cluster cluster, Path out) throws Exception {
        return ResponseMaps.over(cluster.suite(SUITE), MODEL)
                .exact()
                .promptsAPart(6)
                .write(out.toString());
    }

    @Test
    void theJobEndsWithTheSameFiles() throws Exception {
        try (Cluster cluster = Cluster.start(2, Map.of("spark.speculation", "true"))) {
            Path killed = folder.resolve("killed");
            Path parts = killed.resolve("parts");
            CompletableFuture<Set<Long>> kill = CompletableFuture.supplyAsync(() -> killOne(parts));
            List<Row> rows = write(cluster, killed).collectAsList();
            Set<Long> before = kill.get(1, TimeUnit.MINUTES);
            Set<Long> after = pids();
            assertThat(before).hasSize(2);
            assertThat(after).isNotEqualTo(before);
            Path quiet = folder.resolve("quiet");
            List<Row> expected = write(cluster, quiet).collectAsList();
            assertThat(rows).hasSameSizeAs(expected).hasSize(48);
            List<String> names = Cluster.names(parts);
            assertThat(names).isEqualTo(Cluster.names(quiet.resolve("parts"))).hasSize(9); // 8 and the lock
            for (String name : names) {
                assertThat(parts.resolve(name))
                        .hasSameBinaryContentAs(quiet.resolve("parts").resolve(name));
            }
        }
    }

    private static Set<Long> pids() {
        return Cluster.executors().stream().map(ProcessHandle::pid).collect(Collectors.toSet());
    }

    /** Ends an executor the hard way when the first part is there; which ones there were. */
    private static Set<Long> killOne(Path parts) {
        try {
            while (!Files.isDirectory(parts)
                    || Cluster.names(parts).stream().noneMatch(name -> name.endsWith(".safetensors"))) {
                Thread.sleep(5);
            }
            Set<Long> before = pids();
            Cluster.executors().get(0).destroyForcibly();
            return before;
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }
}
