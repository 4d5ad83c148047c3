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

/**
 * The sample that the documents show runs in jshell as it is printed, beside the imports that jshell itself makes, and after it the cells
 * of the Java notebook, whose kernels are made of jshell.
 */
class JShellExampleTest {
    @Test
    void theSampleAndTheNotebookRunAsTheyArePrinted(@TempDir Path directory) throws IOException {
        assumeTrue(ModuleLayer.boot().findModule("jdk.jshell").isPresent(), "this Java has no jshell");
        String sample = Files.readString(Path.of("docs/examples/library.jsh"))
                .replace(
                        "\"report.html\"",
                        "\"" + directory.resolve("report.html").toString().replace('\\', '/') + "\"");
        try (JavaShell shell = new JavaShell()) {
            assertThat(shell.type(sample, Snippet.Status.VALID)).isGreaterThan(12);
            assertThat(shell.value("leading.toString()")).contains("rank 8 of an operator [768, 128]");
            assertThat(shell.value("s")).contains("sensitivity of F = ");
            notebook(shell, sample);
        }
        assertThat(directory.resolve("report.html")).isNotEmptyFile();
    }

    /** Types the cells but for magics and for imports, which are those of the sample and take long. */
    private static void notebook(JavaShell shell, String sample) throws IOException {
        shell.type("List<String> shown = new ArrayList<>();", Snippet.Status.VALID);
        // What the kernel has: shows a text as a type of content.
        shell.type("void display(Object what, String... as) { shown.add(as[0] + what); }", Snippet.Status.VALID);
        for (String cell : NotebookExamplesTest.cells("response_maps_java.ipynb")) {
            StringBuilder code = new StringBuilder();
            cell.lines().forEach(line -> {
                if (line.startsWith("import ")) {
                    assertThat(sample).contains(line);
                } else {
                    code.append(line).append('\n');
                }
            });
            shell.type(code.toString(), Snippet.Status.VALID, Snippet.Status.OVERWRITTEN);
        }
        assertThat(shell.value("shown.size()")).isEqualTo("4");
        assertThat(shell.value(
                        "shown.stream().allMatch(x -> x.startsWith(\"text/html<\") && x.contains(\"</table>\"))"))
                .isEqualTo("true");
        assertThat(shell.value("shown.get(1).contains(\"Korea\")")).isEqualTo("true");
    }
}
