package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;

/**
 * Puts native libraries of the jar where the system can load them: into a directory that only this user can write to, under a
 * name that holds the contents' sha256, so that versions never mix and a file that is there can be checked. A file appears
 * whole or not at all. The directory is {@code greenfield/native} in the user's cache, or what the system property
 * {@value #DIRECTORY} says.
 */
final class NativeExtraction {
    static final String DIRECTORY = "greenfield.native.dir";

    private static final int OTHERS_WRITE = 0022;
    private static final int STICKY = 01000;

    private NativeExtraction() {}

    /**
     * The path of a file with the contents of a resource, written now or found as an earlier run left it.
     *
     * @param resource absolute name of the resource
     * @throws BackendException if the jar has no such resource, or no directory can be used
     */
    static Path extract(String resource) {
        byte[] contents;
        try (InputStream in = NativeExtraction.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new BackendException("this build of Greenfield does not contain " + resource.substring(1)
                        + ": use a build for this platform, or " + Remedy.USE_CPU);
            }
            contents = in.readAllBytes();
        } catch (IOException e) {
            throw new BackendException("could not read " + resource + " from the jar: " + e.getMessage(), e);
        }
        Path directory = directory();
        String file = resource.substring(resource.lastIndexOf('/') + 1);
        Path target = directory.resolve(Digest.sha256(contents) + "-" + file);
        try {
            privateDirectory(directory);
            if (!holds(target, contents)) {
                write(contents, target);
                if (!holds(target, contents)) {
                    throw new IOException("what was written to " + target + " does not read back");
                }
            }
            return target;
        } catch (IOException e) {
            throw new BackendException(
                    "could not put " + file + " into " + directory + " (" + e.getMessage() + "): set -D" + DIRECTORY
                            + "=DIR to a directory that only you can write to",
                    e);
        }
    }

    private static Path directory() {
        String wanted = System.getProperty(DIRECTORY);
        if (wanted != null) {
            return Path.of(wanted).toAbsolutePath();
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base = cache == null || cache.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(cache).toAbsolutePath();
        return base.resolve("greenfield").resolve("native");
    }

    /** Makes the directory, or refuses one that others could have put files into, or could exchange. */
    private static void privateDirectory(Path directory) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Object owner = Files.getAttribute(directory, "unix:uid");
        Object self = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        if (!owner.equals(self)) {
            throw new IOException("it belongs to user " + owner + ", this process to user " + self);
        }
        if (othersMayWrite(directory)) {
            throw new IOException("others may write to it");
        }
        Path above = directory.getParent();
        if (above != null && othersMayWrite(above)) {
            throw new IOException("others may write to " + above + " above it");
        }
    }

    /** Whether group or others may put files there and take away those that are not theirs. */
    private static boolean othersMayWrite(Path directory) throws IOException {
        int mode = (Integer) Files.getAttribute(directory, "unix:mode");
        return (mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0;
    }

    private static boolean holds(Path file, byte[] contents) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                && Files.size(file) == contents.length
                && MessageDigest.isEqual(Files.readAllBytes(file), contents);
    }

    private static void write(byte[] contents, Path target) throws IOException {
        Path part = Files.createTempFile(target.getParent(), "part", ".so");
        try {
            Files.write(part, contents);
            try {
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                throw new IOException("its file system cannot rename files atomically", e);
            }
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
