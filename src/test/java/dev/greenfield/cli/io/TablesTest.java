package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What narrow terminals get: everything, in lines that fit. */
class TablesTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Terminal terminal(boolean person, int columns) {
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        return new Terminal(stream, stream, StandardCharsets.UTF_8, new Screen(person, false, false, columns));
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    private static List<List<String>> wide(int columns) {
        List<String> heading = new ArrayList<>(List.of("depth", "token"));
        List<String> row = new ArrayList<>(List.of("12", "4 Sofia"));
        for (int c = 0; c < columns; c++) {
            heading.add(String.format(Locale.ROOT, "column%02d", c));
            row.add("" + c);
        }
        return List.of(heading, row);
    }

    @Test
    void aWideTableIsPrintedInBlocks() {
        Tables.print(terminal(true, 41), "title", wide(4));
        assertThat(printed()).isEqualTo("""

                title
                  depth  token    column00  column01
                     12  4 Sofia         0         1

                  depth  token    column02  column03
                     12  4 Sofia         2         3
                """);
    }

    @Test
    void filesGetWholeLines() {
        Tables.print(terminal(false, 40), "a title that is longer than a line of forty columns", wide(20));
        assertThat(printed().lines()).hasSize(4);
        assertThat(printed())
                .contains("\na title that is longer than a line of forty columns\n")
                .contains("column19\n");
    }

    @ParameterizedTest
    @CsvSource({"20, 1", "40, 7", "60, 30", "100, 30"})
    void nothingIsCutOffAndNothingIsTooLong(int width, int columns) {
        Tables.print(terminal(true, width), "t", wide(columns));
        for (int c = 0; c < columns; c++) {
            assertThat(printed()).containsOnlyOnce(String.format(Locale.ROOT, "column%02d", c));
        }
        // Below the widest pair of columns nothing can be done.
        printed().lines().forEach(line -> assertThat(line.length()).isLessThanOrEqualTo(Math.max(width, 26)));
    }

    @Test
    void linesOfResultsAreFoldedInATerminalOnly() {
        String line =
                "ranks     answer Bulgarian 1 of 291, probability 1.00; foil German 2 of 291, probability 1.47e-05";
        terminal(false, 40).line(line);
        assertThat(printed()).isEqualTo(line + "\n");
        out.reset();
        terminal(true, 40).line(line);
        assertThat(printed()).isEqualTo("""
                ranks     answer Bulgarian 1 of 291,
                          probability 1.00; foil German
                          2 of 291, probability 1.47e-05
                """);
        out.reset();
        terminal(true, 0).line(line);
        assertThat(printed()).isEqualTo(line + "\n");
    }

    @Test
    void linesOfProgressAreFoldedInATerminalOnly() {
        String line = "patching the prompt's run with the corrupt run's residual at each site";
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        new Terminal(stream, stream, StandardCharsets.UTF_8, new Screen(false, false, false, 40)).progress(line);
        assertThat(printed()).isEqualTo(line + "\n");
        out.reset();
        Terminal narrow = new Terminal(stream, stream, StandardCharsets.UTF_8, new Screen(false, false, true, 40));
        narrow.progress(line);
        assertThat(printed()).isEqualTo("""
                patching the prompt's run with the
                  corrupt run's residual at each site
                """);
        out.reset();
        narrow.error(line);
        assertThat(printed()).as("an error is one line").isEqualTo("greenfield: " + line + "\n");
    }

    @Test
    void aWordThatIsTooLongSticksOut() {
        String path = "/a/very/long/path/of/some/fifty/characters/in/all/of/it";
        assertThat(Folded.line("written to " + path + " at once", 40))
                .containsExactly("written to", "  " + path, "  at once");
        assertThat(Folded.line(path, 40)).containsExactly(path);
        assertThat(Folded.line("", 40)).containsExactly("");
        assertThat(Folded.lines("a b", 1, 0)).containsExactly("a", "b");
    }

    @ParameterizedTest
    @CsvSource({"60, 60", "' 60 ', 60", "7, 20", "0, 0", "-1, 0", "wide, 0", "99999, 0", "'', 0", "60.5, 0", ", 0"})
    void columnsAreANumberOrNothing(String given, int columns) {
        assertThat(Screen.columns(given)).isEqualTo(columns);
    }
}
