package dev.greenfield.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Scopes;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What a checkpoint was made of is what it is used for; everything else is refused by name, and nothing is touched. */
class CheckpointRefusalTest {
    private static final String MODEL = "random:2,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4};

    @TempDir
    private Path temporary;

    private Path directory;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** A finished checkpoint. */
    @BeforeEach
    void make() throws IOException {
        directory = temporary.resolve("made");
        on(MODEL, Backends.CPU, PROMPT, run -> request(run).compute());
    }

    private MapRequest request(Run run) {
        return run.responseMap().probes(4).seed(1).checkpoint(directory);
    }

    private interface Use {
        void of(Run run) throws IOException;
    }

    private void on(String model, Backends backend, int[] prompt, Use use) throws IOException {
        try (Model opened = TestModels.open(model, leaks.watched(backend.open()))) {
            use.of(opened.run(prompt));
        }
    }

    private static Map<String, byte[]> contents(Path directory) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                contents.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return contents;
    }

    private void refused(MapRequest request, String difference, String remedy) throws IOException {
        Map<String, byte[]> before = contents(directory);
        assertThatThrownBy(request::compute)
                .isInstanceOf(InputException.class)
                .hasMessage("checkpoint " + directory + " was made with " + difference + ": use " + remedy
                        + " or another directory");
        Map<String, byte[]> after = contents(directory);
        assertThat(after.keySet()).isEqualTo(before.keySet());
        after.forEach((name, bytes) -> assertThat(bytes).isEqualTo(before.get(name)));
    }

    private void refused(UnaryOperator<MapRequest> change, String difference, String remedy) throws IOException {
        on(MODEL, Backends.CPU, PROMPT, run -> refused(change.apply(request(run)), difference, remedy));
    }

    @Test
    void otherRequests() throws IOException {
        refused(r -> r.seed(2), "seed 1, this run has seed 2", "that seed");
        String four = "directions 4 random signs a site, this run has directions ";
        refused(r -> r.probes(5), four + "5 random signs a site", "the same directions");
        refused(r -> r.gaussian(), four + "4 normal a site", "the same directions");
        refused(r -> r.exact(), four + "all", "the same directions");
        refused(r -> r.halfDepths(), "half depths false, this run has half depths true", "the same half depths");
        refused(
                r -> r.sources(List.of(Site.of(0, 1), Site.of(1, 1))),
                "source (depth 0, token 0) at place 0, this run has (depth 0, token 1) there",
                "the same sources");
        refused(
                r -> r.targets(List.of(Site.of(0, 0), Site.of(0, 1))),
                "12 targets, this run has 2",
                "the same targets");
        refused(r -> r.mode(SweepMode.ADJOINT), "mode forward, this run has mode adjoint", "that mode");
        // What is the same in other words is not refused.
        on(MODEL, Backends.CPU, PROMPT, run -> {
            ResponseMap again = request(run).mode(SweepMode.FORWARD).compute();
            assertThat(again.frobenius()).isEqualTo(request(run).compute().frobenius());
        });
    }

    /** Of the same seed, an older snapshot made other directions. */
    @Test
    void anotherFormat() throws IOException {
        Path file = directory.resolve(Manifest.FILE);
        String now = Integer.toString(Manifest.FORMAT);
        String was = Integer.toString(Manifest.FORMAT - 1);
        Map<String, Object> fields = new LinkedHashMap<>();
        Json.parse(Files.readAllBytes(file), "manifest").properties().forEach(field -> {
            List<String> texts = new ArrayList<>();
            field.getValue().forEach(element -> texts.add(element.asText()));
            fields.put(
                    field.getKey(),
                    field.getValue().isArray() ? texts : field.getValue().asText());
        });
        assertThat(fields.put(Manifest.FORMAT_FACT, was)).isEqualTo(now);
        String sum = (String) fields.remove("sha256");
        String old = Files.readString(file)
                .replace(sum, Digest.sha256(fields.toString().getBytes(StandardCharsets.UTF_8)))
                .replace("\"format\" : \"" + now, "\"format\" : \"" + was);
        Files.writeString(file, old);
        on(
                MODEL,
                Backends.CPU,
                PROMPT,
                run -> assertThatThrownBy(request(run)::compute)
                        .isInstanceOf(InputException.class)
                        .hasMessage("checkpoint " + directory + " was made with format " + was
                                + ", this run has format " + now + ": use another directory"));
    }

    @Test
    void otherRuns() throws IOException {
        on(
                MODEL,
                Backends.CPU,
                new int[] {3, 17, 8, 4},
                run -> refused(request(run), "token id 9 at place 2, this run has 8 there", "the same token ids"));
        on(
                MODEL,
                Backends.CPU,
                new int[] {3, 17, 9},
                run -> refused(request(run), "4 token ids, this run has 3", "the same token ids"));
        String digest = sha256("seed=4");
        on(
                "random:2,2,16,30,12,seed=5",
                Backends.CPU,
                PROMPT,
                run -> refused(
                        request(run),
                        "model sha256 " + digest + ", this run has model sha256 " + sha256("seed=5"),
                        "that model"));
        on(
                MODEL,
                Backends.REFERENCE,
                PROMPT,
                run -> refused(request(run), "backend cpu, this run has backend reference", "that backend"));
    }

    private static String sha256(String seed) throws IOException {
        try (ModelSource source = ModelSource.open("random:2,2,16,30,12," + seed)) {
            return source.sha256();
        }
    }

    /** Facts that a test cannot change by its request are changed in the manifest. */
    @Test
    void everyFactCounts() throws IOException {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("format", Integer.toString(Manifest.FORMAT));
        facts.put("version", "0.0.9");
        facts.put("model_epsilon", "1.0E-6");
        facts.put("device", "64 threads");
        CheckpointPlan plan = new CheckpointPlan(true, List.of(new Batches.Range(0, 4), new Batches.Range(4, 9)), 3);
        Files.delete(directory.resolve("batches.log"));
        Manifest.write(directory, facts, plan);
        assertThat(Manifest.read(directory, facts, SweepMode.AUTO).plan()).isEqualTo(plan);
        for (String name : facts.keySet()) {
            Map<String, Object> other = new LinkedHashMap<>(facts);
            other.put(name, "7");
            String what = name.replace('_', ' ');
            assertThatThrownBy(() -> Manifest.read(directory, other, SweepMode.AUTO))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(" was made with " + what + " " + facts.get(name) + ", this run has " + what
                            + " 7: use "
                            + (name.equals("format")
                                    ? "another directory"
                                    : "that " + (name.startsWith("model") ? "model" : what)));
            other.remove(name);
            assertThatThrownBy(() -> Manifest.read(directory, other, SweepMode.AUTO))
                    .hasMessageContaining("this run has none");
        }
        Map<String, Object> more = new LinkedHashMap<>(facts);
        more.put("subspace", "a digest");
        assertThatThrownBy(() -> Manifest.read(directory, more, SweepMode.AUTO))
                .hasMessageContaining("was made with no subspace, this run has subspace a digest: use none or");
        // The facts of a real run are more than these.
        on(
                MODEL,
                Backends.CPU,
                PROMPT,
                run -> assertThatThrownBy(request(run)::compute)
                        .hasMessageContaining("version 0.0.9, this run has version " + Greenfield.version()));
    }

    @Test
    void otherDirectories() throws IOException {
        Path made = directory;
        on(MODEL, Backends.CPU, PROMPT, run -> {
            directory = Files.createDirectory(temporary.resolve("foreign"));
            Files.writeString(directory.resolve("letter.txt"), "mine");
            assertThatThrownBy(request(run)::compute)
                    .isInstanceOf(InputException.class)
                    .hasMessage("checkpoint " + directory + ": found letter.txt in it but no manifest.json, expected a"
                            + " checkpoint, an empty directory or a new name; choose another directory");
            assertThat(contents(directory)).containsOnlyKeys("letter.txt");
            Path foreign = directory;
            directory = directory.resolve("letter.txt");
            assertThatThrownBy(request(run)::compute)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("found something that is not a directory");
            directory = foreign.resolve("letter.txt/below");
            assertThatThrownBy(request(run)::compute)
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageStartingWith("checkpoint " + directory + " cannot be read or written: ");
            // What a run leaves that died before its manifest was whole.
            directory = Files.createDirectories(temporary.resolve("a/b/died"));
            Files.createFile(directory.resolve("batches.log"));
            Files.writeString(directory.resolve("manifest.json.tmp"), "{");
            ResponseMap map = request(run).compute();
            assertThat(contents(directory)).containsOnlyKeys("batches.log", "manifest.json");
            directory = made;
            assertThat(map.frobenius()).isEqualTo(request(run).compute().frobenius());
        });
    }

    @Test
    void oneWriterAtATime() throws IOException {
        on(MODEL, Backends.CPU, PROMPT, run -> {
            try (BatchLog held = BatchLog.open(directory)) {
                assertThat(held.fresh()).isFalse();
                assertThatThrownBy(request(run)::compute)
                        .isInstanceOf(InputException.class)
                        .hasMessage("checkpoint " + directory + " is being written by another run: wait until that has"
                                + " ended, or use another directory");
            }
            assertThat(request(run).compute().exact()).isFalse();
        });
    }

    /** Neither a plan nor a map that does not fit makes a directory. */
    @Test
    void nothingIsMadeForWhatDoesNotFit() throws IOException {
        directory = temporary.resolve("never");
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, leaks.closing(Backends.CPU.open()));
                Linearization run = new Linearization(model, PROMPT)) {
            new MapRequest(Scopes.within(run, 1 << 20)).checkpoint(directory).plan();
            assertThatThrownBy(new MapRequest(Scopes.within(run, 1000)).checkpoint(directory)::compute)
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContaining("for a single source");
            assertThat(directory).doesNotExist();
        }
    }
}
