package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Progress;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Scopes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A map that goes on from a checkpoint is the map of a run that was never broken off, to the bit. */
@Tag("slow")
class MapCheckpointTest {
    private static final String MODEL = "random:2,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4};
    private static final int START = 16; // bytes before the first record
    private static final int HEADER = 20;

    @TempDir
    private Path temporary;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** A run whose maps get little memory. */
    private final class Setting implements AutoCloseable {
        final ModelSource source = ModelSource.open(MODEL);
        final DeviceModel model;
        final Linearization run;
        final List<String> notes = new ArrayList<>();
        UnaryOperator<MapRequest> change = request -> request;
        long budget;

        Setting(Backend backend) throws IOException {
            model = new DeviceModel(source, backend);
            run = new Linearization(model, PROMPT);
            budget = 1024;
            while (sweeps() > 8) {
                budget += budget / 20;
            }
        }

        private int sweeps() {
            try {
                return request().plan().sweeps();
            } catch (MemoryBudgetException tooSmall) {
                return Integer.MAX_VALUE;
            }
        }

        MapRequest request() {
            return change.apply(
                    new MapRequest(Scopes.within(run, budget)).probes(3).seed(5));
        }

        /** Computes with a checkpoint. */
        ResponseMap map(Path directory) {
            notes.clear();
            return request()
                    .checkpoint(directory)
                    .progress(new Progress.Listener() {
                        @Override
                        public void at(Progress progress) {
                            assertThat(progress.fraction()).isBetween(0.0, 1.0);
                        }

                        @Override
                        public void note(String line) {
                            notes.add(line);
                        }
                    })
                    .compute();
        }

        @Override
        public void close() {
            run.close();
            model.close();
            source.close();
        }
    }

    private static Path log(Path directory) {
        return directory.resolve("batches.log");
    }

    /** Where each record begins, and where the last ends. */
    private static List<Integer> boundaries(byte[] log) {
        List<Integer> at = new ArrayList<>(List.of(START));
        while (at.get(at.size() - 1) < log.length) {
            int here = at.get(at.size() - 1);
            at.add(here + HEADER + 8 * ByteBuffer.wrap(log).getInt(here + 12) + 4);
        }
        assertThat(at.get(at.size() - 1)).isEqualTo(log.length);
        return at;
    }

    private static void assertSame(ResponseMap map, ResponseMap expected) {
        // Equal arrays of doubles are equal to the bit.
        assertThat(map.frobenius()).isEqualTo(expected.frobenius());
        assertThat(map.standardErrors()).isEqualTo(expected.standardErrors());
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void goesOnFromAnyByteOfTheLog(Backends kind) throws IOException {
        Path directory = temporary.resolve("a");
        try (Setting setting = new Setting(leaks.closing(kind.open()))) {
            ResponseMap whole = setting.map(directory);
            assertThat(setting.notes).singleElement().asString().contains("each saved when it is done");
            byte[] log = Files.readAllBytes(log(directory));
            List<Integer> at = boundaries(log);
            assertThat(at).hasSizeGreaterThanOrEqualTo(6);
            for (int size = 0; size < log.length; size++) {
                boolean last = size >= at.get(at.size() - 2);
                if (!last && !at.contains(size) && size > START) {
                    continue; // every byte of the last record, and the ends of the others
                }
                Files.write(log(directory), Arrays.copyOf(log, size));
                assertSame(setting.map(directory), whole);
                assertThat(Files.readAllBytes(log(directory))).isEqualTo(log);
                assertThat(String.join("; ", setting.notes).contains("no whole record"))
                        .as("a note on what was dropped at " + size + ": " + setting.notes)
                        .isEqualTo(size > START && !at.contains(size));
            }
            assertSame(setting.map(directory), whole);
            assertThat(setting.notes).singleElement().asString().contains("nothing to compute");
        }
    }

    /** Numbers of a checkpoint of one batch. */
    private static int numbers(Setting setting, String name, Path temporary) throws IOException {
        Path directory = temporary.resolve(name);
        setting.map(directory);
        byte[] log = Files.readAllBytes(log(directory));
        assertThat(boundaries(log)).hasSize(2);
        return ByteBuffer.wrap(log).getInt(START + 12);
    }

    @Test
    void aRecordHoldsWhatCanBeNonzero() throws IOException {
        try (Setting setting = new Setting(leaks.closing(Backends.REFERENCE.open()))) {
            setting.budget = 1 << 28;
            // Three pairs of depths, 10 of tokens, two sums each.
            assertThat(numbers(setting, "whole", temporary)).isEqualTo(60);
            // From depth 0 to 3, 2 and 1 tokens of depth 1, and from each source to the last token of depth 2.
            List<Site> targets = List.of(Site.of(1, 1), Site.of(1, 2), Site.of(1, 3), Site.of(2, 0), Site.of(2, 3));
            List<Site> sources = List.of(Site.of(0, 1), Site.of(0, 2), Site.of(0, 3), Site.of(1, 2));
            setting.change =
                    request -> request.targets(targets).sources(sources).mode(SweepMode.FORWARD);
            assertThat(numbers(setting, "forward", temporary)).isEqualTo(2 * (3 + 2 + 1 + 4));
            setting.change =
                    request -> request.targets(targets).sources(sources).mode(SweepMode.ADJOINT);
            assertThat(numbers(setting, "adjoint", temporary)).isEqualTo(2 * (3 + 2 + 1 + 4));
        }
    }

    /** One vector at every site, which grows with {@code scale}. */
    private static SiteVectors vectors(Setting setting, double scale) {
        Map<Site, double[][]> vectors = new LinkedHashMap<>();
        for (Site site : ResponseMap.all(setting.model.config().layers(), PROMPT.length, false)) {
            double[] vector = new double[16];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = scale
                        * Math.sin(
                                1 + i + 3 * site.token() + 7 * site.halfDepth().index());
            }
            vectors.put(site, new double[][] {vector});
        }
        return SiteVectors.of(vectors);
    }

