package dev.greenfield.response;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.backend.Backend;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Digest;
import dev.greenfield.model.Json;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Version;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What the results in a checkpoint depend on, as a file of JSON: the facts of the run, each a text or a list of texts, then the
 * plan, and the SHA-256 of all that.
 */
final class MapManifest {
    static final String FILE = "manifest.json";
    static final String UNFINISHED = "manifest.json.tmp";

    private static final int FORMAT = 2; // 2: sums of other rounding than 1
    private static final String MODEL = "model_";
    private static final String MODE = "mode";
    private static final String BATCHES = "batch_ends";
    private static final String SHA256 = "sha256";
    private static final Comparator<Site> ORDER =
            Comparator.comparingInt(Site::halfDepth).thenComparingInt(Site::token);

    private final CheckpointPlan plan;
    private final String sha256;

    private MapManifest(CheckpointPlan plan, String sha256) {
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

    /**
     * All that a map's numbers depend on but the plan. Whatever a request is given that changes them belongs here too.
     */
    static Map<String, Object> facts(
            Linearization run,
            boolean halfDepths,
            Collection<Site> sources,
            Collection<Site> targets,
            MapDirections directions,
            MapReadings readings) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("format", Integer.toString(FORMAT));
        facts.put("version", Version.current());
        facts.put(MODEL + "sha256", run.model().source().sha256());
        for (RecordComponent part : ModelConfig.class.getRecordComponents()) {
            try {
                Object value = part.getAccessor().invoke(run.model().config());
                facts.put(MODEL + part.getName(), String.valueOf(value));
            } catch (ReflectiveOperationException hidden) {
                throw new IllegalStateException("a public record hides its " + part.getName(), hidden);
            }
        }
        facts.put(
                "token_ids",
                Arrays.stream(run.tokens()).mapToObj(Integer::toString).toList());
        if (run.source() != null) {
            Map<Site, double[][]> vectors = new LinkedHashMap<>();
            run.source().vectors().forEach((site, vector) -> vectors.put(site, new double[][] {vector}));
            facts.put("source_in_the_run", SiteVectors.of(vectors).describe());
        }
        Backend backend = run.model().backend();
        facts.put("backend", backend.name());
        facts.put("precision", backend.precision().label());
        facts.put("device", backend.device());
        facts.put("arrangement", backend.arrangement());
        facts.put("directions", directions.describe());
        if (!directions.exact()) {
            facts.put("seed", Long.toString(directions.seed()));
        }
        facts.put("half_depths", Boolean.toString(halfDepths));
        facts.put("vectors_at_targets", readings.describe());
        facts.put("sources", sources.stream().sorted(ORDER).map(Site::toString).toList());
        facts.put("targets", targets.stream().sorted(ORDER).map(Site::toString).toList());
        return facts;
    }

    private static String mode(boolean forward) {
        return forward ? "forward" : "adjoint";
    }

    private static String digest(Map<String, Object> fields) {
        return Digest.sha256(fields.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Puts a manifest into a directory, whole or not at all. */
    static MapManifest write(Path directory, Map<String, Object> facts, CheckpointPlan plan) throws IOException {
        Map<String, Object> fields = new LinkedHashMap<>(facts);
        fields.put(MODE, mode(plan.forward()));
        fields.put(
                BATCHES,
                plan.batches().stream()
                        .map(range -> Integer.toString(range.to()))
                        .toList());
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
        try (FileChannel file = FileChannel.open(
                unfinished,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes.toByteArray());
            while (rest.hasRemaining()) {
                file.write(rest);
            }
            file.force(true);
        }
        Files.move(unfinished, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        force(directory);
        return new MapManifest(plan, sha256);
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
    static MapManifest read(Path directory, Map<String, Object> facts, ResponseMap.Mode mode) throws IOException {
        Map<String, Object> stored = parse(directory);
        Object sha256 = stored.remove(SHA256);
        if (!digest(stored).equals(sha256)) {
            throw damaged(directory, "its checksum is not that of its contents", null);
        }
        Object ends = stored.remove(BATCHES);
        Map<String, Object> ours = new LinkedHashMap<>(facts);
        ours.put(MODE, mode == ResponseMap.Mode.AUTO ? stored.get(MODE) : mode(mode == ResponseMap.Mode.FORWARD));
        for (String name : ours.keySet()) {
            refuseDifference(directory, name, stored.get(name), ours.get(name));
        }
        for (String name : stored.keySet()) {
            refuseDifference(directory, name, stored.get(name), ours.get(name));
        }
        boolean forward = stored.get(MODE).equals(mode(true));
        List<Batches.Range> batches = new ArrayList<>();
        int from = 0;
        for (Object end : (List<?>) ends) {
            int to = Integer.parseInt((String) end);
            batches.add(new Batches.Range(from, to));
            from = to;
        }
        return new MapManifest(new CheckpointPlan(forward, batches), (String) sha256);
    }

    private static Map<String, Object> parse(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        try {
            Map<String, Object> fields = new LinkedHashMap<>();
            JsonNode tree = Json.parse(Files.readAllBytes(file), file.toString());
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

    private static InputException damaged(Path directory, String how, Exception cause) {
        return new InputException(
                "checkpoint " + directory + ": " + FILE + " is damaged (" + how
                        + "), so that nobody knows what its results are of: use another directory",
                cause);
    }

    private static void refuseDifference(Path directory, String name, Object stored, Object ours) {
        if (Objects.equals(stored, ours)) {
            return;
        }
        String what = name.replace('_', ' ');
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
                found = one + " " + there.get(i) + " at place " + i;
                here = mine.get(i) + " there";
            }
        } else {
            found = stored == null ? "no " + what : what + " " + stored;
            here = ours == null ? "none" : what + " " + ours;
        }
        String remedy = stored == null
                ? "none"
                : name.startsWith(MODEL) ? "that model" : (what.endsWith("s") ? "the same " : "that ") + what;
        throw new InputException("checkpoint " + directory + " was made with " + found + ", this run has " + here
                + ": use " + remedy + " or another directory");
    }
}
