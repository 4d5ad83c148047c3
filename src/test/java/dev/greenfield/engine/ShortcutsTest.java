package dev.greenfield.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.Shortcuts.Switch;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.FlopCounter;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Yardstick;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ways with fewer flops find what the long way finds. */
class ShortcutsTest {
    private static final List<String> MODELS = List.of(
            "random:2,2,24,19,16,seed=5",
            "random:gemma2:layers=2,heads=2,keys=1,width=16,inner=24,vocabulary=19,positions=16",
            "random:gpt_neox:layers=2,heads=2,width=16,inner=64,vocabulary=19,positions=16");

    private static final int[] TOKENS = {3, 17, 9, 4, 11, 2, 8};
    private static final int COLUMNS = 420;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static Shortcuts all(Switch way) {
        return new Shortcuts(way, way, way);
    }

    private static double[] norms(String spec, Backend backend, Shortcuts shortcuts, int fromToken) throws IOException {
        return SweepNorms.of(spec, backend, shortcuts, TOKENS, fromToken, COLUMNS);
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void allWaysFindTheSame(Backends kind) throws IOException {
        for (String spec : MODELS) {
            for (int fromToken : new int[] {0, 3}) {
                double[] expected = norms(spec, leaks.closing(Backends.REFERENCE.open()), all(Switch.OFF), fromToken);
                double[] found = norms(spec, leaks.closing(kind.open()), all(Switch.ON), fromToken);
                if (kind == Backends.REFERENCE) {
                    assertThat(Errors.relative(found, expected)).as(spec).isLessThan(1e-13);
                } else {
                    double[] single = norms(spec, leaks.closing(Backends.single()), all(Switch.OFF), fromToken);
                    Yardstick.check(kind + " " + spec + " from " + fromToken, found, expected, single);
                }
            }
        }
    }

    /** Few rows at a time in attention cut the nursery's columns in the middle of a token's. */
    @Test
    void piecesOfAnySizeFindTheSame() throws IOException {
        double[] expected = norms(MODELS.get(0), leaks.closing(Backends.REFERENCE.open()), all(Switch.OFF), 0);
        for (int rows : new int[] {1, 13, 100}) {
            Backend backend = ColumnTilesTest.preferring(
                    leaks.closing(Backends.REFERENCE.open()), Map.of("preferredAttentionRows", rows));
            assertThat(Errors.relative(norms(MODELS.get(0), backend, all(Switch.ON), 0), expected))
                    .isLessThan(1e-13);
        }
    }

    @Test
    void eachTakesFewerFlops() throws IOException {
        FlopCounter counter = new FlopCounter(leaks.closing(Backends.REFERENCE.open()));
        double[] flops = new double[3];
        Shortcuts[] ways = {
            all(Switch.OFF),
            new Shortcuts(Switch.ON, Switch.OFF, Switch.OFF),
            new Shortcuts(Switch.ON, Switch.ON, Switch.OFF)
        };
        for (int i = 0; i < ways.length; i++) {
            norms(MODELS.get(0), counter.backend(), ways[i], 0);
            flops[i] = counter.taken();
        }
        assertThat(flops[1]).isLessThan(0.9 * flops[0]);
        assertThat(flops[2]).isLessThan(0.95 * flops[1]);
    }

    @Test
    void switchesAreOnOffOrAuto() {
        String property = "greenfield.engine.keypath";
        System.setProperty(property, "yes");
        try {
            assertThatThrownBy(Shortcuts::here)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("-D" + property + "=yes: expected on, off or auto");
        } finally {
            System.clearProperty(property);
        }
    }
}
