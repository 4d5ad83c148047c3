package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample that the documents show runs in jshell as it is printed, beside the imports that jshell itself makes. */
class JShellExampleTest {
    /** Those of the start of {@code jshell}. */
    private static final List<String> IMPORTED = List.of(
            "java.io.*",
            "java.math.*",
            "java.net.*",
            "java.nio.file.*",
            "java.util.*",
            "java.util.concurrent.*",
            "java.util.function.*",
            "java.util.prefs.*",
            "java.util.regex.*",
            "java.util.stream.*");

    @Test
    void theSampleRunsAsItIsPrinted(@TempDir Path directory) throws IOException {
        assumeTrue(ModuleLayer.boot().findModule("jdk.jshell").isPresent(), "this Java has no jshell");
        String sample = Files.readString(Path.of("docs/examples/library.jsh"))
                .replace(
                        "\"report.html\"",
                        "\"" + directory.resolve("report.html").toString().replace('\\', '/') + "\"");
        try (JShell shell = JShell.builder().executionEngine("local").build()) {
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                shell.addToClasspath(entry);
            }
            for (String names : IMPORTED) {
                run(shell, "import " + names + ";");
            }
            assertThat(run(shell, sample)).isGreaterThan(12);
            assertThat(value(shell, "leading.toString()")).contains("rank 8 of an operator [768, 128]");
            assertThat(value(shell, "s")).contains("sensitivity of F = ");
        }
        assertThat(directory.resolve("report.html")).isNotEmptyFile();
    }

    /** Runs snippets; how many they are. */
    private static int run(JShell shell, String source) {
        int snippets = 0;
        String rest = source;
        while (!rest.isBlank()) {
            SourceCodeAnalysis.CompletionInfo next = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            assertThat(next.completeness().isComplete()).as(rest).isTrue();
            for (SnippetEvent event : shell.eval(next.source())) {
                assertThat(event.exception()).as(next.source()).isNull();
                assertThat(event.status())
                        .as(() -> next.source()
                                + shell.diagnostics(event.snippet())
                                        .map(problem -> problem.getMessage(null))
                                        .toList())
                        .isEqualTo(Snippet.Status.VALID);
            }
            snippets++;
            rest = next.remaining();
        }
        return snippets;
    }

    private static String value(JShell shell, String expression) {
        return shell.eval(expression).get(0).value();
    }
}
