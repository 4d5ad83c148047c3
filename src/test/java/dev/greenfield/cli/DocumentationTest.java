package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs every command line that the README and the pages of docs/ show, as written. */
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
    void shownCommandWorks(String page, String command, @TempDir Path directory) {
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
            }
        }
    }

    @Test
    void thereAreCommandsToRun() throws IOException {
        assertThat(commands()).hasSizeGreaterThanOrEqualTo(4);
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        Pattern link = Pattern.compile("\\]\\(([^)#:]+)\\)");
        for (Path page : pages()) {
            Matcher matcher = link.matcher(Files.readString(page));
            while (matcher.find()) {
                Path target = page.resolveSibling(matcher.group(1));
                assertThat(target).as("link in " + page).exists();
            }
        }
    }
}
