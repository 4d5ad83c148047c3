package dev.greenfield.study;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.files.WorkLock;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
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

    private static final String SHA256 = "sha256";
    private static final String ZEROS = "0".repeat(64);
    private static final int TAIL = ZEROS.length() + 2; // the sum, its quote and the brace

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
            Map<String, Measures> parts = new LinkedHashMap<>();
            byte[] bytes = Json.bytes(file, file.toString());
            JsonNode tree = Json.parse(bytes, file.toString());
            if (tree.path("prompt").asInt() != number || !tree.path("parts").isObject() || !isWhole(bytes, tree)) {
                damaged.add(file);
                return Optional.empty();
            }
            tree.get("parts").properties().forEach(part -> parts.put(part.getKey(), Measures.read(part.getValue())));
            return Optional.of(parts);
        } catch (InputException | NumberFormatException wrong) {
            damaged.add(file);
            return Optional.empty(); // measured again
        }
    }

    void write(int number, String stage, Map<String, Measures> parts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.FACTORY.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeNumberField("prompt", number);
            json.writeObjectFieldStart("parts");
            for (Map.Entry<String, Measures> part : parts.entrySet()) {
                json.writeFieldName(part.getKey());
                part.getValue().write(json);
            }
            json.writeEndObject();
            json.writeStringField(SHA256, ZEROS);
            json.writeEndObject();
        }
        byte[] file = bytes.toByteArray();
        byte[] sum = checksum(file).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(sum, 0, file, file.length - TAIL, sum.length);
        put(file(number, stage), file);
    }

    /** Files that were found damaged, each once. */
    Set<Path> damaged() {
        return Collections.unmodifiableSet(damaged);
    }

    /** Whether a file has the SHA-256 of its bytes, with zeros in the place of that, which is the last field. */
    private static boolean isWhole(byte[] file, JsonNode tree) {
        return file.length >= TAIL && checksum(file).equals(tree.path(SHA256).asText());
    }

    private static String checksum(byte[] file) {
        byte[] blank = file.clone();
        Arrays.fill(blank, file.length - TAIL, file.length - TAIL + ZEROS.length(), (byte) '0');
        return Digest.sha256(blank);
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