    @Test
    void whatIsReadOfVectorsGoesOnToo() throws IOException {
        try (Setting setting = new Setting(leaks.closing(Backends.REFERENCE.open()))) {
            for (SweepMode mode : List.of(SweepMode.FORWARD, SweepMode.ADJOINT)) {
                Path directory = temporary.resolve(mode.name());
                UnaryOperator<MapRequest> asked = request -> request.mode(mode).projections(vectors(setting, 1));
                setting.change = asked;
                ResponseMap whole = setting.map(directory);
                byte[] log = Files.readAllBytes(log(directory));
                List<Integer> at = boundaries(log);
                assertThat(at).hasSizeGreaterThan(3);
                Files.write(log(directory), Arrays.copyOf(log, at.get(2)));
                ResponseMap map = setting.map(directory);
                assertSame(map, whole);
                assertThat(map.projections().norms(0))
                        .isEqualTo(whole.projections().norms(0));
                setting.change = request -> asked.apply(request).projections(vectors(setting, 2));
                assertThatThrownBy(() -> setting.map(directory))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("was made with vectors at targets 12 at 12 sites, sha256 ");
                setting.change = request -> request.mode(mode);
                assertThatThrownBy(() -> setting.map(directory)).hasMessageContaining("vectors at targets none");
            }
            Path directory = temporary.resolve("given");
            setting.change = request -> request.directions(vectors(setting, 1));
            ResponseMap whole = setting.map(directory);
            byte[] log = Files.readAllBytes(log(directory));
            Files.write(log(directory), Arrays.copyOf(log, boundaries(log).get(1)));
            assertSame(setting.map(directory), whole);
            setting.change = request -> request.directions(vectors(setting, 1.5));
            assertThatThrownBy(() -> setting.map(directory)).hasMessageContaining("was made with directions 12 at 12");
        }
    }

    @Test
    void aDamagedRecordIsComputedAgain() throws IOException {
        Path directory = temporary.resolve("a");
        try (Setting setting = new Setting(leaks.closing(Backends.REFERENCE.open()))) {
            ResponseMap whole = setting.map(directory);
            byte[] log = Files.readAllBytes(log(directory));
            List<Integer> at = boundaries(log);
            for (int record = 0; record < at.size() - 1; record++) {
                for (int place : new int[] {at.get(record) + HEADER + 3, at.get(record + 1) - 1}) {
                    byte[] damaged = log.clone();
                    damaged[place] ^= 16;
                    Files.write(log(directory), damaged);
                    assertSame(setting.map(directory), whole);
                    assertThat(setting.notes)
                            .hasSize(2)
                            .first()
                            .asString()
                            .contains("is damaged, they are computed again");
                    assertThat(Files.readAllBytes(log(directory))).isEqualTo(log);
                }
                // Where a record does not say how long it is, what follows cannot be found.
                byte[] damaged = log.clone();
                damaged[at.get(record) + 13] ^= 1;
                Files.write(log(directory), damaged);
                assertSame(setting.map(directory), whole);
                assertThat(setting.notes)
                        .hasSize(2)
                        .first()
                        .asString()
                        .contains("dropped " + (log.length - at.get(record)) + " bytes");
            }
            byte[] damaged = log.clone();
            damaged[9] ^= 1;
            Files.write(log(directory), damaged);
            assertThatThrownBy(() -> setting.map(directory))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("batches.log does not belong to the manifest.json beside it");
        }
    }

