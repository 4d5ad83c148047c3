package dev.greenfield.natives;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * Puts native libraries of the jar where the system can load them: into a directory that only this user can write to, under a
 * name that holds the contents' sha256, so that versions never mix and a file that is there can be checked. A file appears
 * whole or not at all. The directory is {@code greenfield/native} in the user's cache, or what the system property
 * {@value #DIRECTORY} says.
 */
public final class NativeExtraction {
    /** The system property that names the directory. */
    public static final String DIRECTORY = "greenfield.native.dir";

    private static final int OTHERS_WRITE = 0022;
    private static final int STICKY = 01000;

    /** JCuda's native halves, as its own jars have them. */
    private static final String BINDINGS = "/lib/";

    private NativeExtraction() {}

    /**
     * Loads a native half of JCuda; JCuda's static initializers come here.
     *
     * @param name such as {@code JCudaDriver-12.6.0-linux-x86_64}
     * @throws ExtractionException if it is not there, or no directory can be used
     */
    public static void loadBinding(String name) {
        System.load(extract(BINDINGS + System.mapLibraryName(name)).toString());
    }

    /**
     * The path of a file with the contents of a resource, written now or found as an earlier run left it.
     *
     * @param resource absolute name of the resource
     * @throws ExtractionException if the jar has no such resource, or no directory can be used
     */
    public static Path extract(String resource) {
        byte[] contents;
        try (InputStream in = resource(resource)) {
            if (in == null) {
                throw new ExtractionException(
                        "this build of Greenfield does not contain " + resource.substring(1),
                        "use a build for this platform, or the cpu backend",
                        null);
            }
            contents = in.readAllBytes();
        } catch (IOException e) {
            throw new ExtractionException(
                    "could not read " + resource + " from the jar: " + e.getMessage(), "get the jar again", e);
        }
        Path directory = directory();
        String file = resource.substring(resource.lastIndexOf('/') + 1);
        Path target = directory.resolve(sha256(contents) + "-" + file);
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
            throw refused(file, directory, e);
        }
    }

    static ExtractionException refused(String file, Path directory, IOException e) {
        return new ExtractionException(
                "could not put " + file + " into " + directory + " (" + e.getMessage() + ")",
                "set -D" + DIRECTORY + "=DIR to a directory that only you can write to",
                e);
    }

    /** By the loader, not the class: what is asked for lies in other modules. */
    private static InputStream resource(String resource) {
        return NativeExtraction.class.getClassLoader().getResourceAsStream(resource.substring(1));
    }

    static String sha256(byte[] contents) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** The folder of all natives. There is none where nobody knows whose it would be: a shared place is no substitute. */
    static Path directory() {
        String wanted = System.getProperty(DIRECTORY);
        if (wanted != null) {
            return Path.of(wanted).toAbsolutePath();
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base =
                cache == null || cache.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        if (!base.isAbsolute()) {
            throw new ExtractionException(
                    "found no home directory of this user (" + System.getProperty("user.home")
                            + "), where native libraries could be unpacked",
                    "set -D" + DIRECTORY + "=DIR to a directory that only you can write to",
                    null);
        }
        return base.resolve("greenfield").resolve("native");
    }

    /** Makes the directory, or refuses one that others could have put files into, or could exchange. */
    static void privateDirectory(Path directory) throws IOException {
        FileStore store = Files.getFileStore(existing(directory));
        boolean posix = store.supportsFileAttributeView(PosixFileAttributeView.class);
        if (posix) {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(directory);
        }
        Path probe = Files.createTempFile(directory, "owner", null);
        try {
            UserPrincipal owner = Files.getOwner(directory);
            UserPrincipal self = Files.getOwner(probe);
            if (!owner.equals(self)) {
                throw new IOException("it belongs to " + owner.getName() + ", this process to " + self.getName());
            }
        } finally {
            Files.delete(probe);
        }
        if (!posix) {
            return; // folders below a user's own are that user's there
        }
        if (othersMayWrite(directory)) {
            throw new IOException("others may write to it");
        }
        Path above = directory.getParent();
        if (above != null && othersMayWrite(above)) {
            throw new IOException("others may write to " + above + " above it");
        }
    }

    private static Path existing(Path directory) {
        Path there = directory;
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        return there;
    }

    /** Whether group or others may put files there and take away those that are not theirs. */
    private static boolean othersMayWrite(Path directory) throws IOException {
        if (!directory.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            Set<PosixFilePermission> may = Files.getPosixFilePermissions(directory);
            return may.contains(PosixFilePermission.GROUP_WRITE) || may.contains(PosixFilePermission.OTHERS_WRITE);
        }
        int mode = (Integer) Files.getAttribute(directory, "unix:mode");
        return (mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0;
    }

    private static boolean holds(Path file, byte[] contents) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                && Files.size(file) == contents.length
                && MessageDigest.isEqual(Files.readAllBytes(file), contents);
    }

    /** Writes a file that appears whole, in the place of any other. */
    static void write(byte[] contents, Path target) throws IOException {
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
