package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SecondOrder;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Scopes;
import dev.greenfield.testing.Yardstick;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A small memory budget cuts the work into many sweeps; what they find together is what one sweep finds. */
@Tag("slow")
class BatchSplitTest {
    private static final String MODEL = "random:2,2,24,19,16,seed=5";
    private static final int TOKENS = 9;
    private static final int VECTORS = 40;
    private static final long PLENTY = 1L << 30;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static int[] tokens(long seed) {
        return new Random(seed).ints(TOKENS, 0, 19).toArray();
    }

    /** The least memory, to a part in fifty, that sweeps with columns of this many rows can be done in. */
    private static long least(DeviceModel model) {
        for (long budget = 1024; budget < PLENTY; budget += budget / 50) {
            try {
                Batches.cut(model, new int[] {TOKENS}, budget);
                Batches.runCurvatures(model, new int[] {TOKENS}, TOKENS, budget, range -> {});
                return budget;
            } catch (MemoryBudgetException tooSmall) {
                assertThat(tooSmall).hasMessageContaining("raise the memory budget");
            }
        }
        throw new AssertionError("no budget is enough");
    }

    private static Map<String, double[]> results(Linearization run, Linearization donor, long budget) {
        Map<String, double[]> results = new LinkedHashMap<>();
        List<Site> sources = List.of(Site.of(0, 0), Site.mid(0, 3));
        List<Site> targets = List.of(Site.mid(1, 7), Site.of(2, 8));
        Scope scope = Scopes.within(run, budget);
        GreenOperator green = new GreenOperator(scope, sources, targets);
        double[][] inputs = new double[VECTORS][];
        double[][] outputs = new double[VECTORS][];
        for (int i = 0; i < VECTORS; i++) {
            inputs[i] = normal(i, green.inputs());
            outputs[i] = normal(100 + i, green.outputs());
        }
        results.put("apply", Errors.flat(green.applyAll(inputs)));
        results.put("adjoint", Errors.flat(green.adjointAll(outputs)));
        results.put("squared norm", new double[] {green.squaredFrobenius()});
        Observable f = Observable.logitDifference(3, 1).at(TOKENS - 2);
        SecondOrder derivatives = SecondOrder.compute(scope, f, sources());
        results.put("first derivatives", derivatives.first());
        results.put("second derivatives", derivatives.second());
        PatchSweep patches = PatchSweep.compute(scope, Scopes.within(donor, budget), f);
        results.put("patches", Errors.flat(patches.measured()));
        return results;
    }

    private static List<Source> sources() {
        List<Source> sources = new ArrayList<>();
        for (int i = 0; i < VECTORS; i++) {
            sources.add(Source.of(Map.of(
                    Site.of(0, i % 3), normal(200 + i, 24), Site.mid(i % 2, i % (TOKENS - 1)), normal(300 + i, 24))));
        }
        return sources;
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void manySmallSweepsFindWhatOneFinds(Backends kind) throws IOException {
        Map<String, double[]> oracle = whole(leaks.closing(Backends.REFERENCE.open()));
        Map<String, double[]> single = whole(leaks.closing(Backends.single()));
        Backend backend = leaks.closing(kind.open());
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, backend);
                Linearization run = new Linearization(model, tokens(1));
                Linearization donor = new Linearization(model, tokens(2))) {
            long budget = least(model);
            int[] rows = new int[VECTORS];
            Arrays.fill(rows, TOKENS);
            assertThat(Batches.cut(model, rows, budget).size()).isGreaterThan(3);
            assertThat(Batches.cut(model, rows, PLENTY)).hasSize(1);
            results(run, donor, budget).forEach((name, values) -> {
                if (kind == Backends.REFERENCE) {
                    assertThat(Errors.relative(values, oracle.get(name)))
                            .as(name)
                            .isLessThan(1e-14);
                } else {
                    Yardstick.check(kind + " split " + name, values, oracle.get(name), single.get(name));
                }
            });
        }
    }

    private static Map<String, double[]> whole(Backend backend) throws IOException {
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, backend);
                Linearization run = new Linearization(model, tokens(1));
                Linearization donor = new Linearization(model, tokens(2))) {
            return results(run, donor, PLENTY);
        }
    }

    /** A device that refuses more than three columns is asked for less, and not asked for more again. */
    @Test
    void whatADeviceRefusesIsHalved() throws IOException {
        Backend backend = leaks.closing(Backends.REFERENCE.open());
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, backend)) {
            int[] rows = new int[20];
            Arrays.fill(rows, TOKENS);
            List<Integer> tried = new ArrayList<>();
            int[] done = new int[rows.length];
            Batches.run(model, rows, PLENTY, range -> {
                tried.add(range.to() - range.from());
                if (range.to() - range.from() > 3) {
                    throw new DeviceMemoryException("no room");
                }
                for (int c = range.from(); c < range.to(); c++) {
                    done[c]++;
                }
            });
            assertThat(tried).containsExactly(20, 10, 5, 2, 2, 1, 2, 2, 1, 2, 2, 2, 2, 2);
            assertThat(done).containsOnly(1);
            assertThatThrownBy(() -> Batches.run(model, rows, PLENTY, range -> {
                        throw new DeviceMemoryException("no room at all");
                    }))
                    .isInstanceOf(DeviceMemoryException.class)
                    .hasMessage("no room at all");
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void sweepsStayWithinTheirBudget(Backends kind) throws IOException {
        Backend backend = leaks.closing(kind.open());
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, backend);
                Linearization run = new Linearization(model, tokens(1));
                Linearization donor = new Linearization(model, tokens(2))) {
            long least = least(model);
            for (long budget : new long[] {least, 2 * least}) {
                long before = backend.ledger().bytes();
                backend.ledger().resetPeak();
                results(run, donor, budget);
                // Reading out patched rows takes a few rows more than the sweep.
                long slack = 4L * TOKENS * 24 * backend.precision().bytes();
                assertThat(backend.ledger().peakBytes() - before).isLessThanOrEqualTo(budget + slack);
                assertThat(backend.ledger().bytes()).isEqualTo(before);
            }
        }
    }

    @Test
    void aBudgetThatIsTooSmallIsRefusedAndNothingLeaks() throws IOException {
        Backend backend = leaks.watched(Backends.REFERENCE.open());
        long weights;
        long runBytes;
        Backend first = leaks.watched(Backends.REFERENCE.open());
        try (Model model = TestModels.open(MODEL, first)) {
            weights = 8L * model.config().parameters();
            try (Run run = model.run(tokens(1))) {
                assertThat(run.tokens()).isNotEmpty();
                runBytes = first.ledger().bytes() - weights;
            }
        }
        try (Model model = TestModels.open(MODEL, backend, weights + runBytes + 1_000)) {
            // The run itself would fit, the rows that make it would not.
            assertThatThrownBy(() -> model.run(tokens(1)))
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContaining("raise the memory budget");
        }
        Backend never = leaks.watched(Backends.REFERENCE.open());
        // Of half of the weights a block at a time would do; of this not even one.
        assertThatThrownBy(() -> TestModels.open(MODEL, never, weights / 100))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("raise the memory budget");
    }
}
