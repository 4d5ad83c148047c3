package dev.greenfield.cli.io;

import dev.greenfield.text.Lines;
import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Where texts go: results to standard output, progress and errors to standard error. Characters that a stream's encoding
 * lacks are replaced by look-alikes or escapes, so that nothing turns into question marks.
 */
public final class Terminal {
    private final PrintStream out;
    private final PrintStream err;
    private final CharsetEncoder encoder;
    private final boolean colour;
    private final boolean rewrites;
    private boolean quiet;
    private int status; // characters of the line on standard error that the next one is written over
    private volatile boolean ending; // a signal ends the process: whatever fails from now on fails because of it

    /** Writes to these streams, which take {@code charset}. */
    public Terminal(PrintStream out, PrintStream err, Charset charset, boolean colour) {
        this(out, err, charset, colour, false);
    }

    /** With {@code rewrites}, standard error is a terminal, on which a line can be written over. */
    public Terminal(PrintStream out, PrintStream err, Charset charset, boolean colour, boolean rewrites) {
        this.out = out;
        this.err = err;
        this.encoder = charset.newEncoder();
        this.colour = colour;
        this.rewrites = rewrites;
    }

    /** The streams of this process. In colour only where a person reads it in a terminal that shows Unicode. */
    public static Terminal ofProcess() {
        Charset charset = charset();
        boolean unicode = charset.name().startsWith("UTF");
        String plain = System.getenv("NO_COLOR");
        boolean dumb = "dumb".equals(System.getenv("TERM"));
        boolean colour = unicode && (plain == null || plain.isEmpty()) && !dumb && interactive();
        return new Terminal(
                stream(FileDescriptor.out, charset),
                stream(FileDescriptor.err, charset),
                charset,
                colour,
                !dumb && errorsInteractive());
    }

    /** Whether a person reads standard error. Java does not say; Linux does, elsewhere standard output stands for it. */
    private static boolean errorsInteractive() {
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty") || file.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException notLinux) {
            return interactive();
        }
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

    public void quiet(boolean wanted) {
        quiet = wanted;
    }

    /** Whether heat maps may use colour and Unicode. */
    public boolean colour() {
        return colour;
    }

    /** Whether {@link #status} can be used. */
    public boolean rewrites() {
        return rewrites && !quiet;
    }

    /** A line about what is going on that the next call writes over, and anything else that is printed. */
    public synchronized void status(String text) {
        if (rewrites() && !ending) {
            String line = encodable(Lines.escaped(text));
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

    /** A line of results. */
    public void line(String text) {
        endStatus();
        out.println(encodable(text.lines().map(Lines::escaped).collect(Collectors.joining("\n"))));
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
            err.println(encodable(Lines.escaped(text)));
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
