package dev.greenfield.cli.io;

import java.io.Console;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What is known of who reads the streams. Java does not ask a terminal for its width; {@code COLUMNS} says it where a shell exports
 * it.
 *
 * @param person whether standard output is a terminal: only there lines and tables are fitted to a width
 * @param colour whether heat maps may use colour and Unicode
 * @param rewrites whether standard error is a terminal, on which a line can be written over
 * @param columns of {@code COLUMNS}; 0 where that says nothing
 */
public record Screen(boolean person, boolean colour, boolean rewrites, int columns) {
    /** Streams that go to files and programs. */
    public static final Screen NONE = new Screen(false, false, false, 0);

    /** Columns of a terminal that does not say how many it has. */
    static final int TERMINAL = 100;

    /** The line that is written over must not wrap in any terminal, or its beginning stays. */
    private static final int STATUS = 80;

    private static final int FEWEST = 20;
    private static final int MOST = 10_000;

    /** Of this process. In colour only where a person reads it in a terminal that shows Unicode. */
    static Screen ofProcess(Charset charset) {
        boolean unicode = charset.name().startsWith("UTF");
        String plain = System.getenv("NO_COLOR");
        boolean dumb = "dumb".equals(System.getenv("TERM"));
        boolean person = interactive();
        return new Screen(
                person,
                unicode && (plain == null || plain.isEmpty()) && !dumb && person,
                !dumb && errorsInteractive(),
                columns(System.getenv("COLUMNS")));
    }

    /** A number of columns as a shell gives it; 0 where it is none that can be written in. */
    static int columns(String given) {
        if (given == null || !given.strip().matches("[0-9]{1,5}")) {
            return 0;
        }
        int columns = Integer.parseInt(given.strip());
        return columns > MOST || columns == 0 ? 0 : Math.max(FEWEST, columns);
    }

    /** The width of texts that are folded wherever they go, such as help; {@code otherwise} where nobody says and no person reads. */
    int width(int otherwise) {
        return columns > 0 ? columns : person ? TERMINAL : otherwise;
    }

    /** For people. */
    String described() {
        return (person
                        ? "standard output is a terminal" + (colour ? " in colour" : "")
                        : "standard output is no terminal")
                + (rewrites ? ", standard error one that is written over" : "")
                + (columns > 0 ? ", " + columns + " columns by COLUMNS" : ", COLUMNS says nothing");
    }

    /** How long a line of results may be. */
    int room() {
        return person ? width(TERMINAL) : Integer.MAX_VALUE;
    }

    /** How long a line may be that is written over. */
    int status() {
        return (columns > 0 ? columns : STATUS) - 1;
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
}
