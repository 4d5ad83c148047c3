package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.FlopCounter;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Scopes;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Batches of one map form the maps of tokens' MLPs once, and find what they would find alone. */
class MapKeepingTest {
    private static final String GPT2 = "random:3,2,24,19,16,seed=5";
    private static final String GPT2_QUOTED = "'" + GPT2 + "'";
    private static final int[] PROMPT = {3, 17, 9, 4, 11, 2, 8};
    private static final int PROBES = 150;
    private static final long PLENTY = 1L << 30;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path temporary;

    /** One run on counting backends, and the least memory that cuts its map into so many sweeps. */
    private final class Setting implements AutoCloseable {
        final ModelSource source;
        final List<FlopCounter> counters = new ArrayList<>();
        final List<DeviceModel> models = new ArrayList<>();
        final Linearization run;
        final boolean halfDepths;
        final SweepMode mode;
        long budget = 1 << 20;

        final int probes;

        Setting(String spec, boolean halfDepths, SweepMode mode, int sweeps) throws IOException {
            this(Backends.REFERENCE, PROBES, spec, halfDepths, mode, sweeps);
        }

        Setting(Backends backends, int probes, String spec, boolean halfDepths, SweepMode mode, int sweeps)
                throws IOException {
            this.probes = probes;
            this.source = ModelSource.open(spec);
            this.halfDepths = halfDepths;
            this.mode = mode;
            for (int i = 0; i < 2; i++) {
                Backend backend = leaks.closing(backends.open());
                counters.add(new FlopCounter(backend));
                models.add(new DeviceModel(source, counters.get(i).backend()));
            }
            run = new Linearization(models.get(0), PROMPT);
            while (sweeps() > sweeps) {
                budget += budget / 20;
            }
        }

        private int sweeps() {
            try {
                return request(budget, 0).plan().sweeps();
            } catch (MemoryBudgetException tooSmall) {
                return Integer.MAX_VALUE;
            }
        }

        MapRequest request(long memory, int further) {
            List<Supplier<Scope>> copies = models.subList(1, 1 + further).stream()
                    .<Supplier<Scope>>map(model -> () -> Scopes.within(run.on(model), memory))
                    .toList();
            MapRequest request = new MapRequest(Scopes.within(run, memory), copies)
                    .probes(probes)
                    .seed(5)
                    .mode(mode);
            return halfDepths ? request.halfDepths() : request;
        }

        @Override
        public void close() {
            run.close();
            models.forEach(DeviceModel::close);
            source.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        GPT2_QUOTED + ", false, FORWARD",
        GPT2_QUOTED + ", false, ADJOINT",
        GPT2_QUOTED + ", true, FORWARD",
        "'random:llama:layers=3,heads=4,keys=2,width=16,inner=24,vocabulary=19,positions=16', false, FORWARD",
        "'random:gpt_neox:layers=3,heads=2,width=16,inner=64,vocabulary=19,positions=16', false, ADJOINT"
    })
    void batchesTakeTheFlopsOfThePlanAndFindWhatOneFinds(String spec, boolean halfDepths, SweepMode mode)
            throws IOException {
        try (Setting setting = new Setting(spec, halfDepths, mode, 5)) {
            MapRequest request = setting.request(setting.budget, 0);
            MapPlan plan = request.plan();
            assertThat(plan.sweeps()).isBetween(3, 5);
            assertThat(plan.keptMaps()).isPositive();
            assertThat(plan.toString()).endsWith(", maps of " + plan.keptMaps() + " MLPs kept");
            setting.counters.get(0).taken();
            double[] found = request.compute().frobenius();
            assertThat(setting.counters.get(0).taken()).isCloseTo(plan.flops(), withinPercentage(1));
            double[] expected = setting.request(PLENTY, 0).compute().frobenius();
            for (int i = 0; i < expected.length; i++) {
                assertThat(found[i]).isCloseTo(expected[i], within(1e-12 * (1 + expected[i])));
            }
        }
    }

    /** Five batches that form maps for themselves take more than one that has all rows. Kept, they take hardly more. */
    @Test
    void whatIsKeptIsFormedOnce() throws IOException {
        try (Setting setting = new Setting(GPT2, false, SweepMode.FORWARD, 5)) {
            double one = setting.request(PLENTY, 0).plan().flops();
            double kept = setting.request(setting.budget, 0).plan().flops();
            assertThat(kept).isCloseTo(one, withinPercentage(3));
            System.setProperty("greenfield.engine.keptmaps", "off");
            try (Setting without = new Setting(GPT2, false, SweepMode.FORWARD, 5)) {
                MapPlan plan = without.request(setting.budget, 0).plan();
                assertThat(plan.flops()).isGreaterThan(1.03 * kept);
            } finally {
                System.clearProperty("greenfield.engine.keptmaps");
            }
        }
    }

    /** Whichever device or process comes to a token first: its map has the same bits. */
    @ParameterizedTest
    @CsvSource({"REFERENCE, 150", "CPU, 1500"})
    void whoFormsAMapDecidesNoBit(Backends backends, int probes) throws IOException {
        try (Setting setting = new Setting(backends, probes, GPT2, false, SweepMode.FORWARD, 8)) {
            MapPlan plan = setting.request(setting.budget, 0).plan();
            assertThat(plan.sweeps()).isGreaterThan(4);
            assertThat(plan.keptMaps()).isPositive();
            double[] one = setting.request(setting.budget, 0).compute().frobenius();
            assertThat(setting.request(setting.budget, 1).compute().frobenius()).isEqualTo(one);
            double[] kept = setting.request(setting.budget, 0)
                    .checkpoint(temporary.resolve("whole"))
                    .compute()
                    .frobenius();
            // What a killed run leaves: the first half of the batches.
            Path broken = Files.createDirectory(temporary.resolve("broken"));
            for (String name : List.of("manifest.json", "batches.log")) {
                Files.copy(temporary.resolve("whole").resolve(name), broken.resolve(name));
            }
            try (FileChannel log = FileChannel.open(broken.resolve("batches.log"), StandardOpenOption.WRITE)) {
                log.truncate(log.size() / 2);
            }
            assertThat(setting.request(setting.budget, 1)
                            .checkpoint(broken)
                            .compute()
                            .frobenius())
                    .isEqualTo(kept);
            // More memory now: the checkpoint says what was kept.
            assertThat(setting.request(PLENTY, 0)
                            .checkpoint(temporary.resolve("whole"))
                            .compute()
                            .frobenius())
                    .isEqualTo(kept);
        }
    }
}
