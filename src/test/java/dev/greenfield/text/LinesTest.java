package dev.greenfield.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What could harm a terminal, a table or a page is written as an escape; what people write stays. */
class LinesTest {
    @Test
    void nothingMovesTheCursorOrTurnsTheLine() {
        assertThat(Lines.escaped("a\u001b[2Jb\u009bc\u007f\n\r\t\u0000"))
                .isEqualTo("a\\u001b[2Jb\\u009bc\\u007f\\n\\r\\t\\u0000");
        for (int c : new int[] {
            0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200e, 0x200f, 0x061c
        }) {
            assertThat(Lines.escaped("a" + Character.toString(c))).isEqualTo("a\\u%04x".formatted(c));
        }
        assertThat(Lines.escaped("\ufeff\u200b\u2028\ud800" + Character.toString(0xe0041)))
                .isEqualTo("\\ufeff\\u200b\\u2028\\ud800\\u{e0041}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "caf\u00e9",
                "\u0e01\u0e33",
                "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645",
                "\ud83d\udc68\u200d\ud83d\udc69",
                "\u05e9\u05dc\u05d5\u05dd"
            })
    void whatPeopleWriteStays(String text) {
        assertThat(Lines.escaped(text)).isEqualTo(text);
    }
}
