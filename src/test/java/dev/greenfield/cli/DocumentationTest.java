package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.text.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs every command line that the README and the pages of docs/ show, as written. */
@Tag("slow")
class DocumentationTest {
    private static final String COMMAND = "java -jar target/greenfield.jar ";
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");

    static Stream<Arguments> commands() throws IOException {
        List<Arguments> commands = new ArrayList<>();
        for (Path page : pages()) {
            for (String line : Files.readAllLines(page)) {
                if (line.startsWith(COMMAND)) {
                    commands.add(Arguments.of(page.toString(), line.substring(COMMAND.length())));
                }
            }
        }
        return commands.stream();
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(Path.of("README.md")));
        try (Stream<Path> docs = Files.list(Path.of("docs"))) {
            docs.filter(p -> p.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        return pages;
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("commands")
    void shownCommandWorks(String page, String command, @TempDir Path directory) throws IOException {
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(command);
        while (matcher.find()) {
            words.add(
                    matcher.group(1) != null
                            ? matcher.group(1)
                            : matcher.group(2) != null ? matcher.group(2) : matcher.group(3));
        }
        int out = words.indexOf("--out");
        if (out >= 0) {
            words.set(out + 1, directory.resolve(words.get(out + 1)).toString());
        }
        int checkpoint = words.indexOf("--checkpoint");
        if (checkpoint >= 0) {
            words.set(
                    checkpoint + 1, directory.resolve(words.get(checkpoint + 1)).toString());
        }
        int jacobian = words.indexOf("--jacobian");
        if (jacobian >= 0) {
            String average = directory.resolve(words.get(jacobian + 1)).toString();
            words.set(jacobian + 1, average);
            Cli.done("green", "--average", "--suite", "docs/examples/suite.json", "--out", average);
        }
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        int status = Main.run(
                new PrintStream(printed, true, StandardCharsets.UTF_8),
                new PrintStream(errors, true, StandardCharsets.UTF_8),
                words.toArray(String[]::new));
        assertThat(status).as(errors.toString(StandardCharsets.UTF_8)).isZero();
        assertThat(printed.toString(StandardCharsets.UTF_8)).isNotBlank();
        if (out >= 0) {
            Path written = Path.of(words.get(out + 1));
            if (words.get(0).equals("export")) {
                assertThat(written).isNotEmptyDirectory();
            } else {
                assertThat(written).isDirectoryContaining("glob:**/result.json");
                referenceDefines(written);
            }
        }
    }

    /** Every tensor and every field that a command wrote has a row in the reference. */
    private static void referenceDefines(Path written) throws IOException {
        Set<String> defined = new HashSet<>();
        Pattern name = Pattern.compile("`([^`]+)`");
        for (String line : Files.readAllLines(Path.of("docs/reference.md"))) {
            if (line.startsWith("|")) {
                name.matcher(line).results().forEach(match -> defined.add(match.group(1)));
            }
        }
        Path tensors = written.resolve("tensors.safetensors");
        if (Files.exists(tensors)) {
            try (Safetensors file = Safetensors.open(tensors)) {
                assertThat(file.names()).allSatisfy(tensor -> assertDefined(tensor, defined));
            }
        }
        JsonNode result = Json.parse(Files.readAllBytes(written.resolve("result.json")), "result.json");
        assertThat(ResultSchemaTest.schema().validate(result)).isEmpty();
        ((ObjectNode) result).remove("options"); // has fields named as options are, which the help lists
        for (String field : fields(result, new TreeSet<>())) {
            assertDefined(field, defined);
        }
    }

    /** Names of fields at any depth. Keys that are numbers, such as tolerances, are values. */
    private static Set<String> fields(JsonNode node, Set<String> names) {
        node.properties().forEach(field -> {
            if (!field.getKey().matches("[-+0-9.eE]+")) {
                names.add(field.getKey());
            }
        });
        node.forEach(child -> fields(child, names));
        return names;
    }

    /** A part of one capital letter in the reference, such as P in {@code map.frobenius.P}, stands for anything. */
    private static void assertDefined(String name, Set<String> defined) {
        boolean found = defined.contains(name)
                || defined.stream()
                        .filter(row -> row.contains("."))
                        .anyMatch(row ->
                                name.matches(row.replace(".", "\\.").replaceAll("(?<=\\.)[A-Z](?=\\\\|$)", "[^.]+")));
        assertThat(found).as("docs/reference.md has a row for " + name).isTrue();
    }

    @Test
    void thereAreCommandsToRun() throws IOException {
        assertThat(commands()).hasSizeGreaterThanOrEqualTo(4);
    }

    /** Files and headings that links of pages and of the READMEs in folders name. */
    @Test
    void linksLeadSomewhere() throws IOException {
        Pattern link = Pattern.compile("\\]\\(([^)#:]*)(?:#([^):]+))?\\)");
        List<Path> pages = new ArrayList<>(pages());
        for (String other : List.of(
                "CONTRIBUTING.md", "CHANGELOG.md", "cuda-kernels/README.md", "native/README.md", "spark/README.md")) {
            pages.add(Path.of(other));
        }
        pages.add(Path.of("benchmarks/README.md"));
        for (Path page : pages) {
            Matcher matcher = link.matcher(Files.readString(page));
            while (matcher.find()) {
                Path target = matcher.group(1).isEmpty() ? page : page.resolveSibling(matcher.group(1));
                assertThat(target).as("link in " + page).exists();
                if (matcher.group(2) != null) {
                    assertThat(headings(target))
                            .as("headings that " + page + " names")
                            .contains(matcher.group(2));
                }
            }
        }
    }

    /** The anchors that a page's headings have: lower case, blanks to hyphens, no punctuation. */
    private static List<String> headings(Path page) throws IOException {
        return Files.readAllLines(page).stream()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
                .map(line -> line.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
                .toList();
    }
}
