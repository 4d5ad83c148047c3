package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The script and the Kotlin notebook of docs/examples do what they show, as far as that can be tried without jbang and kernel. The Java
 * notebook runs in the shell of {@link JShellExampleTest}.
 */
class NotebookExamplesTest {
    private static final Path EXAMPLES = Path.of("docs/examples");

    /** A script of jbang is a program in one file, which Java runs itself. */
    @Test
    void theScriptRunsAsItStands() throws IOException, InterruptedException {
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        EXAMPLES.resolve("ResponseMaps.java").toString())
                .redirectErrorStream(true)
                .start();
        String printed = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(java.waitFor()).as(printed).isZero();
        assertThat(printed)
                .contains(
                        "sensitivity of F = 11.5",
                        "response map of 5 levels and 6 tokens",
                        "|G| from each site to the whole last depth",
                        "Green operator from (depth 1, token 4)",
                        "rank 8 of an operator [768, 128]");
    }

    /** Cells of code, without the magics of a kernel. */
    static List<String> cells(String notebook) throws IOException {
        JsonNode json = new ObjectMapper().readTree(EXAMPLES.resolve(notebook).toFile());
        assertThat(json.path("nbformat").asInt()).isEqualTo(4);
        List<String> cells = new ArrayList<>();
        for (JsonNode cell : json.path("cells")) {
            if (cell.path("cell_type").asText().equals("code")) {
                JsonNode source = cell.path("source");
                StringBuilder text = new StringBuilder(source.isTextual() ? source.asText() : "");
                source.forEach(line -> text.append(line.asText()));
                cells.add(text.toString()
                        .lines()
                        .filter(line -> !line.startsWith("%") && !line.startsWith("@file:"))
                        .collect(Collectors.joining("\n")));
            }
        }
        return cells;
    }

    /** They are compiled, and run, with the Kotlin of src/it. */
    @Test
    void theKotlinNotebookIsTheProgramThatIsCompiled() throws IOException {
        String program = Files.readString(Path.of("src/it/kotlin/src/main/kotlin/Notebook.kt"));
        List<String> cells = cells("response_maps_kotlin.ipynb");
        assertThat(cells).hasSizeGreaterThan(6);
        assertThat(cells).allSatisfy(cell -> assertThat(program).contains(cell));
    }
}
