package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Standard output whose reader goes away, and one that fails otherwise. */
class ResultStreamTest {
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    /** Takes a line, then fails. */
    private OutputStream oneLine(String failure) {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                if (read.toString(StandardCharsets.UTF_8).endsWith("\n")) {
                    throw new IOException(failure);
                }
                read.write(b);
            }
        };
    }

    private Terminal terminal(String failure, boolean pipe) {
        return Terminal.of(
                oneLine(failure),
                pipe,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                StandardCharsets.UTF_8,
                Screen.NONE);
    }

    @Test
    void withNothingElseToDoTheWorkEnds() {
        for (String failure : new String[] {"Broken pipe", "The pipe is being closed"}) {
            read.reset();
            Terminal terminal = terminal(failure, false);
            terminal.line("first");
            assertThat(terminal.readerGone()).isFalse();
            assertThatThrownBy(() -> terminal.line("second")).isInstanceOf(ResultStream.ReaderGone.class);
            assertThat(terminal.readerGone()).isTrue();
            terminal.line("what is printed while it ends");
            assertThat(terminal.lostOutput()).isFalse();
        }
        assertThat(read.toString(StandardCharsets.UTF_8)).isEqualTo("first" + System.lineSeparator());
    }

    @Test
    void withFilesToWriteItGoesOn() {
        Terminal terminal = terminal("Datenübergabe unterbrochen (broken pipe)", false);
        terminal.workOnWithoutReader();
        for (String line : new String[] {"first", "second", "third"}) {
            terminal.line(line);
        }
        assertThat(terminal.readerGone()).isTrue();
    }

    /** What a pipe's failure says depends on the language; that it is a pipe does not. */
    @Test
    void aPipeFailsInOneWayOnly() {
        Terminal terminal = terminal("Relais brisé", true);
        terminal.line("first");
        assertThatThrownBy(() -> terminal.line("second")).isInstanceOf(ResultStream.ReaderGone.class);
    }

    @Test
    void aFullDiskIsNoReaderThatWent() {
        Terminal terminal = terminal("No space left on device", false);
        terminal.line("first");
        terminal.line("second");
        assertThat(terminal.readerGone()).isFalse();
        assertThat(terminal.lostOutput()).isTrue();
    }

    @Test
    void nobodyIsToldThatNobodyReads() {
        assertThat(Failure.readerGone()).isEqualTo(new Failure(141, null));
    }
}
