package dev.greenfield.fuzz;

import dev.greenfield.failure.GreenfieldException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/**
 * Files of every kind that is read, made from bytes: each is read, or refused by one of our exceptions with one line, within a time limit.
 * Anything else, an {@code OutOfMemoryError} or {@code StackOverflowError} among them, is a fault. Jazzer drives it by coverage
 * ({@link #fuzzerTestOneInput}), {@link #main} by a seed.
 */
public final class FuzzTarget {
    private static final long LIMIT_NANOS = 10_000_000_000L;
    private static final int BYTES = 160;

    /** Nothing that moves a terminal's cursor or turns its text round. */
    private static final Pattern ONE_LINE = Pattern.compile("[^\\p{Cntrl}\u202a-\u202e\u2066-\u2069]+");

    private static final int LONGEST = 4000;

    private static Subject jazzers;

    private FuzzTarget() {}

    /** What is read. */
    public enum Kind {
        SAFETENSORS,
        CONFIG,
        INDEX,
        TOKENIZER,
        SUITE,
        CHECKPOINT,
        STUDY,
        MERGE;

        Subject open() throws IOException {
            return switch (this) {
                case SAFETENSORS -> new SafetensorsSubject();
                case CONFIG, INDEX, TOKENIZER -> new ModelSubject(this);
                case SUITE -> new SuiteSubject();
                case CHECKPOINT -> new CheckpointSubject();
                case STUDY -> new StudySubject();
                case MERGE -> new MergeSubject();
            };
        }
    }

    /**
     * How a number of files fared.
     *
     * @param slowest of them, in ms
     */
    record Figures(Kind kind, int read, int refused, double slowest, double seconds) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%s: %d files, %d read, %d refused, 0 faults; slowest %.0f ms, %.1f s",
                    kind.name().toLowerCase(Locale.ROOT),
                    read + refused,
                    read,
                    refused,
                    slowest,
                    seconds);
        }
    }

    /** Reads so many files that follow from a seed. */
    static Figures run(Kind kind, int count, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        int read = 0;
        long slowest = 0;
        long begin = System.nanoTime();
        try (Subject subject = kind.open()) {
            for (int i = 0; i < count; i++) {
                byte[] bytes = new byte[BYTES];
                random.nextBytes(bytes);
                long start = System.nanoTime();
                try {
                    read += taken(subject, bytes) ? 1 : 0;
                } catch (Throwable fault) {
                    throw new AssertionError(kind + ", seed " + seed + ", file " + i + ": " + fault, fault);
                }
                slowest = Math.max(slowest, System.nanoTime() - start);
            }
        }
        return new Figures(kind, read, count - read, slowest / 1e6, (System.nanoTime() - begin) / 1e9);
    }

    /** Whether a file was read; it may be refused as the class says, and nothing else. */
    private static boolean taken(Subject subject, byte[] bytes) {
        long start = System.nanoTime();
        boolean read = false;
        Exception refusal = null;
        try {
            subject.read(new Choices(bytes));
            read = true;
        } catch (InputException | MemoryBudgetException | IOException | UncheckedIOException refused) {
            refusal = refused;
        } catch (GreenfieldException other) {
            throw new AssertionError("refused for another reason than the file", other);
        }
        if (!read) {
            String message = String.valueOf(refusal.getMessage());
            if (!ONE_LINE.matcher(message).matches() || message.length() > LONGEST) {
                throw new AssertionError("no message of one line: " + message, refusal);
            }
        }
        if (System.nanoTime() - start > LIMIT_NANOS) {
            throw new AssertionError("it took " + (System.nanoTime() - start) / 1_000_000 + " ms");
        }
        return read;
    }

    /** Jazzer's beginning; the argument is the kind. */
    public static void fuzzerInitialize(String[] arguments) throws IOException {
        jazzers = Kind.valueOf(arguments[0]).open();
    }

    /** Jazzer's call for one input. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        taken(jazzers, bytes);
    }

    /** Jazzer's end. */
    public static void fuzzerTearDown() throws IOException {
        jazzers.close();
    }

    /** A long run by a seed: kind, count, seed. */
    public static void main(String[] arguments) throws IOException {
        System.out.println(
                run(Kind.valueOf(arguments[0]), Integer.parseInt(arguments[1]), Long.parseLong(arguments[2])));
    }
}
