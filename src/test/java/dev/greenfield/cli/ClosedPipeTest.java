package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.cli.io.Screen;
import dev.greenfield.cli.io.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands whose reader goes away after the first line, as {@code head -1} does. */
class ClosedPipeTest {
    private static final String[] FIELD = {"field", "--model", Cli.SMALL, "--tokens", "1,2,3", "--quiet"};

    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String failure, String... args) {
        OutputStream head = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                if (read.toString(StandardCharsets.UTF_8).contains("\n")) {
                    throw new IOException(failure);
                }
                read.write(b);
            }
        };
        return Main.run(
                Terminal.of(
                        head,
                        false,
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        StandardCharsets.UTF_8,
                        Screen.NONE),
                args);
    }

    @Test
    void endsQuietly() {
        assertThat(run("Broken pipe", FIELD)).isEqualTo(141);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(read.toString(StandardCharsets.UTF_8)).startsWith("prompt ").hasLineCount(1);
    }

    @Test
    void writesItsFilesAllTheSame(@TempDir Path directory) throws IOException {
        Path out = directory.resolve("out");
        assertThat(run("Broken pipe", Cli.with(FIELD, "--out", out.toString()))).isEqualTo(141);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(Cli.list(out)).containsExactly("report.html", "result.json", "tensors.safetensors");
        assertThat(run(
                        "Broken pipe",
                        "export",
                        "--model",
                        Cli.SMALL,
                        "--out",
                        directory.resolve("model").toString()))
                .isEqualTo(141);
        assertThat(directory.resolve("model/config.json")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "map --help", "doctor"})
    void soDoHelpAndDoctor(String command) {
        assertThat(run("Broken pipe", command.split(" "))).isEqualTo(141);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void aMistakeIsAMistakeWithoutAReader() {
        assertThat(run("Broken pipe", "field", "--tokens", "x")).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("--tokens");
    }

    @Test
    void aFullDiskIsSaid() {
        assertThat(run("No space left on device", FIELD)).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("full disk").hasLineCount(1);
    }
}
