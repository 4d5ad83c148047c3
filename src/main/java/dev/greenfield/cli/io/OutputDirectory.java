package dev.greenfield.cli.io;

import dev.greenfield.failure.InputException;
import dev.greenfield.files.WorkLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The directory of {@code --out}, written whole or not at all. Files are made in a hidden directory: beside the target if
 * that does not exist yet, which is then one rename; inside it otherwise. From there they are moved into place, after older
 * files of the same names are removed and with {@value #RESULT} last, so that it is there only if all is. Results are replaced where
 * they are of the same command, or where that is forced; foreign files are never touched.
 */
public final class OutputDirectory implements AutoCloseable {
    public static final String RESULT = "result.json";
    public static final String TENSORS = "tensors.safetensors";
    public static final String REPORT = "report.html";
    /** Stands for the right to change files of the target; hidden, and gone when that is done. */
    private static final String LOCK = ".greenfield.lock";
    /** The order in which files come into place. */
    private static final List<String> NAMES = List.of(TENSORS, REPORT, RESULT);

    private final Path target;
    private final String asGiven;
    private final String command;
    private final boolean force;
    private final Staging staging;
    private final List<String> names = new ArrayList<>(NAMES); // in the order in which they come into place
    private boolean fresh; // there is no target yet

    private OutputDirectory(
            Path target, String asGiven, String command, boolean force, boolean fresh, Staging staging) {
        this.target = target;
        this.asGiven = asGiven;
        this.command = command;
        this.force = force;
        this.fresh = fresh;
        this.staging = staging;
    }

    /**
     * Makes the hidden directory, and with it sure that the target can be written.
     *
     * @param command whose results are to be written: it may replace its own
     * @param force whether it may replace those of others, and write beside foreign files
     * @throws InputException if it cannot, or the target holds something else
     */
    public static OutputDirectory open(String given, String command, boolean force) {
        Path target = path(given);
        boolean fresh = !Files.exists(target, LinkOption.NOFOLLOW_LINKS);
        if (!fresh && !Files.isDirectory(target)) {
            throw new InputException("--out " + Quantities.quoted(given)
                    + ": found something that is not a directory, expected a directory or a new name; choose another");
        }
        for (String name : NAMES) {
            if (!fresh && Files.isDirectory(target.resolve(name))) {
                throw new InputException("--out " + Quantities.quoted(given) + ": found a directory called " + name
                        + " in it, where a file has to go; move it away or choose another directory");
            }
        }
        if (!fresh && !force) {
            Occupant.requireOwn(target, given, command);
        }
        Staging staging = stage(fresh ? target.getParent() : target, given);
        return new OutputDirectory(target, given, command, force, fresh, staging);
    }

    /** The absolute path of a directory to write; refuses what cannot be one. */
    public static Path path(String given) {
        if (given.isBlank()) {
            throw new InputException("--out is empty: expected the name of a directory");
        }
        try {
            Path target = Path.of(given).toAbsolutePath().normalize();
            if (target.getParent() == null) {
                throw new InputException("--out " + Quantities.quoted(given)
                        + ": found the root of the file system; choose a directory of its own");
            }
            return target;
        } catch (InvalidPathException wrong) {
            throw new InputException(
                    "--out " + Quantities.quoted(given) + ": this cannot be a path (" + wrong.getReason() + ")"
                            + (given.codePoints().allMatch(c -> c < 128) ? "" : "; set LC_ALL=C.UTF-8"),
                    wrong);
        }
    }

    /** A hidden directory in {@code place}; {@code given} is what the message calls the target. */
    public static Staging stage(Path place, String given) {
        try {
            return Staging.in(place);
        } catch (IOException refused) {
            throw new InputException(
                    "--out " + Quantities.quoted(given) + " cannot be written: " + Failure.describe(refused)
                            + "; choose another directory",
                    refused);
        }
    }

    /** A file in the making. */
    public Path file(String name) {
        return staging.directory().resolve(name);
    }

    /** The hidden directory in which files are made. */
    public Path scratch() {
        return staging.directory();
    }

    /** A file in the making besides those that every command may write; it comes into place before them. */
    public Path further(String name) {
        names.add(0, name);
        return file(name);
    }

    /** Makes the target now, for work that is kept in it while it goes on; what is in the making still comes at once. */
    public Path makeNow() throws IOException {
        Files.createDirectories(target);
        fresh = false;
        return target;
    }

    /** The target as it was given. */
    @Override
    public String toString() {
        return asGiven;
    }

    /**
     * Puts everything into place.
     *
     * @throws InputException if another run made the new directory meanwhile, or another command wrote into the old one
     * @throws IOException if it cannot be; then nothing of it is left
     */
    public void commit() throws IOException {
        if (fresh) {
            staging.commit(() -> {
                try {
                    Files.move(staging.directory(), target, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException failure) {
                    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                        throw madeMeanwhile(asGiven, failure);
                    }
                    throw failure;
                }
            });
        } else {
            // Waited for outside of the commit: a signal may end the process meanwhile.
            WorkLock lock = WorkLock.await(target.resolve(LOCK));
            try {
                if (!force) {
                    // Another command may have been quicker.
                    Occupant.requireOwn(target, asGiven, command);
                }
                staging.commit(this::replace);
            } finally {
                lock.close();
            }
        }
    }

    /** What a run is told whose new directory is no longer new. */
    public static InputException madeMeanwhile(String given, IOException failure) {
        return new InputException(
                "--out " + Quantities.quoted(given)
                        + ": another run made this directory meanwhile; run again or choose another directory",
                failure);
    }

    private void replace() throws IOException {
        for (int i = names.size() - 1; i >= 0; i--) {
            Files.deleteIfExists(target.resolve(names.get(i)));
        }
        List<Path> moved = new ArrayList<>();
        try {
            for (String name : names) {
                if (Files.exists(file(name))) {
                    Files.move(file(name), target.resolve(name), StandardCopyOption.ATOMIC_MOVE);
                    moved.add(target.resolve(name));
                }
            }
        } catch (IOException failure) {
            for (Path file : moved) {
                Files.deleteIfExists(file);
            }
            throw failure;
        }
    }

    /** Removes what was not committed. */
    @Override
    public void close() {
        staging.close();
    }
}
