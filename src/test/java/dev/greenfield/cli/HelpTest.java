package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.cli.io.Screen;
import dev.greenfield.cli.io.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Help says what a command takes and nothing else, fits the terminal, and its examples are of it. */
class HelpTest {
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");
    private static final Pattern LISTED = Pattern.compile("(?m)^  (?:-h, )?(--[a-z-]+)");

    private static String help(String command, int columns) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                StandardCharsets.UTF_8,
                new Screen(false, false, false, columns));
        assertThat(command.isEmpty() ? Main.run(terminal, "--help") : Main.run(terminal, command, "--help"))
                .isZero();
        return out.toString(StandardCharsets.UTF_8);
    }

    static Stream<String> commands() {
        return Commands.byName().keySet().stream();
    }

    static Stream<String> examples() {
        return Commands.byName().values().stream().flatMap(entry -> entry.examples().stream());
    }

    /** An example in words, as a shell cuts it. */
    static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(line);
        while (matcher.find()) {
            words.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2));
        }
        return words;
    }

    private static Set<String> listed(String command) {
        return LISTED.matcher(help(command, 0))
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasTwoExamplesOfItself(String command) {
        List<String> examples = Commands.byName().get(command).examples();
        assertThat(examples).hasSizeGreaterThanOrEqualTo(2).doesNotHaveDuplicates();
        assertThat(examples).allMatch(example -> words(example).get(0).equals(command));
        assertThat(help(command, 10_000)).contains(examples);
    }

    /** What an example uses is what the help above it lists. */
    @ParameterizedTest
    @MethodSource("examples")
    void examplesUseWhatHelpLists(String example) {
        List<String> words = words(example);
        new CommandLine(Commands.byName().get(words.get(0)).make().get())
                .setExpandAtFiles(false)
                .parseArgs(words.subList(1, words.size()).toArray(String[]::new));
        assertThat(listed(words.get(0)))
                .containsAll(words.stream()
                        .filter(word -> word.startsWith("--"))
                        .map(word -> word.replaceFirst("=.*", ""))
                        .toList());
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 60, 80, 100})
    void noLineIsLongerThanTheTerminal(int columns) {
        Stream.concat(Stream.of(""), commands())
                .flatMap(command -> help(command, columns).lines())
                // A text in quotes, or an option with its value, is not torn apart: the shell would read another.
                .filter(line -> !line.matches(" {2,4}(\".*\"|\\S+( \\S+| \".*\")?)( \\\\)?"))
                .forEach(line -> assertThat(line.length()).as(line).isLessThanOrEqualTo(columns));
    }

    @Test
    void whatACommandHasNoUseForIsNotListed() {
        for (String command : List.of("predict", "scale", "study")) {
            assertThat(listed(command))
                    .contains("--suite", "--seed", "--model")
                    .doesNotContain("--prompt", "--tokens", "--answer", "--foil", "--position");
        }
        for (String command : List.of("field", "sensitivity", "lens", "infer", "transfer")) {
            assertThat(listed(command)).contains("--prompt").doesNotContain("--seed");
        }
        assertThat(listed("demo")).contains("--prompt", "--corrupt").doesNotContain("--tokens");
        assertThat(listed("doctor")).containsExactlyInAnyOrder("--verbose", "--help", "--version");
        assertThat(listed("merge")).containsExactlyInAnyOrder("--out", "--force", "--verbose", "--help", "--version");
    }

    @Test
    void theReferenceHasEveryOption() throws IOException {
        String reference = Files.readString(Path.of("docs/reference.md"));
        commands()
                .flatMap(command -> listed(command).stream())
                .distinct()
                .forEach(option -> assertThat(reference.contains("`" + option))
                        .as("docs/reference.md has " + option)
                        .isTrue());
    }

    @Test
    void theGeneralHelpHasEveryCommand() {
        String help = help("", 0);
        for (Map.Entry<String, Commands.Entry> command : Commands.byName().entrySet()) {
            assertThat(help).contains("  " + command.getKey() + " ");
            assertThat(command.getValue().description()).endsWith(".");
        }
        assertThat(Cli.run("help", "mpa").err()).contains("did you mean \"map\"?");
    }
}
