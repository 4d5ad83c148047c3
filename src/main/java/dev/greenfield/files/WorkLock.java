package dev.greenfield.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The right to work in a directory, held by one at a time on this machine. A locked file stands for it. The operating system takes the
 * lock off a process that dies, so that a file which a killed process left behind is in nobody's way.
 */
public final class WorkLock implements AutoCloseable {
    private static final long PAUSE_NANOS = 5_000_000;

    /**
     * The files that this process has locked. POSIX drops a process's lock on a file when any channel to that file is closed: so a
     * second channel is not even opened.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;
    private final boolean passing; // the file goes when the lock does
    private boolean closed; // not the channel's state: an interrupt closes that too

    private WorkLock(Path file, FileChannel channel, boolean passing) {
        this.file = file;
        this.channel = channel;
        this.passing = passing;
    }

    /**
     * Takes the lock if nobody has it. The file is made where it is missing, and stays.
     *
     * @return empty if this process or another has it
     * @throws IOException if the file cannot be opened, as in a directory that is missing
     */
    public static Optional<WorkLock> take(Path file) throws IOException {
        Path name = name(file);
        if (!HELD.add(name)) {
            return Optional.empty();
        }
        FileChannel channel = null;
        boolean taken = false;
        try {
            channel = FileChannel.open(
                    name,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
            taken = locked(channel);
            return taken ? Optional.of(new WorkLock(name, channel, false)) : Optional.empty();
        } finally {
            if (!taken) {
                release(name, channel);
            }
        }
    }

    /**
     * Waits until the lock is free, and takes it. The file goes when the lock does.
     *
     * @throws IOException if the file cannot be opened, as in a directory that is missing
     */
    public static WorkLock await(Path file) throws IOException {
        Path name = name(file);
        while (!HELD.add(name)) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        boolean taken = false;
        try {
            while (true) {
                FileChannel channel = FileChannel.open(
                        name, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                try {
                    Object opened = identity(name);
                    while (!locked(channel)) {
                        LockSupport.parkNanos(PAUSE_NANOS);
                    }
                    // Whoever held it before has deleted the file: then the next one may have made another.
                    taken = Files.exists(name) && Objects.equals(opened, identity(name));
                    if (taken) {
                        return new WorkLock(name, channel, true);
                    }
                } catch (NoSuchFileException deleted) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                } finally {
                    if (!taken) {
                        channel.close();
                    }
                }
            }
        } finally {
            if (!taken) {
                HELD.remove(name);
            }
        }
    }

    /** One name for a file, by whatever way its directory is reached. */
    private static Path name(Path file) throws IOException {
        Path absolute = file.toAbsolutePath();
        return absolute.getParent().toRealPath().resolve(absolute.getFileName());
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException elsewhere) { // another loader's copy of this class has it
            return false;
        }
    }

    /** What tells one file from another of the same name; null where the platform has no such thing. */
    private static Object identity(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private static void release(Path name, FileChannel channel) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            HELD.remove(name);
        }
    }

    /** The locked file, open for reading and writing; closed with the lock, and not before. */
    public FileChannel channel() {
        return channel;
    }

    /** Gives the lock back. Closing again does nothing. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (passing) {
                Files.deleteIfExists(file);
            }
        } finally {
            release(file, channel);
        }
    }
}
