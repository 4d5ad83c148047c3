package dev.greenfield.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestTest {
    private static final List<String> COMMANDS = List.of("map", "merge", "patch", "predict", "sensitivity", "scale");

    @ParameterizedTest
    @CsvSource({
        "mpa, map", // two neighbours swapped are one edit
        "patc, patch",
        "pattch, patch",
        "patsh, patch",
        "MAP, map",
        "' merge', merge",
        "sens, sensitivity", // the only one that begins so
        "sensitivty, sensitivity",
        "snestivity, sensitivity"
    })
    void isTheNameThatDiffersLeast(String given, String meant) {
        assertThat(Nearest.of(given, COMMANDS)).contains(meant);
    }

    @ParameterizedTest
    @CsvSource({"ma", "p", "''", "nonsense", "pixel", "' '", "pr"})
    void isNothingWhereNothingIsNear(String given) {
        assertThat(Nearest.of(given, COMMANDS)).isEmpty();
    }

    @Test
    void prefersCaseAndBlanksToEdits() {
        assertThat(Nearest.of("paris", List.of("Pari", " Paris", "pairs"))).contains(" Paris");
        assertThat(Nearest.of("parsi", List.of("Paris", "parse"))).contains("Paris");
        assertThat(Nearest.of("Paris", List.of("Paris")))
                .as("what is known is no mistake")
                .isEmpty();
    }

    /** The distances of the optimal string alignment, by their effect: a third of the characters may differ, no more. */
    @Test
    void aThirdOfTheCharactersMayDiffer() {
        assertThat(Nearest.of("abcdef", List.of("abcdXY"))).isPresent();
        assertThat(Nearest.of("abcdef", List.of("abcXYZ"))).isEmpty();
        assertThat(Nearest.of("abcdef", List.of("badcef"))).as("two swaps").isPresent();
        assertThat(Nearest.of("abcdef", List.of("cab" + "def")))
                .as("moved, two edits")
                .isPresent();
        assertThat(Nearest.of("x".repeat(300), List.of("x".repeat(299)))).isEmpty();
    }

    @Test
    void asksOnOneLine() {
        assertThat(Nearest.question("mpa", COMMANDS)).isEqualTo(" (did you mean \"map\"?)");
        assertThat(Nearest.question("evil", List.of("ev\nil"))).isEqualTo(" (did you mean \"ev\\nil\"?)");
        assertThat(Nearest.question("nonsense", COMMANDS)).isEmpty();
    }

    @Test
    void aPathIsComparedWithWhatIsBesideIt(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("suite.json"), "[]");
        Files.createDirectory(directory.resolve("suites"));
        Path missing = directory.resolve("siute.json");
        assertThat(Nearest.question(missing, Files::isRegularFile))
                .isEqualTo(" (did you mean \"" + directory.resolve("suite.json") + "\"?)");
        assertThat(Nearest.question(missing, Files::isDirectory)).isEmpty();
        assertThat(Nearest.question(directory.resolve("no/such.json"), path -> true))
                .isEmpty();
        assertThat(Nearest.question(Path.of("/"), path -> true)).isEmpty();
    }
}
