package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder of one repository in the cache, as {@code huggingface_hub} lays it out: {@code refs/REVISION} holds a commit,
 * {@code snapshots/COMMIT} the files by name, {@code blobs} their bytes by etag.
 *
 * @param root the cache
 * @param name the model
 */
record HubCache(Path root, HubName name) {
    private static final int MOST_OF_A_REF = 256; // bytes

    Path folder() {
        return root.resolve(name.folder());
    }

    Path blobs() {
        return folder().resolve("blobs");
    }

    Path snapshot(String commit) {
        return folder().resolve("snapshots").resolve(commit);
    }

    Path ref() {
        return folder().resolve("refs").resolve(name.revision());
    }

    /** The file whose lock a download of these bytes holds, at the place where Hugging Face's programs have theirs. */
    Path lock(Etag etag) {
        return root.resolve(".locks").resolve(name.folder()).resolve(etag.hex() + ".lock");
    }

    /**
     * The state that the cache has for the revision, if it has one.
     *
     * @throws InputException if what it says of the revision is no commit
     */
    Optional<HubSnapshot> find() throws IOException {
        if (!Files.isDirectory(folder())) {
            return Optional.empty();
        }
        String commit = name.pinned() ? name.revision() : commit();
        if (commit == null || !Files.isDirectory(snapshot(commit))) {
            return Optional.empty();
        }
        Path directory = snapshot(commit);
        within(directory);
        return Optional.of(new HubSnapshot(name, commit, directory));
    }

    /** What the revision's file says; null where there is none. */
    private String commit() throws IOException {
        if (!Files.isRegularFile(ref())) {
            return null;
        }
        within(ref());
        byte[] bytes;
        try (InputStream stream = Files.newInputStream(ref())) {
            bytes = stream.readNBytes(MOST_OF_A_REF);
        }
        String commit = new String(bytes, StandardCharsets.UTF_8).strip();
        if (!HubName.isCommit(commit)) {
            throw new InputException(Lines.one(ref().toString()) + ": found " + Lines.quoted(commit)
                    + ", expected a commit of 40 hexadecimal digits; remove the file and fetch the model again");
        }
        return commit;
    }

    /**
     * Refuses a path that a link leads out of the repository's folder.
     *
     * @throws InputException if it is elsewhere
     */
    void within(Path path) throws IOException {
        Path real = path.toRealPath();
        if (!real.startsWith(folder().toRealPath())) {
            throw new InputException(Lines.one(path.toString()) + ": found a link to " + Lines.one(real.toString())
                    + ", expected one within " + Lines.one(folder().toString())
                    + "; remove it and fetch the model again");
        }
    }
}
