package dev.greenfield.hub;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.Task;
import dev.greenfield.files.WorkLock;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * Puts files into the cache the way {@code huggingface_hub} does, so that its programs find them: bytes first, under a name that nobody
 * takes for whole, then by one rename in their place, then a link from the snapshot. Locks keep two of us from fetching one file twice.
 * Python's locks are of another kind that ours cannot see on most systems, so that nothing here needs them to be right.
 */
final class HubStore {
    private static final String PARTIAL = ".greenfield.incomplete"; // Python's own have names that end otherwise
    private static final long PAUSE_NANOS = 50_000_000;
    private static final String TAG = "CACHEDIR.TAG";
    private static final String TAG_TEXT = """
            Signature: 8a477f597d28d172789f06886806bc55
            # This file is a cache directory tag. For information about cache directory tags see https://bford.info/cachedir/
            """;

    private final HubCache cache;
    private final String commit;
    private final boolean links;

    HubStore(HubCache cache, String commit, boolean links) {
        this.cache = cache;
        this.commit = commit;
        this.links = links;
    }

    /** The folder of the state. */
    Path directory() {
        return cache.snapshot(commit);
    }

    /** Makes the folders, and sees that no link leads out of them. */
    void prepare() throws IOException {
        for (Path folder : new Path[] {cache.blobs(), directory(), cache.ref().getParent()}) {
            Files.createDirectories(folder);
            cache.within(folder);
        }
        Path tag = cache.root().resolve(TAG);
        try {
            if (!Files.exists(tag, LinkOption.NOFOLLOW_LINKS)) {
                Files.writeString(tag, TAG_TEXT); // so that backups leave the cache out
            }
        } catch (FileSystemException refused) {
            return; // it is a courtesy
        }
    }

    /** Where the bytes of a file are; null where the cache does not have them. */
    Path here(HubListing.Entry entry) throws IOException {
        Path pointer = directory().resolve(entry.name());
        if (whole(pointer, entry)) {
            return new HubSnapshot(cache.name(), commit, directory()).file(entry.name());
        }
        return hasBlob(entry) ? blob(entry) : null;
    }

    private boolean hasBlob(HubListing.Entry entry) throws IOException {
        return whole(blob(entry), entry) && HubSnapshot.leadsInside(blob(entry), cache.folder());
    }

    private static boolean whole(Path file, HubListing.Entry entry) throws IOException {
        return Files.isRegularFile(file) && Files.size(file) == entry.bytes();
    }

    private Path blob(HubListing.Entry entry) {
        return cache.blobs().resolve(entry.etag().hex());
    }

    /** How many bytes an earlier transfer has left. */
    long begun(HubListing.Entry entry) throws IOException {
        Path partial = partial(entry);
        return Files.isRegularFile(partial, LinkOption.NOFOLLOW_LINKS) ? Files.size(partial) : 0;
    }

    private Path partial(HubListing.Entry entry) {
        return cache.blobs().resolve(entry.etag().hex() + PARTIAL);
    }

    /** What has to be done while nobody else of us fetches the same bytes. */
    interface Work {
        /** Writes all bytes to a file, which may hold the first of them. */
        void to(Path partial) throws IOException;
    }

    /**
     * Has the snapshot name a file's bytes, which are got if they are not here.
     *
     * @return whether they had to be got
     */
    boolean put(HubListing.Entry entry, Work work) throws IOException {
        Path pointer = directory().resolve(entry.name());
        if (whole(pointer, entry)) {
            here(entry); // is in the cache
            return false;
        }
        Path lockFile = cache.lock(entry.etag());
        Files.createDirectories(lockFile.getParent());
        try (WorkLock lock = lock(lockFile)) {
            if (whole(pointer, entry)) {
                return false;
            }
            Path blob = blob(entry);
            boolean fresh = !hasBlob(entry);
            if (fresh) {
                fill(entry, blob, lock != null, work);
            }
            point(pointer, blob, fresh);
            return fresh;
        }
    }

    private void fill(HubListing.Entry entry, Path blob, boolean locked, Work work) throws IOException {
        // Without a lock another one may write to the common file at the same time.
        Path partial = locked ? partial(entry) : partial(entry).resolveSibling(UUID.randomUUID() + PARTIAL);
        try {
            work.to(partial);
            Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            if (!locked) {
                Files.deleteIfExists(partial);
            }
        }
    }

    /** Waits for the lock; null where the file system has no locks. */
    private static WorkLock lock(Path file) throws IOException {
        boolean told = false;
        while (true) {
            Optional<WorkLock> lock;
            try {
                lock = WorkLock.take(file);
            } catch (IOException noLocks) {
                if (Files.isWritable(file.getParent())) {
                    return null;
                }
                throw noLocks;
            }
            if (lock.isPresent()) {
                return lock.get();
            }
            if (!told) {
                Task.note("another process fetches the same file: waiting for it");
                told = true;
            }
            Cancellation.check();
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Makes the link; where there can be none, the bytes themselves take its place. */
    private void point(Path pointer, Path blob, boolean fresh) throws IOException {
        Files.deleteIfExists(pointer); // of another size, or to nowhere
        if (links) {
            try {
                Files.createSymbolicLink(pointer, pointer.getParent().relativize(blob));
                return;
            } catch (FileAlreadyExistsException meanwhile) {
                return; // somebody who fetches the same state
            } catch (UnsupportedOperationException | FileSystemException impossible) {
                // Windows, without the right to make links.
            }
        }
        Path draft = pointer.resolveSibling(pointer.getFileName() + "." + UUID.randomUUID() + PARTIAL);
        try {
            if (fresh) {
                Files.move(blob, pointer, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.copy(blob, draft); // another state may need it where it is
                Files.move(draft, pointer, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /** Has the revision name this state, in one step. */
    void name(HubName name) throws IOException {
        if (name.pinned()) {
            return;
        }
        Path ref = cache.ref();
        if (Files.isRegularFile(ref)
                && Files.size(ref) == commit.length()
                && Files.readString(ref).equals(commit)) {
            return;
        }
        Path draft = ref.resolveSibling(
                ref.getFileName() + "." + UUID.randomUUID().toString().substring(0, 8) + ".tmp");
        try {
            Files.writeString(draft, commit);
            Files.move(draft, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(draft);
        }
    }
}