    @Test
    void aDamagedManifestIsRefused() throws IOException {
        Path directory = temporary.resolve("a");
        try (Setting setting = new Setting(leaks.closing(Backends.REFERENCE.open()))) {
            setting.map(directory);
            byte[] log = Files.readAllBytes(log(directory));
            Path file = directory.resolve("manifest.json");
            byte[] whole = Files.readAllBytes(file);
            for (int i = 0; i < whole.length; i += 7) {
                byte[] flipped = whole.clone();
                flipped[i] ^= 1;
                for (byte[] damaged : new byte[][] {Arrays.copyOf(whole, i), flipped}) {
                    Files.write(file, damaged);
                    if (Character.isWhitespace(whole[i]) && damaged == flipped) {
                        continue; // blanks between fields may say nothing
                    }
                    assertThatThrownBy(() -> setting.map(directory))
                            .as("byte " + i)
                            .isInstanceOf(InputException.class)
                            .hasMessageStartingWith("checkpoint " + directory + ": manifest.json is damaged")
                            .hasMessageEndingWith("use another directory");
                }
            }
            assertThat(Files.readAllBytes(log(directory))).isEqualTo(log);
            Files.delete(file);
            assertThatThrownBy(() -> setting.map(directory)).hasMessageContaining("found batches.log in it but no");
        }
    }

    /** The plan is that of the first run, whatever memory there is later. */
    @Test
    void thePlanIsKept() throws IOException {
        Path directory = temporary.resolve("a");
        try (Setting setting = new Setting(leaks.closing(Backends.CPU.open()))) {
            ResponseMap whole = setting.map(directory);
            byte[] log = Files.readAllBytes(log(directory));
            Path copy = Files.createDirectory(temporary.resolve("b"));
            Files.copy(directory.resolve("manifest.json"), copy.resolve("manifest.json"));
            long budget = setting.budget;
            setting.budget = 1L << 30;
            assertThat(setting.request().plan().sweeps()).isEqualTo(1);
            assertSame(setting.map(copy), whole);
            assertThat(Files.readAllBytes(log(copy))).isEqualTo(log);
            // Batches that are there need no memory; one that is not is refused, and nothing is lost.
            setting.budget = budget / 2;
            assertSame(setting.map(copy), whole);
            try (RandomAccessFile file = new RandomAccessFile(log(copy).toFile(), "rw")) {
                file.setLength(boundaries(log).get(2));
            }
            assertThatThrownBy(() -> setting.map(copy))
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContaining("a batch that is still to be computed takes ")
                    .hasMessageContaining("raise the memory budget by at least ");
            setting.budget = budget;
            assertSame(setting.map(copy), whole);
        }
    }

    /** A device that refuses batches above some size; proxies the other calls. */
    private static Backend refusing(Backend backend, long[] most) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("allocate") && (long) arguments[1] > most[0]) {
                        throw new DeviceMemoryException("refused");
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                });
    }

    /** Once a batch was refused, the parts that took its place are those of every run that goes on from there. */
    @Test
    void refusedBatchesAreCutTheSameWayAgain() throws IOException {
        Path directory = temporary.resolve("a");
        long[] most = {Long.MAX_VALUE};
        try (Setting setting = new Setting(refusing(leaks.closing(Backends.CPU.open()), most))) {
            setting.budget *= 4;
            assertThat(setting.request().plan().sweeps()).isBetween(2, 3);
            most[0] = 600;
            ResponseMap whole = setting.map(directory);
            byte[] log = Files.readAllBytes(log(directory));
            List<Integer> at = boundaries(log);
            List<Integer> limits = at.subList(0, at.size() - 1).stream()
                    .filter(place -> ByteBuffer.wrap(log).getInt(place) == 2)
                    .toList();
            assertThat(limits).isNotEmpty();
            assertThat(at).hasSizeGreaterThan(6);
            for (int size : at) {
                // Where the log says so the device is not asked for more again, even if it had more now.
                most[0] = size > limits.get(limits.size() - 1) ? Long.MAX_VALUE : 600;
                Files.write(log(directory), Arrays.copyOf(log, size));
                assertSame(setting.map(directory), whole);
                assertThat(Files.readAllBytes(log(directory))).isEqualTo(log);
            }
        }
    }
}
