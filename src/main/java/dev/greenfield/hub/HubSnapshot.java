package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A state of a model of the hub, in the cache. Its files are links to where their bytes are; they are followed within the repository's
 * folder, and to the store of bytes that all repositories of a cache share, and nowhere else.
 *
 * @param name as it was asked for
 * @param commit the state, 40 hexadecimal digits
 * @param directory the folder that holds the files by name
 */
public record HubSnapshot(HubName name, String commit, Path directory) {
    /** Where newer versions of {@code huggingface_hub} keep bytes that several repositories have. */
    private static final String SHARED = "blobs";

    /** Whether there is a file of that name. A link to nowhere is none. */
    public boolean has(String file) {
        return Files.exists(directory.resolve(file));
    }

    /**
     * The path of a file.
     *
     * @throws InputException if it is a link out of the cache
     * @throws NoSuchFileException if there is none
     */
    public Path file(String file) throws IOException {
        Path link = directory.resolve(file);
        Path repository = directory.getParent().getParent();
        if (leadsInside(link, repository)) {
            return link;
        }
        throw new InputException(Lines.one(link.toString()) + ": found a link to "
                + Lines.one(link.toRealPath().toString()) + ", expected one within " + Lines.one(repository.toString())
                + "; remove it and fetch the model again");
    }

    /** Whether a file of a repository is in its folder, or in the store that the cache's repositories share. */
    static boolean leadsInside(Path link, Path repository) throws IOException {
        Path real = link.toRealPath();
        Path shared = repository.toAbsolutePath().resolveSibling(SHARED);
        return real.startsWith(repository.toRealPath())
                || (Files.isDirectory(shared) && real.startsWith(shared.toRealPath()));
    }
}
