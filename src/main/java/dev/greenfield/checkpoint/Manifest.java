package dev.greenfield.checkpoint;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.engine.Batches;
import dev.greenfield.failure.InputException;
import dev.greenfield.response.SweepMode;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What the results in a checkpoint depend on, as a file of JSON: the facts of the run, each a text or a list of texts, then the
 * plan, and the SHA-256 of all that.
 */
public final class Manifest {
    static final String FILE = "manifest.json";
    static final String UNFINISHED = "manifest.json.tmp";

    /**
     * The format of the files, which is a fact too: 2 since norms are summed by backends, 3 since seeds give other streams,
     * 4 since records hold only what can be nonzero, 5 since batches may share maps of tokens.
     */
    public static final int FORMAT = 5;

    /** The name of that fact. */
    public static final String FORMAT_FACT = "format";

    /** What the names of facts of the model begin with. */
    public static final String MODEL = "model_";

    private static final String MODE = "mode";
    private static final String BATCHES = "batch_ends";
    private static final String KEPT_MAPS = "kept_maps";
    private static final String SHA256 = "sha256";

    private final CheckpointPlan plan;
    private final String sha256;

    private Manifest(CheckpointPlan plan, String sha256) {
        this.plan = plan;
        this.sha256 = sha256;
    }

    CheckpointPlan plan() {
        return plan;
    }

    /** What ties the log to this manifest. */
    long identity() {
        return Long.parseUnsignedLong(sha256.substring(0, 16), 16);
    }

    private static String mode(boolean forward) {
        return forward ? "forward" : "adjoint";
    }

    private static String digest(Map<String, Object> fields) {
        return Digest.sha256(fields.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Puts a manifest into a directory, whole or not at all. */
    static Manifest write(Path directory, Map<String, Object> facts, CheckpointPlan plan) throws IOException {
        Map<String, Object> fields = new LinkedHashMap<>(facts);
        fields.put(MODE, mode(plan.forward()));
        fields.put(
                BATCHES,
                plan.batches().stream()
                        .map(range -> Integer.toString(range.to()))
                        .toList());
        fields.put(KEPT_MAPS, Integer.toString(plan.keptMaps()));
        String sha256 = digest(fields);
        fields.put(SHA256, sha256);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.FACTORY.createGenerator(bytes)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            json.writeStartObject();
            for (Map.Entry<String, Object> field : fields.entrySet()) {
                json.writeFieldName(field.getKey());
                if (field.getValue() instanceof List<?> list) {
                    json.writeArray(list.toArray(String[]::new), 0, list.size());
                } else {
                    json.writeString((String) field.getValue());
                }
            }
            json.writeEndObject();
        }
        Path unfinished = directory.resolve(UNFINISHED);
        // Anew, so that nothing is written through a link; what a killed run left goes.
        Files.deleteIfExists(unfinished);
        try (FileChannel file = FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes.toByteArray());
            while (rest.hasRemaining()) {
                file.write(rest);
            }
            file.force(true);
        }
        Files.move(unfinished, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        force(directory);
        return new Manifest(plan, sha256);
    }

    /** Makes the names in a directory survive a power cut, where the system can do that. */
    private static void force(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException notHere) {
            return; // some systems cannot open a directory at all
        }
    }

    /**
     * Reads a directory's manifest and compares it.
     *
     * @param facts of the run that wants to go on
     * @param mode what it asks for
     * @throws InputException if the file is damaged, or of another map; the message names the first difference
     */
    static Manifest read(Path directory, Map<String, Object> facts, SweepMode mode) throws IOException {
        Map<String, Object> stored = parse(directory);
        Object sha256 = stored.remove(SHA256);
        if (!digest(stored).equals(sha256)) {
            throw damaged(directory, "its checksum is not that of its contents", null);
        }
        List<Batches.Range> batches = batches(directory, stored.remove(BATCHES));
        Object keptMaps = stored.remove(KEPT_MAPS);
        Map<String, Object> ours = new LinkedHashMap<>(facts);
        ours.put(MODE, mode == SweepMode.AUTO ? stored.get(MODE) : mode(mode == SweepMode.FORWARD));
        for (String name : ours.keySet()) {
            refuseDifference(directory, name, stored.get(name), ours.get(name));
        }
        for (String name : stored.keySet()) {
            refuseDifference(directory, name, stored.get(name), ours.get(name));
        }
        boolean forward = mode(true).equals(stored.get(MODE));
        CheckpointPlan plan = new CheckpointPlan(forward, batches, number(directory, KEPT_MAPS, keptMaps));
        return new Manifest(plan, (String) sha256);
    }

    private static int number(Path directory, String name, Object text) {
        try {
            return Integer.parseInt(String.valueOf(text));
        } catch (NumberFormatException noNumber) {
            throw damaged(directory, name + " has " + Lines.quoted(String.valueOf(text)), noNumber);
        }
    }

    /** The plan's batches: each end beyond the last, from the first column on. */
    private static List<Batches.Range> batches(Path directory, Object ends) {
        if (!(ends instanceof List<?> texts)) {
            throw damaged(directory, "it has no list " + BATCHES, null);
        }
        List<Batches.Range> batches = new ArrayList<>();
        int from = 0;
        for (Object text : texts) {
            int to = number(directory, BATCHES, text);
            if (to <= from) {
                throw damaged(directory, BATCHES + " has " + to + " after " + from, null);
            }
            batches.add(new Batches.Range(from, to));
            from = to;
        }
        return batches;
    }

    private static Map<String, Object> parse(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        try {
            Map<String, Object> fields = new LinkedHashMap<>();
            JsonNode tree = Json.parse(Json.bytes(file, file.toString()), file.toString());
            tree.properties().forEach(field -> fields.put(field.getKey(), value(field.getValue())));
            return fields;
        } catch (InputException malformed) {
            throw damaged(directory, "it is not whole", malformed);
        }
    }

    private static Object value(JsonNode node) {
        if (!node.isArray()) {
            return node.asText();
        }
        List<String> texts = new ArrayList<>();
        node.forEach(element -> texts.add(element.asText()));
        return texts;
    }

    static InputException damaged(Path directory, String how, Exception cause) {
        return new InputException(
                "checkpoint " + directory + ": " + FILE + " is damaged (" + how
                        + "), so that nobody knows what its results are of: use another directory",
                cause);
    }

    private static void refuseDifference(Path directory, String name, Object stored, Object ours) {
        if (Objects.equals(stored, ours)) {
            return;
        }
        String what = Lines.one(name.replace('_', ' '));
        String found;
        String here;
        if (stored instanceof List<?> there && ours instanceof List<?> mine) {
            String one = what.substring(0, what.length() - 1);
            int i = 0;
            while (i < there.size() && i < mine.size() && there.get(i).equals(mine.get(i))) {
                i++;
            }
            if (there.size() != mine.size() && (i == there.size() || i == mine.size())) {
                found = there.size() + " " + what;
                here = Integer.toString(mine.size());
            } else {
                found = one + " " + Lines.one(there.get(i).toString()) + " at place " + i;
                here = mine.get(i) + " there";
            }
        } else {
            found = stored == null ? "no " + what : what + " " + Lines.one(stored.toString());
            here = ours == null ? "none" : what + " " + Lines.one(ours.toString());
        }
        String remedy = stored == null
                ? "none"
                : name.startsWith(MODEL) ? "that model" : (what.endsWith("s") ? "the same " : "that ") + what;
        throw new InputException("checkpoint " + directory + " was made with " + found + ", this run has " + here
                + ": use " + (name.equals(FORMAT_FACT) ? "" : remedy + " or ") + "another directory");
    }
}
