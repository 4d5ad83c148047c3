package dev.greenfield.cli.io;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * A hidden directory to make files in before they get their place. Unless it is committed, it is removed with the parents
 * that were made for it, also when a signal ends the process.
 */
public final class Staging implements AutoCloseable {
    /** How often removal is tried: a writer that is under way may add a file between listing and deleting. */
    private static final int ATTEMPTS = 50;

    private final Path directory;
    private final List<Path> madeParents; // the deepest first
    private final Thread onExit = new Thread(this::remove, "greenfield-clean-up");
    private boolean ended;

    private Staging(Path directory, List<Path> madeParents) {
        this.directory = directory;
        this.madeParents = madeParents;
    }

    /** What puts the files into place. */
    public interface Move {
        void run() throws IOException;
    }

    /**
     * Makes the hidden directory.
     *
     * @param place the directory to make it in, which is itself made where it is missing
     * @throws IOException if it cannot be made; then nothing is left
     */
    public static Staging in(Path place) throws IOException {
        List<Path> made = new ArrayList<>();
        try {
            makeDirectories(place, made);
            Path directory = place.resolve(".greenfield-" + UUID.randomUUID());
            Files.createDirectory(directory);
            Staging staging = new Staging(directory, made);
            Runtime.getRuntime().addShutdownHook(staging.onExit);
            return staging;
        } catch (IOException refused) {
            removeEmpty(made);
            throw refused;
        }
    }

    /** Like {@link Files#createDirectories}, noting what was made. */
    private static void makeDirectories(Path directory, List<Path> made) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        if (directory.getParent() != null) {
            makeDirectories(directory.getParent(), made);
        }
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException meanwhile) {
            if (Files.isDirectory(directory)) {
                return; // another run made it meanwhile
            }
            throw meanwhile;
        }
        made.add(0, directory);
    }

    /** The hidden directory. */
    public Path directory() {
        return directory;
    }

    /**
     * Moves what was made; the hidden directory, if it is still there, and the promise to remove it go.
     *
     * @throws IOException if the move fails, or the process is ending
     */
    public synchronized void commit(Move move) throws IOException {
        if (ended) {
            throw new IOException("interrupted: nothing was written");
        }
        move.run();
        delete(directory);
        ended = true;
        release();
    }

    /** Removes what was not committed. */
    @Override
    public void close() {
        if (remove()) {
            release();
        }
    }

    private void release() {
        try {
            Runtime.getRuntime().removeShutdownHook(onExit);
        } catch (IllegalStateException ending) {
            // The process is ending and the hook runs; it finds nothing to do.
            return;
        }
    }

    /** Whether there was anything to remove. Also run when the process ends, while another thread may still write. */
    private synchronized boolean remove() {
        if (ended) {
            return false;
        }
        ended = true;
        for (int attempt = 0; attempt < ATTEMPTS && Files.exists(directory); attempt++) {
            try {
                delete(directory);
            } catch (IOException busy) {
                LockSupport.parkNanos(1_000_000);
            }
        }
        removeEmpty(madeParents);
        return true;
    }

    private static void delete(Path tree) throws IOException {
        if (Files.isDirectory(tree, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(tree)) {
                for (Path entry : entries) {
                    delete(entry);
                }
            }
        }
        Files.deleteIfExists(tree);
    }

    private static void removeEmpty(List<Path> directories) {
        for (Path directory : directories) {
            try {
                Files.deleteIfExists(directory);
            } catch (IOException used) {
                return; // somebody else's by now
            }
        }
    }
}
