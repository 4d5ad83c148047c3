package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.cli.Cli;
import dev.greenfield.failure.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said while a map is computed. */
class ProgressLineTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Terminal terminal(boolean rewrites) {
        return new Terminal(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                StandardCharsets.UTF_8,
                new Screen(false, false, rewrites, 0));
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static Progress at(double seconds) {
        return new Progress("response map", 2e12 + seconds * 1e10, 2e12, 4e12, "flop", seconds);
    }

    @Test
    void inALogLinesComeEverMoreRarely() {
        ProgressLine line = new ProgressLine(terminal(false), "map");
        List<Integer> seconds = new ArrayList<>();
        for (int s = 1; s < 200; s++) {
            int before = err.size();
            line.at(at(s));
            if (err.size() > before) {
                seconds.add(s);
            }
        }
        line.at(at(200));
        assertThat(seconds).containsExactly(5, 10, 20, 40, 80, 160);
        assertThat(errors().lines()).hasSize(6).last().isEqualTo("map: 90.0 % of 4.00 Tflop, 10.0 Gflop/s, 40 s left");
        assertThat(errors()).doesNotContain("\r");
        // A run of days says something every hour.
        err.reset();
        ProgressLine patient = new ProgressLine(terminal(false), "map");
        for (int h = 1; h <= 48; h++) {
            patient.at(new Progress("patch sweep", 1, 0, 1000, "sites", 3600.0 * h));
        }
        assertThat(errors().lines().count()).isGreaterThan(40);
        assertThat(errors()).startsWith("map: 0.1 % of 1000 sites, 41 d 15 h left");
    }

    @Test
    void inATerminalOneLineIsWrittenOver() {
        Terminal terminal = terminal(true);
        ProgressLine line = new ProgressLine(terminal, "map");
        line.at(at(100));
        line.at(at(150));
        String first = "\rmap: 75.0 % of 4.00 Tflop, 10.0 Gflop/s, 100 s left";
        String second = "\rmap: 87.5 % of 4.00 Tflop, 10.0 Gflop/s, 50 s left";
        assertThat(errors()).isEqualTo(first + second + " ".repeat(Math.max(0, first.length() - second.length())));
        err.reset();
        line.at(at(200));
        assertThat(errors().strip()).as("the end leaves an empty line").isEmpty();
        assertThat(errors()).startsWith("\r").endsWith("\r");
        err.reset();
        line.at(at(100));
        terminal.error("stop");
        assertThat(errors()).endsWith("\rgreenfield: stop" + System.lineSeparator());
    }

    @Test
    void aCallIsCalledWhatItCallsItself() {
        new ProgressLine(terminal(true)).at(new Progress("spectra", 3, 0, 12, "pairs of levels", 6));
        assertThat(errors()).isEqualTo("\rspectra: 25.0 % of 12 pairs of levels, 18 s left");
    }

    /** Work as a share of what there is to do, seconds, and what is said of the rest. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, ''", // nothing is known
        "0, 100, ''",
        "0.001, 0.1, ''", // the first step loads libraries
        "0.001, 5, ''",
        "0.5, 0.1, ''",
        "0.02, 1, ', 49 s left'", // enough of it is done
        "0.001, 10, ', 2 h 47 min left'",
        "0.999, 10, ', 1 s left'", // there is work left, so there is time left
        "0.99999, 10, ', 1 s left'",
        "1, 10, ''",
        "1e-30, 100, ''"
    })
    void thereIsNoEstimateBeforeItIsKnown(double share, double seconds, String said) {
        for (double kept : new double[] {0, 1000}) {
            Progress progress = new Progress("map", kept + 100 * share, kept, kept + 100, "sites", seconds);
            assertThat(ProgressLine.left(progress)).isEqualTo(said);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 40, 60, 80, 200})
    void theLineThatIsWrittenOverFitsTheTerminal(int columns) {
        Terminal narrow = new Terminal(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                StandardCharsets.UTF_8,
                new Screen(true, false, true, columns));
        new ProgressLine(narrow, "response map of prompt 3").at(at(150));
        String line = errors().substring(1);
        assertThat(line.length()).isLessThan(columns);
        assertThat(line)
                .isEqualTo(
                        switch (columns) {
                            case 20 -> "...: 87.5 %, 50 s left".substring(0, 16) + "...";
                            case 40 -> "response map of p...: 87.5 %, 50 s left";
                            case 60 -> "response map of prompt 3: 87.5 % of 4.00 Tflop, 50 s left";
                            default -> "response map of prompt 3: 87.5 % of 4.00 Tflop, 10.0 Gflop/s, 50 s left";
                        });
    }

    @Test
    void quietSaysNothing() {
        for (boolean rewrites : new boolean[] {false, true}) {
            Terminal terminal = terminal(rewrites);
            terminal.quiet(true);
            ProgressLine line = new ProgressLine(terminal, "map");
            line.at(at(100));
            line.note("repaired");
            line.at(at(200));
            terminal.line("result");
        }
        assertThat(errors()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 s",
        "45.4, 45 s",
        "119, 119 s",
        "121, 2 min",
        "7100, 118 min",
        "7200, 2 h 0 min",
        "100000, 27 h 47 min",
        "200000, 2 d 7 h"
    })
    void durations(double seconds, String text) {
        assertThat(ProgressLine.duration(seconds)).isEqualTo(text);
    }

    @Test
    void directoriesInEachOther(@TempDir Path directory) {
        String[] map = {"map", "--model", Cli.SMALL, "--tokens", "1,2,3", "--probes", "2"};
        String inner = directory.resolve("a/b").toString();
        String outer = directory.resolve("a").toString();
        for (String[] names : new String[][] {{inner, outer}, {outer, inner}, {outer, outer}}) {
            Cli refused = Cli.run(Cli.with(map, "--checkpoint", names[0], "--out", names[1]));
            assertThat(refused.exit()).isEqualTo(2);
            assertThat(refused.err()).contains("one directory in the other").hasLineCount(1);
        }
        assertThat(Path.of(outer)).doesNotExist();
        assertThat(Cli.run(Cli.with(map, "--checkpoint", " ")).err()).contains("--checkpoint is empty");
        assertThat(Cli.run(Cli.with(map, "--checkpoint", "a\0b")).err()).contains("cannot be a path");
        Cli done = Cli.done(Cli.with(map, "--checkpoint", inner));
        assertThat(done.err()).contains("checkpoint " + inner + ": 1 batch, each saved");
        assertThat(Cli.done(Cli.with(map, "--checkpoint", inner, "--quiet")).err())
                .isEmpty();
        Cli other = Cli.run(Cli.with(map, "--checkpoint", inner, "--seed", "2"));
        assertThat(other.exit()).isEqualTo(2);
        assertThat(other.err())
                .endsWith("greenfield: checkpoint " + inner
                        + " was made with seed 0, this run has seed 2: use that seed or another directory\n");
    }
}
