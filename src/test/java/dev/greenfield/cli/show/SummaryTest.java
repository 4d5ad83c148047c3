package dev.greenfield.cli.show;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.cli.io.Screen;
import dev.greenfield.cli.io.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What is said beside results. */
class SummaryTest {
    private static String unsettled(int unsettled, int all) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);
        Summary.unsettled(new Terminal(System.out, err, StandardCharsets.UTF_8, Screen.NONE), unsettled, all);
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void singularValuesThatHaveNotSettledAreSaidToBeBoundsAlsoWhenQuiet() {
        assertThat(unsettled(2, 10).strip())
                .isEqualTo("greenfield: note: the singular values of 2 of 10 operators had not settled when the search"
                        + " ended and are lower bounds: ask for fewer of them, or raise --memory");
        assertThat(unsettled(1, 1)).contains("of 1 operator had");
        assertThat(unsettled(0, 10)).isEmpty();
    }
}
