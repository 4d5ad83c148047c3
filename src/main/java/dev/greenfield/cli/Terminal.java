package dev.greenfield.cli;

import dev.greenfield.model.Lines;
import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Where texts go: results to standard output, progress and errors to standard error. Characters that a stream's encoding
 * lacks are replaced by look-alikes or escapes, so that nothing turns into question marks.
 */
final class Terminal {
    private final PrintStream out;
    private final PrintStream err;
    private final CharsetEncoder encoder;
    private final boolean colour;
    private boolean quiet;
    private volatile boolean ending; // a signal ends the process: whatever fails from now on fails because of it

    /** Writes to these streams, which take {@code charset}. */
    Terminal(PrintStream out, PrintStream err, Charset charset, boolean colour) {
        this.out = out;
        this.err = err;
        this.encoder = charset.newEncoder();
        this.colour = colour;
    }

    /** The streams of this process. In colour only where a person reads it in a terminal that shows Unicode. */
    static Terminal ofProcess() {
        Charset charset = charset();
        boolean unicode = charset.name().startsWith("UTF");
        String plain = System.getenv("NO_COLOR");
        boolean colour =
                unicode && (plain == null || plain.isEmpty()) && !"dumb".equals(System.getenv("TERM")) && interactive();
        return new Terminal(stream(FileDescriptor.out, charset), stream(FileDescriptor.err, charset), charset, colour);
    }

    private static PrintStream stream(FileDescriptor descriptor, Charset charset) {
        return new PrintStream(new BufferedOutputStream(new FileOutputStream(descriptor), 8192), true, charset);
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

    /** Whether a person reads standard output. From Java 22 on there may be a console that is not a terminal. */
    @SuppressWarnings("SystemConsoleNull") // asked both ways
    private static boolean interactive() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException olderJava) {
            return true;
        }
    }

    void quiet(boolean wanted) {
        quiet = wanted;
    }

    /** Whether heat maps may use colour and Unicode. */
    boolean colour() {
        return colour;
    }

    /** A line of results. */
    void line(String text) {
        out.println(encodable(text));
    }

    /** Lines of results that end with a line feed. */
    void block(String text) {
        out.print(encodable(text));
        out.flush();
    }

    /** A line about what is going on; not shown when quiet. */
    void progress(String text) {
        if (!quiet) {
            err.println(encodable(Lines.escaped(text)));
        }
    }

    /** The line that says why nothing came of it. */
    void error(String text) {
        if (!ending) {
            err.println(encodable("greenfield: " + Lines.escaped(text)));
        }
    }

    /** Says that a signal ended the process, and nothing after that. */
    void interrupted() {
        error("interrupted");
        ending = true;
    }

    /** The stack trace behind an error, for bug reports. */
    void trace(Throwable failure) {
        if (!ending) {
            failure.printStackTrace(err);
        }
    }

    /** Whether results were lost because standard output takes no more. */
    boolean lostOutput() {
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
                            default -> String.format("\\u%04x", (int) c);
                        });
            }
        }
        return line.toString();
    }
}
