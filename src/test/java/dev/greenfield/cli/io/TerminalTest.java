package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TerminalTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Terminal terminal(Charset charset) {
        return new Terminal(
                new PrintStream(out, true, charset), new PrintStream(err, true, charset), charset, Screen.NONE);
    }

    @Test
    void whatAnEncodingLacksIsReplaced() {
        terminal(StandardCharsets.US_ASCII).line("\u00b7Paris\u2026 \u21b5 caf\u00e9");
        assertThat(out.toString(StandardCharsets.US_ASCII))
                .isEqualTo("_Paris... \\n caf\\u00e9" + System.lineSeparator());
    }

    @Test
    void whatAnEncodingHasIsKept() {
        terminal(StandardCharsets.UTF_8).line("\u00b7Paris \ud83d\ude00");
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("\u00b7Paris \ud83d\ude00" + System.lineSeparator());
    }

    @Test
    void errorsAreOneLine() {
        terminal(StandardCharsets.UTF_8).error("a\nb\r\u001b[31m");
        assertThat(err.toString(StandardCharsets.UTF_8))
                .isEqualTo("greenfield: a\\nb\\r\\u001b[31m" + System.lineSeparator());
    }

    @Test
    void quietKeepsErrorsAndResults() {
        Terminal terminal = terminal(StandardCharsets.UTF_8);
        terminal.quiet(true);
        terminal.progress("working");
        terminal.line("result");
        terminal.error("wrong");
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("result");
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith("greenfield: wrong")
                .hasLineCount(1);
    }

    @Test
    void afterAnInterruptNothingElseIsSaid() {
        Terminal terminal = terminal(StandardCharsets.UTF_8);
        terminal.interrupted();
        terminal.error("the directory is gone");
        terminal.trace(new IllegalStateException());
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("greenfield: interrupted" + System.lineSeparator());
    }
}
