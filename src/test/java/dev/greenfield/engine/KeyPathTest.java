package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.Shortcuts.Switch;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.FlopCounter;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.TestData;
import dev.greenfield.testing.Yardstick;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scores without queries and keys, where tokens turn, normalize and share these: what they find is what queries and keys find. */
class KeyPathTest {
    private static final int[] TOKENS = {3, 17, 9, 4, 11, 2, 8, 5};
    private static final int COLUMNS = 128;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static double[] norms(String model, Backend backend, Switch keyPath) throws IOException {
        Shortcuts shortcuts = new Shortcuts(Switch.OFF, keyPath, Switch.OFF);
        return SweepNorms.of(model, backend, shortcuts, TOKENS, 0, COLUMNS);
    }

    private Backend reference() {
        return leaks.closing(Backends.REFERENCE.open());
    }

    private static String family(String name) {
        return TestData.model(TestData.FAMILIES + name).toString();
    }

    /** All rotary ways: full and in part, scaled, by kind of layer; heads that share keys or have norms; windows; parallel blocks. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "gemma",
                "gemma3_text-pattern",
                "gpt_neo",
                "gpt_neox",
                "gpt_neox-sequential",
                "llama-bias",
                "llama-yarn",
                "mistral",
                "qwen3"
            })
    void findsTheSameWithFewerFlops(String name) throws IOException {
        String model = family(name);
        FlopCounter counter = new FlopCounter(reference());
        double[] expected = norms(model, counter.backend(), Switch.OFF);
        double by = counter.taken();
        double[] exact = norms(model, counter.backend(), Switch.ON);
        assertThat(counter.taken()).isLessThan(0.97 * by);
        assertThat(Errors.relative(exact, expected)).isLessThan(1e-13);
        double[] single = norms(model, leaks.closing(Backends.single()), Switch.OFF);
        for (Backends kind : Backends.tested()) {
            double[] found = norms(model, leaks.closing(kind.open()), Switch.ON);
            Yardstick.check(kind + " key path: " + name, found, expected, single);
        }
    }

    /** Soft caps bend scores, and a norm over all heads makes a factor as wide as all of them. */
    @ParameterizedTest
    @ValueSource(strings = {"gemma2", "olmo2"})
    void isNotTakenWhereItDoesNotHold(String name) throws IOException {
        requireNotTaken(family(name), reference());
    }

    /** With as many scores as queries and keys have elements there is nothing to be won. */
    @Test
    void isNotTakenWhereItDoesNotPay() throws IOException {
        requireNotTaken(
                "random:llama:layers=2,heads=8,keys=4,width=32,inner=24,vocabulary=19,positions=16", reference());
    }

    /** Factors would be made again for each tile. */
    @Test
    void isNotTakenForTilesThatCannotShareFactors() throws IOException {
        Backend backend = reference();
        Map<String, Number> little = Map.of("maxBufferLength", 10_000L, "preferredAttentionRows", 20);
        requireNotTaken(family("llama-bias"), ColumnTilesTest.preferring(backend, little));
    }

    private static void requireNotTaken(String model, Backend backend) throws IOException {
        FlopCounter counter = new FlopCounter(backend);
        double[] expected = norms(model, counter.backend(), Switch.OFF);
        double by = counter.taken();
        assertThat(norms(model, counter.backend(), Switch.ON)).isEqualTo(expected);
        assertThat(counter.taken()).isEqualTo(by);
    }

    /** Where there is little room a single tile gets factors for one token, or a few, at a time. */
    @Test
    void factorsOfFewTokensAtATimeFindTheSame() throws IOException {
        for (String name : new String[] {"llama-bias", "qwen3"}) {
            FlopCounter counter = new FlopCounter(reference());
            double[] expected = norms(family(name), counter.backend(), Switch.OFF);
            counter.taken();
            norms(family(name), counter.backend(), Switch.ON);
            double by = counter.taken();
            for (long room : new long[] {1, 4_000, 8_000}) {
                Map<String, Number> little = Map.of("maxBufferLength", room, "preferredAttentionRows", 10_000);
                Backend backend = ColumnTilesTest.preferring(counter.backend(), little);
                assertThat(Errors.relative(norms(family(name), backend, Switch.ON), expected))
                        .isLessThan(1e-13);
                assertThat(counter.taken()).isEqualTo(by);
            }
        }
    }

    /** What a sweep is said to take has its factors in it, and is what it takes at most. */
    @Test
    void factorsAreCounted() throws IOException {
        for (String name : new String[] {"llama-bias", "qwen3", "gpt_neo"}) {
            long without = bytes(name, Switch.OFF);
            assertThat(bytes(name, Switch.ON)).as(name).isGreaterThan(without);
        }
    }

    /** The most bytes of a sweep of tangents, which are no more than it is said to take. */
    private long bytes(String name, Switch keyPath) throws IOException {
        Backend backend = reference();
        try (ModelSource source = ModelSource.open(family(name));
                DeviceModel model = new DeviceModel(
                        source, backend, WeightPlan.resident(), new Shortcuts(Switch.OFF, keyPath, Switch.OFF));
                Linearization run = new Linearization(model, TOKENS)) {
            Seeds seeds = new Seeds();
            for (int c = 0; c < COLUMNS; c++) {
                seeds.column(HalfDepth.ofDepth(0), 0, normal(c, model.config().width()));
            }
            long before = backend.ledger().bytes();
            backend.ledger().resetPeak();
            new Sweep(run).tangents(seeds, model.top(), 0, TOKENS.length - 1, (level, rows, columns, x) -> {});
            long peak = backend.ledger().peakBytes() - before;
            assertThat(peak).as(name).isLessThanOrEqualTo(Batches.bytes(model, (long) COLUMNS * TOKENS.length));
            return peak;
        }
    }
}
