package dev.greenfield.green;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.FlopCounter;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An operator that is applied again and again keeps what all of its sweeps need. */
class KeptMapsTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int TIMES = 8;
    private static final String SWITCH = "greenfield.engine.keptmaps";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Images of some vectors, up and down in turn, and the flops of each time. */
    private static List<double[][]> images(FlopCounter counter, long memory, List<Double> flops) throws IOException {
        List<double[][]> images = new ArrayList<>();
        try (Model model = TestModels.open(MODEL, counter.backend(), memory);
                Run run = model.run(PROMPT)) {
            List<Site> sources = List.of(Site.of(0, 0), Site.of(0, 2));
            GreenOperator operator =
                    run.green(sources).to(Site.of(3, 3), Site.of(3, 4)).forManyImages();
            for (int i = 0; i < TIMES; i++) {
                double[][] vectors = {normal(i, 32), normal(i + 50, 32), normal(i + 100, 32)};
                counter.taken();
                images.add(i % 2 == 0 ? operator.images(vectors) : operator.adjointImages(vectors));
                flops.add(counter.taken());
            }
        }
        return images;
    }

    private List<double[][]> without(String value) throws IOException {
        System.setProperty(SWITCH, value);
        try {
            return images(new FlopCounter(leaks.closing(Backends.REFERENCE.open())), 0, new ArrayList<>());
        } finally {
            System.clearProperty(SWITCH);
        }
    }

    @Test
    void laterSweepsFindTheSameForFewerFlops() throws IOException {
        List<Double> flops = new ArrayList<>();
        List<double[][]> kept = images(new FlopCounter(leaks.closing(Backends.REFERENCE.open())), 0, flops);
        List<double[][]> expected = without("off");
        for (int i = 0; i < TIMES; i++) {
            for (int v = 0; v < 3; v++) {
                assertThat(Errors.relative(kept.get(i)[v], expected.get(i)[v])).isLessThan(1e-13);
            }
        }
        // 3 rows a token, and 10 pay for a map: the fourth sweep forms them, later ones take 10 D^2 a row, not 24.
        assertThat(flops.get(3)).isGreaterThan(flops.get(1));
        assertThat(flops.get(5)).isLessThan(0.5 * flops.get(1));
        assertThat(flops.get(6)).isLessThan(0.5 * flops.get(2));
    }

    @Test
    void littleMemoryKeepsWhatFits() throws IOException {
        Backend backend = leaks.watched(Backends.REFERENCE.open());
        long budget = 260 * 1024;
        List<Double> flops = new ArrayList<>();
        List<double[][]> kept = images(new FlopCounter(backend), budget, flops);
        assertThat(backend.ledger().peakBytes()).isLessThanOrEqualTo(budget);
        assertThat(flops.get(5)).isBetween(0.5 * flops.get(1), 0.99 * flops.get(1));
        List<double[][]> expected = without("off");
        for (int v = 0; v < 3; v++) {
            assertThat(Errors.relative(kept.get(6)[v], expected.get(6)[v])).isLessThan(1e-13);
        }
    }
}
