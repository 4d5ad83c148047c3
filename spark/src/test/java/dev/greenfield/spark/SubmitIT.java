package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that users submit. */
class SubmitIT {
    private static final Path SUITE =
            Path.of("src", "test", "data", "facts.json").toAbsolutePath();

    @TempDir
    Path folder;

    private static String submit(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Cluster.home().resolve("bin").resolve("spark-submit").toString(),
                "--master",
                "local-cluster[2,1,1024]",
                "--executor-memory",
                "1g",
                "--conf",
                "spark.driver.extraClassPath=" + Cluster.JAR,
                "--conf",
                "spark.executor.extraClassPath=" + Cluster.JAR,
                "--class",
                "dev.greenfield.spark.Main",
                Cluster.JAR.toString()));
        command.addAll(List.of(arguments));
        return Cluster.run(Map.of("JAVA_HOME", System.getProperty("java.home")), command);
    }

    @Test
    void mapsOfASuite() throws Exception {
        Path out = folder.resolve("maps");
        String printed = submit(
                "map",
                "--model",
                "demo",
                "--suite",
                SUITE.toString(),
                "--probes",
                "4",
                "--backend",
                "cpu",
                "--prompts-a-part",
                "12",
                "--out",
                out.toString());
        assertThat(printed.lines())
                .contains("written to " + out + ": 48 rows")
                .anyMatch(line -> line.matches("statistics in .*/maps/statistics: [0-9]+ lengths"));
        assertThat(Cluster.names(out)).contains("parts", "prompts", "rows", "statistics");
        assertThat(Files.size(out.resolve("parts").resolve("map-part-000003.safetensors")))
                .isPositive();
    }

    @Test
    void aMistakeIsOneLine() {
        assertThatThrownBy(
                        () -> submit("map", "--model", "nowhere", "--suite", SUITE.toString(), "--out", folder + "/x"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("exit status 2 of ")
                .hasMessageContaining("\ngreenfield: ")
                .message()
                .doesNotContain("\tat ");
    }
}
