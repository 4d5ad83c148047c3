package dev.greenfield.study;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.greenfield.failure.InputException;
import dev.greenfield.files.WorkLock;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where a study keeps what it has measured, so that it can go on after the process was killed: {@code study.json} says of what, {@code
 * prompts/} has a file for each prompt that is done. Every file gets its name when it is whole. One process works in it at a time.
 */
final class StudyDirectory implements AutoCloseable {
    static final String MANIFEST = "study.json";
    static final String PROMPTS = "prompts";
    private static final String LOCK = ".lock";
    private static final String UNFINISHED = ".tmp";

    private final Set<Path> damaged = new LinkedHashSet<>();
    private final Path prompts;
    private final WorkLock lock;

    private StudyDirectory(Path prompts, WorkLock lock) {
        this.prompts = prompts;
        this.lock = lock;
    }

    /**
     * Begins a study in a directory, or goes on with it.
     *
     * @param facts all that its numbers depend on
     * @throws InputException if the directory has another study, or another process works in it
     */
    static StudyDirectory open(Path directory, Map<String, String> facts) throws IOException {
        Path prompts = directory.resolve(PROMPTS);
        Files.createDirectories(prompts);
        WorkLock lock = WorkLock.take(prompts.resolve(LOCK))
                .orElseThrow(() -> new InputException("study " + directory
                        + ": another process works in it; wait for it, or choose another directory"));
        try {
            Path manifest = directory.resolve(MANIFEST);
            if (Files.exists(manifest)) {
                compare(directory, read(manifest), facts);
            } else {
                put(manifest, manifest(facts));
            }
            return new StudyDirectory(prompts, lock);
        } catch (IOException | RuntimeException | Error failure) {
            lock.close();
            throw failure;
        }
    }

    private static byte[] manifest(Map<String, String> facts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.FACTORY.createGenerator(bytes)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            json.writeStartObject();
            for (Map.Entry<String, String> fact : facts.entrySet()) {
                json.writeStringField(fact.getKey(), fact.getValue());
            }
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private static Map<String, String> read(Path manifest) throws IOException {
        try {
            Map<String, String> facts = new LinkedHashMap<>();
            Json.parse(Json.bytes(manifest, manifest.toString()), manifest.toString())
                    .properties()
                    .forEach(field -> facts.put(field.getKey(), field.getValue().asText()));
            return facts;
        } catch (InputException malformed) {
            throw new InputException(
                    "study " + manifest.getParent() + ": " + MANIFEST + " is damaged, so that nobody knows what its"
                            + " results are of: use another directory",
                    malformed);
        }
    }

    private static void compare(Path directory, Map<String, String> stored, Map<String, String> ours) {
        TreeSet<String> names = new TreeSet<>(stored.keySet());
        names.addAll(ours.keySet());
        for (String name : names) {
            String there = stored.getOrDefault(name, "none");
            String here = ours.getOrDefault(name, "none");
            if (!there.equals(here)) {
                String what = Lines.one(name.replace('_', ' '));
                throw new InputException("study " + directory + " was made with " + what + " " + Lines.one(there)
                        + ", this run has " + what + " " + Lines.one(here) + ": use the same, or another directory");
            }
        }
    }

    private Path file(int number, String stage) {
        return prompts.resolve(String.format(Locale.ROOT, "%04d%s.json", number, stage));
    }

    /** What was measured on a prompt, by part; empty where that is not done or the file is damaged. */
    Optional<Map<String, Measures>> read(int number, String stage) throws IOException {
        Path file = file(number, stage);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            Optional<Map<String, Measures>> parts =
                    MeasuredPrompt.read(number, Json.bytes(file, file.toString()), file.toString());
            if (parts.isEmpty()) {
                damaged.add(file);
            }
            return parts;
        } catch (InputException | NumberFormatException wrong) {
            damaged.add(file);
            return Optional.empty(); // measured again
        }
    }

    void write(int number, String stage, Map<String, Measures> parts) throws IOException {
        put(file(number, stage), MeasuredPrompt.bytes(number, parts));
    }

    /** Files that were found damaged, each once. */
    Set<Path> damaged() {
        return Collections.unmodifiableSet(damaged);
    }

    /** Makes a file anew and forces it to the disk before it gets its name; what a killed run left under the other name goes. */
    private static void put(Path file, byte[] bytes) throws IOException {
        Path unfinished = file.resolveSibling(file.getFileName() + UNFINISHED);
        Files.deleteIfExists(unfinished);
        try (FileChannel channel =
                FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
