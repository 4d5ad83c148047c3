package dev.greenfield.cli.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * A hidden directory to make files in before they get their place. Unless it is committed, it is removed with the parents
 * that were made for it, also when a signal ends the process.
 */
public final class Staging implements AutoCloseable {
    /** How often removal is tried: a writer that is under way may add a file between listing and deleting. */
    private static final int ATTEMPTS = 50;

    private static final String PREFIX = ".greenfield-";
    private static final Pattern NAME = Pattern.compile("\\.greenfield-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    /** The file that a run which lives keeps locked. */
    private static final String LOCK = ".lock";
    /** Those of this process: to open a file of these a second time would take its lock away. */
    private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final FileChannel lock; // null where the file system has none
    private final List<Path> madeParents; // the deepest first
    private final Thread onExit = new Thread(this::remove, "greenfield-clean-up");
    private boolean ended;

    private Staging(Path directory, List<Path> madeParents, FileChannel lock) {
        this.directory = directory;
        this.lock = lock;
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
            sweep(place);
            Path directory = place.resolve(PREFIX + UUID.randomUUID());
            Files.createDirectory(directory);
            Staging staging = new Staging(directory, made, lock(directory));
            Runtime.getRuntime().addShutdownHook(staging.onExit);
            return staging;
        } catch (IOException refused) {
            removeEmpty(made);
            throw refused;
        }
    }

    /** Shows other runs that the directory is in use. */
    private static FileChannel lock(Path directory) throws IOException {
        OURS.add(directory.toAbsolutePath());
        FileChannel channel =
                FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (IOException noLocks) {
            // Then nobody can tell whether this run lives, and nobody sweeps.
            Files.deleteIfExists(directory.resolve(LOCK));
        }
        channel.close();
        return null;
    }

    /** Gives the lock up, its file first: a directory without one is nobody's to sweep. */
    private void unlock() throws IOException {
        Files.deleteIfExists(directory.resolve(LOCK));
        if (lock != null) {
            lock.close();
        }
        OURS.remove(directory.toAbsolutePath());
    }

    /** Removes what runs that were killed have left in a place. */
    private static void sweep(Path place) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(place, PREFIX + "*")) {
            for (Path entry : entries) {
                if (NAME.matcher(entry.getFileName().toString()).matches()
                        && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)
                        && !OURS.contains(entry.toAbsolutePath())) {
                    sweepOne(entry);
                }
            }
        } catch (IOException | DirectoryIteratorException notOurs) {
            return; // what cannot be read or removed stays
        }
    }

    private static void sweepOne(Path left) throws IOException {
        Path file = left.resolve(LOCK);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            if (channel.tryLock() != null && Files.exists(file)) {
                delete(left);
            }
        } catch (NoSuchFileException | OverlappingFileLockException inUse) {
            return;
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
        unlock();
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
        try {
            unlock();
        } catch (IOException busy) {
            OURS.remove(directory.toAbsolutePath());
        }
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
