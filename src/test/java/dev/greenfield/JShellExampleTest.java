package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.testing.JavaShell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jshell.Snippet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample that the documents show runs in jshell as it is printed, beside the imports that jshell itself makes. */
class JShellExampleTest {
    @Test
    void theSampleRunsAsItIsPrinted(@TempDir Path directory) throws IOException {
        assumeTrue(ModuleLayer.boot().findModule("jdk.jshell").isPresent(), "this Java has no jshell");
        String sample = Files.readString(Path.of("docs/examples/library.jsh"))
                .replace(
                        "\"report.html\"",
                        "\"" + directory.resolve("report.html").toString().replace('\\', '/') + "\"");
        try (JavaShell shell = new JavaShell()) {
            assertThat(shell.type(sample, Snippet.Status.VALID)).isGreaterThan(12);
            assertThat(shell.value("leading.toString()")).contains("rank 8 of an operator [768, 128]");
            assertThat(shell.value("s")).contains("sensitivity of F = ");
        }
        assertThat(directory.resolve("report.html")).isNotEmptyFile();
    }
}
