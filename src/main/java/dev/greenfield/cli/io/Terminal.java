package dev.greenfield.cli.io;

import dev.greenfield.text.Lines;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Where texts go: results to standard output, progress and errors to standard error. Characters that a stream's encoding
 * lacks are replaced by look-alikes or escapes, so that nothing turns into question marks.
 */
public final class Terminal {
    private final PrintStream out;
    private final PrintStream err;
    private final ResultStream results; // below out; null where out is not this process's
    private final CharsetEncoder encoder;
    private final Screen screen;
    private boolean quiet;
    private int status; // characters of the line on standard error that the next one is written over
    private volatile boolean ending; // a signal ends the process: whatever fails from now on fails because of it

    /** Writes to these streams, which take {@code charset}. */
    public Terminal(PrintStream out, PrintStream err, Charset charset, Screen screen) {
        this(out, err, null, charset, screen);
    }

    private Terminal(PrintStream out, PrintStream err, ResultStream results, Charset charset, Screen screen) {
        this.out = out;
        this.err = err;
        this.results = results;
        this.encoder = charset.newEncoder();
        this.screen = screen;
    }

    /** The streams of this process. */
    public static Terminal ofProcess() {
        Charset charset = charset();
        return of(
                new FileOutputStream(FileDescriptor.out),
                ResultStream.ofPipe(),
                stream(new FileOutputStream(FileDescriptor.err), charset),
                charset,
                Screen.ofProcess(charset));
    }

    /** With results going to a stream whose reader may go; of a {@code pipe} that is all that can go wrong. */
    public static Terminal of(OutputStream out, boolean pipe, PrintStream err, Charset charset, Screen screen) {
        ResultStream results = new ResultStream(out, pipe);
        return new Terminal(stream(results, charset), err, results, charset, screen);
    }

    private static PrintStream stream(OutputStream out, Charset charset) {
        return new PrintStream(new BufferedOutputStream(out, 8192), true, charset);
    }

    /** Java 17 knows the encoding of a terminal under one name, later versions that of any output under another. */
    private static Charset charset() {
        for (String property : new String[] {"stdout.encoding", "sun.stdout.encoding", "native.encoding"}) {
            String name = System.getProperty(property);
            if (name != null && Charset.isSupported(name)) {
                return Charset.forName(name);
            }
        }
        return StandardCharsets.US_ASCII;
    }

    public void quiet(boolean wanted) {
        quiet = wanted;
    }

    /** Whether heat maps may use colour and Unicode. */
    public boolean colour() {
        return screen.colour();
    }

    /** Whether {@link #status} can be used. */
    public boolean rewrites() {
        return screen.rewrites() && !quiet;
    }

    /** The width of texts that are folded wherever they go; {@code otherwise} where nobody says and no person reads. */
    public int width(int otherwise) {
        return screen.width(otherwise);
    }

    /** Who reads the streams, for people. */
    public String screen() {
        return screen.described() + ", in " + encoder.charset();
    }

    /** How long a line of results may be: no longer than a terminal is wide, any length elsewhere. */
    public int room() {
        return screen.room();
    }

    /** How long the line of {@link #status} may be. */
    public int statusRoom() {
        return screen.status();
    }

    /** A line about what is going on that the next call writes over, and anything else that is printed; cut where it would wrap. */
    public synchronized void status(String text) {
        if (rewrites() && !ending) {
            String whole = encodable(Lines.escaped(text));
            String line = whole.length() <= statusRoom() ? whole : whole.substring(0, statusRoom() - 3) + "...";
            err.print("\r" + line + " ".repeat(Math.max(0, status - line.length())));
            err.flush();
            status = line.length();
        }
    }

    /** Wipes the line of {@link #status}, where there is one. */
    public synchronized void endStatus() {
        if (status > 0) {
            err.print("\r" + " ".repeat(status) + "\r");
            err.flush();
            status = 0;
        }
    }

    /** A line of results, in as many as the terminal needs. */
    public void line(String text) {
        endStatus();
        out.println(text.lines()
                .map(line -> encodable(Lines.escaped(line)))
                .flatMap(line -> Folded.line(line, room()).stream())
                .collect(Collectors.joining("\n")));
    }

    /** A line of results that lines up with others, so that it is never folded. */
    void row(String text) {
        endStatus();
        out.println(encodable(Lines.escaped(text)));
    }

    /** Lines of results that end with a line feed. */
    public void block(String text) {
        endStatus();
        out.print(encodable(text));
        out.flush();
    }

    /** A line about what is going on; not shown when quiet. */
    public void progress(String text) {
        if (!quiet) {
            endStatus();
            String line = encodable(Lines.escaped(text));
            // Errors and notes stay one line each, which is what is copied into a search or a report.
            err.println(screen.rewrites() ? String.join("\n", Folded.line(line, screen.width(Screen.TERMINAL))) : line);
        }
    }

    /** A line that changes what the results mean; shown when quiet, too. */
    public void warning(String text) {
        if (!ending) {
            endStatus();
            err.println(encodable("greenfield: note: " + Lines.escaped(text)));
        }
    }

    /** The line that says why nothing came of it. */
    public void error(String text) {
        if (!ending) {
            endStatus();
            err.println(encodable("greenfield: " + Lines.escaped(text)));
        }
    }

    /** Says that a signal ended the process, and nothing after that. */
    public void interrupted() {
        error("interrupted");
        ending = true;
    }

    /** The stack trace behind an error, for bug reports. */
    public void trace(Throwable failure) {
        if (!ending) {
            failure.printStackTrace(err);
        }
    }

    /** Says that results go to files too, so that the work is wanted even if nobody reads on. */
    public void workOnWithoutReader() {
        if (results != null) {
            results.workOn();
        }
    }

    /** Whether the reader of standard output went away before the end. */
    public boolean readerGone() {
        return results != null && results.gone();
    }

    /** Whether results were lost because standard output takes no more. */
    public boolean lostOutput() {
        return out.checkError();
    }

    private String encodable(String text) {
        if (encoder.canEncode(text)) {
            return text;
        }
        StringBuilder line = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (encoder.canEncode(c)) {
                line.append(c);
            } else {
                line.append(
                        switch (c) {
                            case '\u00b7' -> "_"; // a token's blank
                            case '\u2026' -> "...";
                            case '\u21b5' -> "\\n";
                            default -> String.format(Locale.ROOT, "\\u%04x", (int) c);
                        });
            }
        }
        return line.toString();
    }
}
