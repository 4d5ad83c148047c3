package dev.greenfield.cli.io;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Nearest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Set;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What a failure means to the caller.
 *
 * @param exit the exit status
 * @param message what was found, what was expected, what to do
 */
public record Failure(int exit, String message) {
    public static final int DONE = 0;
    public static final int INPUT = 2;
    public static final int BACKEND = 3;
    static final int MEMORY = 4;
    /** What a shell says of a command that an interrupt ended. */
    static final int INTERRUPTED = 130;

    /** What a shell says of a command that a closed pipe ended. */
    static final int READER_GONE = 141;

    /** Nobody is there to be told. */
    public static Failure readerGone() {
        return new Failure(READER_GONE, null);
    }

    /**
     * The status and message of a failure. The library's remedies become options, as far as the command takes them.
     *
     * @param command null where none was named
     * @param options that it takes
     */
    public static Failure of(Throwable failure, String command, Set<String> options) {
        Failure plain = plain(failure, command, options);
        return new Failure(
                plain.exit(), RemedyOptions.in(plain.message(), command == null ? option -> true : options::contains));
    }

    private static Failure plain(Throwable failure, String command, Set<String> options) {
        if (failure instanceof ParameterException wrong) {
            String help = command == null ? "--help" : command + " --help";
            return new Failure(INPUT, usage(wrong, options) + " (see " + help + ")");
        }
        if (failure instanceof CancelledException) {
            return new Failure(INTERRUPTED, failure.getMessage());
        }
        if (failure instanceof InputException) {
            return new Failure(INPUT, failure.getMessage());
        }
        if (failure instanceof UncheckedIOException unchecked) {
            String text = unchecked.getMessage();
            boolean wrapped = text == null || text.equals(unchecked.getCause().toString());
            return new Failure(INPUT, wrapped ? describe(unchecked.getCause()) : text);
        }
        if (failure instanceof IOException unreadable) {
            return new Failure(INPUT, describe(unreadable));
        }
        if (failure instanceof BackendException || failure instanceof NativeLibraryException) {
            return new Failure(BACKEND, failure.getMessage());
        }
        if (failure instanceof InternalError fault
                && String.valueOf(fault.getMessage()).contains("unsafe memory access")) {
            return new Failure(
                    INPUT,
                    "a file was cut short or changed while it was in use, so that its contents are not to be trusted: leave it alone"
                            + " and run again");
        }
        if (failure instanceof LinkageError && System.getProperty("user.dir").indexOf('\ufffd') >= 0) {
            return new Failure(INPUT, "this locale cannot read the name of the working directory; set LC_ALL=C.UTF-8");
        }
        if (failure instanceof LinkageError) {
            return new Failure(
                    BACKEND,
                    "a native library does not work here: " + text(failure) + "; run 'doctor', or "
                            + Remedy.USE_REFERENCE);
        }
        if (failure instanceof MemoryBudgetException) {
            return new Failure(MEMORY, failure.getMessage());
        }
        if (failure instanceof OutOfMemoryError) {
            long most = Runtime.getRuntime().maxMemory() >> 20;
            return new Failure(
                    MEMORY,
                    "out of memory (" + text(failure) + "; Java may use " + most
                            + " MiB): give Java more with -Xmx, or ask for less, such as a shorter prompt");
        }
        return new Failure(
                BACKEND,
                "this is a bug in Greenfield: " + failure.getClass().getName() + ": " + text(failure)
                        + "; run it again with --verbose and report what it and 'doctor' print");
    }

    private static String usage(ParameterException wrong, Set<String> options) {
        if (wrong instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            String given = unmatched.getUnmatched().get(0);
            int value = given.indexOf('=');
            String name = value < 0 ? given : given.substring(0, value);
            if (name.startsWith("-")) {
                return "unknown option " + Quantities.quoted(name) + Nearest.question(name, options);
            }
            return "found " + Quantities.quoted(given)
                    + " where an option was expected; put a text of several words in quotes";
        }
        return wrong.getMessage();
    }

    private static String text(Throwable failure) {
        return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    }

    /** What an I/O failure says. Java's own messages of some kinds are only the path. */
    public static String describe(IOException failure) {
        if (failure instanceof FileSystemException file && file.getReason() == null && file.getFile() != null) {
            String what = failure instanceof NoSuchFileException
                    ? "there is no such file"
                    : failure instanceof AccessDeniedException
                            ? "permission is denied"
                            : failure instanceof FileAlreadyExistsException ? "something is there already" : null;
            if (what != null) {
                return file.getFile() + ": " + what;
            }
        }
        return text(failure);
    }
}
