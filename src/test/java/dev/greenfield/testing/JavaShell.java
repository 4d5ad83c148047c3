package dev.greenfield.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.List;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;

/** A fresh jshell with the tests' class path and the imports that jshell makes by itself. Snippets run in this process. */
public final class JavaShell implements AutoCloseable {
    /** What jshell imports before its user types anything. */
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

    private final JShell shell = JShell.builder().executionEngine("local").build();

    public JavaShell() {
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            shell.addToClasspath(entry);
        }
        IMPORTED.forEach(names -> type("import " + names + ";", Snippet.Status.VALID));
    }

    /**
     * Types snippets one after the other; each must be whole, have one of these outcomes, and throw nothing.
     *
     * @return how many they are
     */
    public int type(String source, Snippet.Status... outcomes) {
        int snippets = 0;
        String rest = source;
        while (!rest.isBlank()) {
            CompletionInfo next = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            assertThat(next.completeness().isComplete())
                    .as("cannot be read: " + rest)
                    .isTrue();
            for (SnippetEvent event : shell.eval(next.source())) {
                requireFine(event, next.source(), outcomes);
            }
            snippets++;
            rest = next.remaining();
        }
        return snippets;
    }

    private void requireFine(SnippetEvent event, String source, Snippet.Status... outcomes) {
        List<String> problems = shell.diagnostics(event.snippet())
                .map(problem -> problem.getMessage(null))
                .toList();
        assertThat(event.status()).as(source + problems).isIn((Object[]) outcomes);
        String thrown = event.exception() instanceof EvalException e
                ? e.getExceptionClassName() + ": " + e.getMessage()
                : String.valueOf(event.exception());
        assertThat(event.exception()).as(source + thrown).isNull();
    }

    /** What jshell prints of an expression. */
    public String value(String expression) {
        return shell.eval(expression).get(0).value();
    }

    @Override
    public void close() {
        shell.close();
    }
}
