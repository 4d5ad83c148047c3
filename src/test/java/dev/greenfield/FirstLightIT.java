package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The plan for a GPU machine, in its dry run on the host stand-in: ended at any moment, all that came before is in the output folder.
 * Its limits are scaled, its order and its files are those of a device.
 */
class FirstLightIT {
    private static final Path SCRIPT = Path.of("benchmarks", "first-light.sh");
    private static final String SCALE = "0.15";
    private static final int MOST_FILES = 8;
    private static final long MOST_BYTES = 16 << 20;

    @TempDir
    private Path temporary;

    private Path out;

    @BeforeEach
    void needsTheStandIn() {
        Path standIn = Path.of(System.getProperty("greenfield.standin", "target/standin"));
        assumeTrue(Files.exists(standIn.resolve("libcublas.so.13")), "the host stand-in was not built");
        assumeTrue(Files.exists(Path.of("target/classes/dev/greenfield/backend/cuda/kernels.fatbin")), "no kernels");
        out = temporary.resolve("out");
    }

    private Process start(String... more) throws IOException {
        return startAt(SCALE, more);
    }

    private Process startAt(String scale, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "bash",
                SCRIPT.toString(),
                "--dry-run",
                "--scale",
                scale,
                "--out",
                out.toString(),
                "--java",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--classpath",
                System.getProperty("java.class.path")));
        command.addAll(List.of(more));
        return new ProcessBuilder(command)
                .redirectOutput(temporary.resolve("said").toFile())
                .redirectError(temporary.resolve("errors").toFile())
                .start();
    }

    /** Ends everything at once, the scripts before what they started, so that they do not go on with the next. */
    private static void kill(Process process) throws InterruptedException {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
        process.waitFor();
        for (ProcessHandle handle : all) {
            handle.onExit().orTimeout(20, TimeUnit.SECONDS).join();
        }
    }

    private void await(String file, String text) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (lines(file).stream().noneMatch(line -> line.contains(text)) && System.nanoTime() < deadline) {
            Thread.sleep(50);
        }
    }

    private List<String> lines(String file) throws IOException {
        return Files.exists(out.resolve(file)) ? Files.readAllLines(out.resolve(file)) : List.of();
    }

    /** A moment: some seconds, drawn anew each time, after a text is in a file. */
    @ParameterizedTest(name = "up to {2} s after {0} has ''{1}''")
    // Golden answers need some seconds: a device's code is loaded before the first of them is there.
    @CsvSource({
        "summary.txt, first light, 8, none, " + SCALE,
        "cases.txt, GoldenTest > , 4, smoke, 0.4",
        "log.txt, kind=adjoint, 4, 'smoke,golden,calls', " + SCALE
    })
    void whateverCameBeforeAnEndIsThere(String file, String text, double most, String without, String scale)
            throws Exception {
        Process process = startAt(scale, "--without", without);
        await(file, text);
        double more = most * new Random().nextDouble();
        boolean ended = process.waitFor((long) (1000 * more), TimeUnit.MILLISECONDS);
        assertThat(ended).as(Files.readString(temporary.resolve("errors"))).isFalse();
        kill(process);
        System.out.printf("first light was ended %.1f s after %s had '%s'%n", more, file, text);
        assertThat(lines(file)).anyMatch(line -> line.contains(text));

        // Said on the terminal, and so done: each such line is in the summary too.
        List<String> said = Files.readAllLines(temporary.resolve("said"));
        assertThat(said).isNotEmpty();
        assertThat(lines("summary.txt")).containsAll(said);
        assertThat(lines("summary.txt"))
                .allMatch(line -> line.matches("\\[ *\\d+\\.\\d s\\] ((PASS|FAIL|TIME|SKIP) \\w+|first light|).*"));
        aTableHasAllRowsButTheOneUnderWay();
        testsHaveTheirLines();
        try (Stream<Path> files = Files.list(out)) {
            List<Path> all = files.toList();
            assertThat(all).hasSizeLessThanOrEqualTo(MOST_FILES);
            for (Path each : all) {
                assertThat(each.getFileName().toString()).matches("[A-Za-z0-9._-]+");
                assertThat(Files.size(each)).isLessThan(MOST_BYTES);
            }
        }
    }

    /** The log names each piece of work as it begins. */
    private void aTableHasAllRowsButTheOneUnderWay() throws IOException {
        long begun = lines("log.txt").stream()
                .filter(line -> line.startsWith("measuring "))
                .count();
        if (begun > 1) {
            JsonNode table =
                    new ObjectMapper().readTree(out.resolve("table.json").toFile());
            assertThat(table.path("work").size()).isGreaterThanOrEqualTo((int) begun - 1);
            assertThat(table.path("products")).hasSize(8);
            assertThat(lines("table.txt")).anyMatch(line -> line.startsWith("tiny tangent T=7 N=6"));
        }
    }

    private void testsHaveTheirLines() throws IOException {
        List<String> cases = lines("cases.txt");
        // Whatever is being written is the last line.
        assertThat(cases.stream().limit(Math.max(0, cases.size() - 1)).filter(line -> line.contains("Test > ")))
                .allMatch(line -> line.matches("(ok  |skip|FAIL) .* \\(\\d+\\.\\d\\d s\\).*"));
        boolean passed = lines("summary.txt").stream().anyMatch(line -> line.contains("PASS golden"));
        if (passed) {
            assertThat(cases).anyMatch(line -> line.startsWith("ok   GoldenTest > ") && line.contains("cuda, fp32"));
            assertThat(cases).anyMatch(line -> line.startsWith("ok   GoldenTest > ") && line.contains("cuda, tf32"));
        }
    }

    /** With no time for anything, every stage says so and the end comes at once: no stage outlives its limit. */
    @Test
    void limitsHold() throws Exception {
        long begun = System.nanoTime();
        Process process = start("--scale", "0.01");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat((System.nanoTime() - begun) / 1e9).isLessThan(30);
        assertThat(process.exitValue()).isNotZero();
        assertThat(lines("summary.txt")).anyMatch(line -> line.matches(".*(TIME|FAIL|SKIP) unpack.*"));
    }

    @Test
    void whatFailedInTheFirstCallRunsInTheSecond() throws Exception {
        Path first = Files.createDirectory(temporary.resolve("first"));
        Files.write(
                first.resolve("cases.txt"),
                List.of(
                        "ok   OperationTest > value(OperationCase) > addBias (0.01 s)",
                        "FAIL LeakTest > closingTwiceIsHarmless(Backends) > [2] kind=CUDA (0.01 s): AssertionError: x",
                        "smoke attention fp32 exit 1"));
        // Ended as soon as it has run: the limit is only there for machines that are busy.
        Process process = start("--scale", "1", "--call", "2", "--first", first.toString());
        try {
            await("cases.txt", " passed, ");
        } finally {
            kill(process);
        }
        List<String> again = lines("cases.txt").stream()
                .filter(line -> line.matches("(ok|FAIL|skip) .*Test > .*"))
                .toList();
        assertThat(again).isNotEmpty().allMatch(line -> line.contains("LeakTest"));
    }
}
