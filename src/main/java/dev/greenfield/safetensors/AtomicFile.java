package dev.greenfield.safetensors;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A file that is written under a temporary name in the directory of its target and renamed when complete. The rename is
 * atomic because both names lie in one directory. Opened with default permissions, unlike {@link Files#createTempFile}, as
 * the temporary file becomes the real one.
 */
public final class AtomicFile {
    private static final int ATTEMPTS = 100;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;

    private AtomicFile(Path target, Path temporary, FileChannel channel) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
    }

    /** Opens a new file beside the target, under a name that nothing has. */
    public static AtomicFile create(Path target) throws IOException {
        Path directory = target.toAbsolutePath().getParent();
        if (directory == null || Files.isDirectory(target)) {
            throw new FileSystemException(target.toString(), null, "is a directory; name a file to write");
        }
        if (!Files.isDirectory(directory)) {
            throw new NoSuchFileException(
                    target.toString(), null, "there is no directory " + directory + "; make it first");
        }
        for (int attempt = 1; ; attempt++) {
            // Not built from the target's name, which may be as long as a name can be.
            Path temporary = directory.resolve(".greenfield-"
                    + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
            try {
                return new AtomicFile(
                        target,
                        temporary,
                        FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW));
            } catch (FileAlreadyExistsException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /** Where to write. */
    public FileChannel channel() {
        return channel;
    }

    /** Forces the bytes to the disk, then gives the file its name. */
    public void commit() throws IOException {
        channel.force(true);
        channel.close();
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(target.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        } catch (IOException e) {
            // The file is whole and in place. That its name survives a power cut needs this on some systems; others
            // cannot open a directory at all, so its failure is none of the commit's.
            return;
        }
    }

    /** Closes and deletes the temporary file; what fails here is attached to the reason, if there is one. */
    public void drop(Exception reason) {
        try {
            try {
                channel.close();
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            if (reason != null) {
                reason.addSuppressed(e);
            }
        }
    }
}
