package dev.greenfield.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** The models, golden answers and prompts in {@code src/test/data}; and those that are too large to be kept there. */
public final class TestData {
    /** Names a folder with {@code models} and {@code golden} beside those of the project. */
    public static final String FOLDER = "greenfield.test.folder";

    private static final Path ROOT = Path.of("src", "test", "data");
    private static final Path DEMO = Path.of("src", "main", "resources", "dev", "greenfield", "demo");

    /** Kept outside of the project, for their size. */
    private static final String CHAT_MODEL = "craftgpt";

    /** Kept outside of the project too: models of later families that were trained. */
    private static final List<String> TRAINED = List.of("stories260k", "facts-qwen3", "facts-neox");

    /** Before the names of the small models of families, of which some are kept outside of the project. */
    public static final String FAMILIES = "families/";

    private TestData() {}

    /** A model's directory; skips the test, saying so, where it is kept outside and no folder is named. */
    public static Path model(String name) {
        Path kept = ROOT.resolve("models").resolve(name);
        if (name.equals(CHAT_MODEL) || TRAINED.contains(name) || (name.startsWith(FAMILIES) && !Files.exists(kept))) {
            return outside(Path.of("models", name));
        }
        return name.equals("facts-4l") ? DEMO : existing(kept);
    }

    /** A file of golden answers, unpacked; skips the test, saying so, where it is kept outside and no folder is named. */
    public static Path golden(String name) throws IOException {
        String file = name + ".safetensors";
        Path packed = ROOT.resolve("golden").resolve(file + ".gz");
        if (name.startsWith(CHAT_MODEL)
                || TRAINED.stream().anyMatch(name::startsWith)
                || (name.startsWith(FAMILIES) && !Files.exists(packed))) {
            return outside(Path.of("golden", file));
        }
        existing(packed);
        Path unpacked = Path.of("target", "golden").resolve(file);
        Path folder = Files.createDirectories(unpacked.getParent());
        if (Files.exists(unpacked)
                && Files.getLastModifiedTime(unpacked).compareTo(Files.getLastModifiedTime(packed)) >= 0) {
            return unpacked;
        }
        // Test processes may run side by side: each writes a file of its own, and none is seen half written.
        Path part = Files.createTempFile(folder, "golden", ".part");
        try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        }
        return Files.move(part, unpacked, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Pairs of prompts of one observable each, for the facts models. */
    public static JsonNode facts() {
        Path file = existing(ROOT.resolve("prompts").resolve("facts.json"));
        try {
            return Json.parse(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }

    /** Something that is kept outside of the project. */
    private static Path outside(Path path) {
        String folder = System.getProperty(FOLDER);
        assumeTrue(folder != null, path + " is not kept in the project: name a folder that has it with -D" + FOLDER);
        return existing(Path.of(folder).resolve(path));
    }

    private static Path existing(Path path) {
        if (!Files.exists(path)) {
            throw new IllegalStateException(path + " is not there: run the tests in the project's own folder");
        }
        return path;
    }
}
