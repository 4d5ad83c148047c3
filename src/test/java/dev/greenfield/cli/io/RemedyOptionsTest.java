package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The library speaks of what there is to do, the command line of its options. */
class RemedyOptionsTest {
    private static final Path SOURCES = Path.of("src", "main", "java", "dev", "greenfield");
    /** An option's name between the quotes of a string. */
    private static final Set<String> ALL = Set.of("--memory", "--tokens", "--backend");

    private static final Pattern OPTION = Pattern.compile("\"[^\"\\n]*--[a-z][^\"\\n]*\"");

    @Test
    void theLibraryNamesNoOption() throws IOException {
        for (Path file : library()) {
            assertThat(OPTION.matcher(Files.readString(file)).results().map(found -> found.group()))
                    .as("options in the strings of " + file)
                    .isEmpty();
        }
    }

    /** What the test above looks for is there to be found: on the command line. */
    @Test
    void thePatternFindsOptions() throws IOException {
        Path options = SOURCES.resolve("cli/job/CommonOptions.java");
        assertThat(OPTION.matcher(Files.readString(options)).results().count()).isGreaterThan(5);
    }

    @ParameterizedTest
    @EnumSource(Remedy.class)
    void everyRemedyHasItsOption(Remedy remedy) {
        String option = RemedyOptions.of(remedy);
        assertThat(option).matches(".*--[a-z]+.*|'[a-z]+' says .*|run greenfield [a-z]+");
        assertThat(RemedyOptions.in("found 1, expected 2: " + remedy + " or close earlier runs"))
                .isEqualTo("found 1, expected 2: " + option + " or close earlier runs");
    }

    @Test
    void everyRemedyIsUsed() throws IOException {
        StringBuilder all = new StringBuilder();
        for (Path file : library()) {
            all.append(Files.readString(file));
        }
        for (Remedy remedy : Remedy.values()) {
            assertThat(all).as("the library's sources").contains("Remedy." + remedy.name());
        }
    }

    /** One phrase within another would be replaced twice. */
    @Test
    void phrasesDoNotOverlap() {
        for (Remedy one : Remedy.values()) {
            assertThat(Arrays.stream(Remedy.values()).filter(other -> other != one))
                    .noneMatch(other -> other.phrase().contains(one.phrase())
                            || RemedyOptions.of(other).contains(one.phrase()));
        }
    }

    @Test
    void failuresReachTheUserInOptions() {
        assertThat(Failure.of(new MemoryBudgetException("too much: " + Remedy.RAISE_MEMORY), "map", ALL))
                .isEqualTo(new Failure(Failure.MEMORY, "too much: raise --memory"));
        assertThat(Failure.of(new InputException("no words: " + Remedy.USE_TOKEN_IDS), "map", ALL))
                .isEqualTo(new Failure(Failure.INPUT, "no words: use token ids (--tokens)"));
        assertThat(Failure.of(new BackendException("no GPU", Remedy.USE_CPU.phrase()), "map", ALL))
                .isEqualTo(new Failure(Failure.BACKEND, "no GPU: use --backend cpu"));
        assertThat(Failure.of(new CancelledException("stopped"), "map", ALL).exit())
                .isEqualTo(130);
    }

    private static List<Path> library() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            List<Path> found = files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.startsWith(SOURCES.resolve("cli")))
                    .toList();
            assertThat(found).hasSizeGreaterThan(100);
            return found;
        }
    }
}
