package dev.greenfield.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is printed of tests that pass, fail, hang or do not apply, in a process of its own, as on a machine without Maven. */
@Tag("slow")
class DeviceTestsTest {
    @TempDir
    private Path temporary;

    private Process process;

    private List<String> run(String include) throws IOException, InterruptedException {
        Path out = temporary.resolve("out");
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DeviceTests.class.getName(),
                        "--classes",
                        Path.of("target", "test-classes").toString(),
                        "--include",
                        include,
                        "--seconds",
                        "1")
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        boolean ended = process.waitFor(60, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertThat(ended).as("ended in time").isTrue();
        return Files.readAllLines(out);
    }

    @Test
    void everyOutcomeHasItsLine() throws IOException, InterruptedException {
        List<String> lines = run(".*\\.PlantedOutcomes");
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(lines.get(0)).isEqualTo("     errors: 1e-7 of 1e-6");
        assertThat(lines.get(1)).matches("ok   PlantedOutcomes > passes\\(TestReporter\\) \\(\\d\\.\\d\\d s\\)");
        assertThat(lines.get(2))
                .matches("FAIL PlantedOutcomes > fails\\(\\) \\(.* s\\): AssertionFailedError: found 2, expected 3");
        assertThat(lines.get(3)).matches("FAIL PlantedOutcomes > hangs\\(\\) \\(1\\.\\d\\d s\\): TimeoutException: .*");
        assertThat(lines.get(4)).matches("skip PlantedOutcomes > doesNotApply\\(\\) \\(.* s\\): .*no such device");
        assertThat(lines.get(5)).matches("ok   PlantedOutcomes > passesToo\\(\\) \\(.* s\\)");
        assertThat(lines).last().isEqualTo("2 passed, 2 failed, 1 skipped");
    }

    @Test
    void noTestsAreNoSuccess() throws IOException, InterruptedException {
        assertThat(run("no\\.such\\.Name")).last().isEqualTo("0 passed, 0 failed, 0 skipped");
        assertThat(process.exitValue()).isEqualTo(2);
    }
}
