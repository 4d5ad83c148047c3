package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.KeptTokens;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Progress;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Scopes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A map whose batches several devices share is that of one device, to the bit. */
class MapDevicesTest {
    private static final String MODEL = "random:2,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path temporary;

    /** One model on several devices, and little memory for maps on each. */
    private final class Setting implements AutoCloseable {
        final ModelSource source = ModelSource.open(MODEL);
        final List<DeviceModel> models = new ArrayList<>();
        final Linearization run;
        long budget = 1024;

        Setting(int devices, int sweeps) throws IOException {
            for (int i = 0; i < devices; i++) {
                Backend backend = leaks.closing(Backends.REFERENCE.open());
                models.add(new DeviceModel(source, backend));
            }
            run = new Linearization(models.get(0), PROMPT);
            while (sweeps(request(0)) > sweeps) {
                budget += budget / 20;
            }
        }

        private int sweeps(MapRequest request) {
            try {
                return request.plan().sweeps();
            } catch (MemoryBudgetException tooSmall) {
                return Integer.MAX_VALUE;
            }
        }

        /** A map that so many of the further devices share. */
        MapRequest request(int further) {
            List<Supplier<Scope>> copies = models.subList(1, 1 + further).stream()
                    .<Supplier<Scope>>map(model -> () -> Scopes.within(run.on(model), budget))
                    .toList();
            return new MapRequest(Scopes.within(run, budget), copies).probes(3).seed(5);
        }

        @Override
        public void close() {
            run.close();
            models.forEach(DeviceModel::close);
            source.close();
        }
    }

    @Test
    void threeDevicesFindWhatOneFinds() throws IOException {
        try (Setting setting = new Setting(3, 8)) {
            ResponseMap one = setting.request(0).compute();
            ResponseMap three = setting.request(2).compute();
            assertThat(three.frobenius()).isEqualTo(one.frobenius());
            assertThat(three.standardErrors()).isEqualTo(one.standardErrors());
            assertThat(setting.request(2).onOneDevice().compute().frobenius()).isEqualTo(one.frobenius());
        }
    }

    @Test
    void aCheckpointOfTwoDevicesIsThatOfOne() throws IOException {
        try (Setting setting = new Setting(2, 8)) {
            ResponseMap one =
                    setting.request(0).checkpoint(temporary.resolve("one")).compute();
            Path shared = temporary.resolve("two");
            Cancellation stop = Cancellation.create();
            // Broken off when a third is done; one device finishes what two have begun.
            assertThatThrownBy(() -> stop.call(() -> setting.request(1)
                            .checkpoint(shared)
                            .progress(progress -> {
                                if (progress.fraction() > 0.3) {
                                    stop.cancel();
                                }
                            })
                            .compute()))
                    .isInstanceOf(CancelledException.class);
            assertThat(setting.request(0).checkpoint(shared).compute().frobenius())
                    .isEqualTo(one.frobenius());
            assertThat(setting.request(1)
                            .checkpoint(temporary.resolve("whole"))
                            .compute()
                            .frobenius())
                    .isEqualTo(one.frobenius());
        }
    }

    /** Everything fits one batch: it is cut between sites, so that each device has a part. */
    @Test
    void aMapOfOneBatchIsCutForEachDevice() throws IOException {
        try (Setting setting = new Setting(3, 1)) {
            ResponseMap one = setting.request(0).compute();
            ResponseMap three = setting.request(2).compute();
            double[] expected = one.frobenius();
            double[] found = three.frobenius();
            for (int i = 0; i < expected.length; i++) {
                assertThat(found[i]).isCloseTo(expected[i], within(1e-13 * (1 + expected[i])));
            }
        }
    }

    @Test
    void batchesAreCutBetweenSites() throws IOException {
        try (Setting setting = new Setting(2, 1)) {
            MapLayout layout = new MapLayout(
                    true,
                    false,
                    List.of(Site.of(0, 0), Site.of(0, 1)),
                    new Directions(16, 3, false, 1),
                    new MapReadings(null, null, List.of()),
                    new Cone(true, 3, 4, false, List.of(Site.of(2, 3)), target -> 1),
                    new Cone(true, 3, 4, false, List.of(), target -> 0));
            int[] rows = {4, 4, 4, 3, 3, 3};
            List<Supplier<Scope>> copy =
                    List.of(() -> Scopes.within(setting.run.on(setting.models.get(1)), setting.budget));
            try (MapDevices devices = new MapDevices(Scopes.within(setting.run, setting.budget), copy)) {
                assertThat(devices.cut(List.of(new Batches.Range(0, 6)), layout, rows))
                        .containsExactly(new Batches.Range(0, 3), new Batches.Range(3, 6));
            }
        }
    }

    /** One of the devices refuses batches of more than two columns, whichever it is: they are halved as by one device. */
    @Test
    void whatADeviceRefusesIsHalvedForAll() throws IOException {
        try (Setting setting = new Setting(2, 4)) {
            List<Batches.Range> asked = new ArrayList<>();
            List<Batches.Range> planned =
                    List.of(new Batches.Range(0, 5), new Batches.Range(5, 9), new Batches.Range(9, 12));
            List<Supplier<Scope>> copy =
                    List.of(() -> Scopes.within(setting.run.on(setting.models.get(1)), setting.budget));
            try (MapDevices devices = new MapDevices(Scopes.within(setting.run, setting.budget), copy)) {
                devices.plan(new MapCut(planned, KeptTokens.none()), (series, range) -> {
                    if (range.to() - range.from() > 2) {
                        throw new DeviceMemoryException("three columns are too many");
                    }
                    return new double[] {range.from(), range.to()};
                });
                Batches.run(planned, Integer.MAX_VALUE, most -> {}, range -> {
                    assertThat(devices.found(range)).containsExactly(range.from(), range.to());
                    asked.add(range);
                });
            }
            assertThat(asked.get(0)).isEqualTo(new Batches.Range(0, 2));
            assertThat(asked.get(asked.size() - 1).to()).isEqualTo(12);
            for (int i = 1; i < asked.size(); i++) {
                assertThat(asked.get(i).from()).isEqualTo(asked.get(i - 1).to());
            }
        }
    }

    @Test
    void aFailureOfAnyDeviceIsTheMapsAndProgressIsWhole() throws IOException {
        try (Setting setting = new Setting(2, 8)) {
            List<Double> fractions = new ArrayList<>();
            Progress.watched(
                    progress -> fractions.add(progress.fraction()),
                    () -> setting.request(1).compute());
            assertThat(fractions).isSorted().last().isEqualTo(1.0);
            setting.models.get(1).close();
            assertThatThrownBy(() -> setting.request(1).compute()).isInstanceOf(RuntimeException.class);
        }
    }
}
