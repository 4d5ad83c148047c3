package dev.greenfield.cli.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The right to change the files of a directory, held by one run at a time on this machine. A hidden file stands for it, which
 * goes when the lock does; one that a killed process left behind is in nobody's way.
 */
final class DirectoryLock implements AutoCloseable {
    private static final String NAME = ".greenfield.lock";
    private static final long PAUSE_NANOS = 5_000_000;

    /** Within a process. POSIX drops a process's lock on a file when any channel to that file is closed. */
    private static final ReentrantLock PROCESS = new ReentrantLock();

    private final Path file;
    private final FileChannel channel;

    private DirectoryLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Waits for the lock. */
    static DirectoryLock of(Path directory) throws IOException {
        Path file = directory.resolve(NAME);
        PROCESS.lock();
        try {
            while (true) {
                FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                try {
                    Object opened = key(file);
                    take(channel);
                    // Whoever held it before has deleted the file: then the next one may have made another.
                    if (Files.exists(file) && Objects.equals(opened, key(file))) {
                        return new DirectoryLock(file, channel);
                    }
                } catch (NoSuchFileException deleted) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                } catch (IOException | RuntimeException | Error failure) {
                    channel.close();
                    throw failure;
                }
                channel.close();
            }
        } catch (IOException | RuntimeException | Error failure) {
            PROCESS.unlock();
            throw failure;
        }
    }

    /** What tells one file from another of the same name; null where the platform has no such thing. */
    private static Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private static void take(FileChannel channel) throws IOException {
        while (true) {
            try {
                FileLock lock = channel.tryLock();
                if (lock != null) {
                    return;
                }
            } catch (OverlappingFileLockException elsewhere) { // another loader's copy of this class has it
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            try (channel) {
                Files.deleteIfExists(file);
            }
        } finally {
            PROCESS.unlock();
        }
    }
}
