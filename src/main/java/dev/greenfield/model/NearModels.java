package dev.greenfield.model;

import dev.greenfield.hub.Hub;
import dev.greenfield.text.Nearest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Which model may have been meant by a name under which there is none. */
final class NearModels {
    private static final String FOLDER = "models--"; // what the hub's cache puts in front of a model's name
    private static final int MOST = 10_000; // folders of the cache that are looked at

    private NearModels() {}

    /** A question for a message, from the demo, random shapes and directories beside the one that is not there. */
    static String question(String spec) {
        List<String> names = new ArrayList<>(List.of(ModelSource.DEMO));
        RandomSpec.names().forEach(name -> names.add(RandomSpec.PREFIX + name));
        return Nearest.of(spec, names).isPresent() ? Nearest.question(spec, names) : beside(spec);
    }

    /** Likewise of a name that may be of a model in the hub's cache, too. */
    static String question(String spec, Hub hub) {
        String own = question(spec);
        return own.isEmpty() ? Nearest.question(spec, cached(hub.cache())) : own;
    }

    private static String beside(String spec) {
        try {
            return spec.isBlank()
                    ? ""
                    : Nearest.question(Path.of(spec), path -> Files.exists(path.resolve(ModelFiles.CONFIG)));
        } catch (InvalidPathException noPath) {
            return "";
        }
    }

    private static List<String> cached(Path cache) {
        try (Stream<Path> folders = Files.list(cache)) {
            return folders.limit(MOST)
                    .map(folder -> folder.getFileName().toString())
                    .filter(name -> name.startsWith(FOLDER))
                    .map(name -> name.substring(FOLDER.length()).replace("--", "/"))
                    .sorted()
                    .toList();
        } catch (IOException | UncheckedIOException noCache) {
            return List.of(); // the message stands without it
        }
    }
}
