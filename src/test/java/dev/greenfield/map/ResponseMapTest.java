package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Response maps against materialized Green operators, against their own standard errors, and cut in every way. */
class ResponseMapTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int WIDTH = 16;
    private static final int LAYERS = 3;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model open(Backend backend) throws IOException {
        return TestModels.open(MODEL, leaks.watched(backend));
    }

    private static List<Site> sites(boolean halfDepths) {
        List<Site> sites = new ArrayList<>();
        for (int h = 0; h <= 2 * LAYERS; h += halfDepths ? 1 : 2) {
            for (int t = 0; t < PROMPT.length; t++) {
                sites.add(new Site(h / 2, h % 2 == 1, t));
            }
        }
        return sites;
    }

    /** The norm of each block of the materialized operators, source by source. */
    private static double[] materialized(Run run, boolean halfDepths) {
        List<Site> sites = sites(halfDepths);
        double[] norms = new double[sites.size() * sites.size()];
        for (int s = 0; s < sites.size(); s++) {
            double[] matrix =
                    run.green(sites.get(s)).to(sites.toArray(Site[]::new)).materialize();
            for (int i = 0; i < matrix.length; i++) {
                int target = i / (WIDTH * WIDTH);
                norms[s * sites.size() + target] += matrix[i] * matrix[i];
            }
        }
        for (int i = 0; i < norms.length; i++) {
            norms[i] = Math.sqrt(norms[i]);
        }
        return norms;
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void exactMapsAreTheNormsOfMaterializedOperators(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-9 : 1e-4;
        try (Model model = open(kind.open())) {
            Run run = model.run(PROMPT);
            for (boolean halfDepths : new boolean[] {false, true}) {
                double[] expected = materialized(run, halfDepths);
                for (SweepMode mode : SweepMode.values()) {
                    MapRequest request = run.responseMap().exact().mode(mode);
                    ResponseMap map = (halfDepths ? request.halfDepths() : request).compute();
                    assertThat(map.exact()).isTrue();
                    assertThat(Errors.relative(map.frobenius(), expected))
                            .as(mode + "")
                            .isLessThan(bound);
                    assertThat(map.standardErrors()).containsOnly(0.0);
                    for (int i = 0; i < expected.length; i++) {
                        assertThat(map.frobenius()[i] == 0)
                                .as("zero to the bit")
                                .isEqualTo(expected[i] == 0);
                    }
                }
            }
        }
    }

    @Test
    void causalityIsExactAndTheSourceIsTheIdentity() throws IOException {
        try (Model model = open(Backends.CPU.open())) {
            ResponseMap map =
                    model.run(PROMPT).responseMap().probes(3).halfDepths().compute();
            for (Site source : sites(true)) {
                for (Site target : sites(true)) {
                    boolean after =
                            target.halfDepth().index() >= source.halfDepth().index()
                                    && target.token() >= source.token();
                    boolean beside =
                            target.halfDepth().index() == source.halfDepth().index()
                                    && target.token() != source.token();
                    if (!after || beside) {
                        assertThat(map.frobenius(source, target)).isEqualTo(0.0);
                        assertThat(map.standardError(source, target)).isEqualTo(0.0);
                    } else if (source.equals(target)) {
                        assertThat(map.frobenius(source, target)).isEqualTo(Math.sqrt(WIDTH));
                    } else if (source.halfDepth().index() % 2 == 1
                            && target.halfDepth().index() == source.halfDepth().index() + 1) {
                        // The MLP half does not mix tokens.
                        assertThat(map.frobenius(source, target) > 0).isEqualTo(target.token() == source.token());
                    } else {
                        assertThat(map.frobenius(source, target)).isPositive();
                    }
                }
            }
        }
    }

    /**
     * Over 200 seeds the mean of the estimated squares is the exact square, and the stated errors are as large as the errors are: their
     * ratio has mean 0 and spread 1.
     */
    @Test
    void estimatesAreUnbiasedAndTheirErrorsAreWhatTheySay() throws IOException {
        try (Model model = open(Backends.CPU.open())) {
            Run run = model.run(PROMPT);
            for (boolean gaussian : new boolean[] {false, true}) {
                ResponseMap exact = run.responseMap().exact().compute();
                Site[][] pairs = {
                    {Site.of(0, 0), Site.of(3, 4)}, {Site.of(1, 2), Site.of(3, 2)}, {Site.of(0, 1), Site.of(2, 3)}
                };
                int seeds = 200;
                double[] mean = new double[pairs.length];
                double[] ratio = new double[pairs.length];
                double[] ratioSquared = new double[pairs.length];
                for (int seed = 0; seed < seeds; seed++) {
                    MapRequest request = run.responseMap().probes(24).seed(seed);
                    ResponseMap map = (gaussian ? request.gaussian() : request).compute();
                    for (int i = 0; i < pairs.length; i++) {
                        double truth = exact.frobenius(pairs[i][0], pairs[i][1]);
                        double found = map.frobenius(pairs[i][0], pairs[i][1]);
                        mean[i] += found * found / (truth * truth) / seeds;
                        double score = (found - truth) / map.standardError(pairs[i][0], pairs[i][1]);
                        ratio[i] += score / seeds;
                        ratioSquared[i] += score * score / seeds;
                    }
                }
                for (int i = 0; i < pairs.length; i++) {
                    assertThat(mean[i]).as("bias of pair " + i).isCloseTo(1, within(0.03));
                    assertThat(ratio[i]).as("mean score of pair " + i).isBetween(-0.4, 0.4);
                    assertThat(Math.sqrt(ratioSquared[i]))
                            .as("spread of pair " + i)
                            .isBetween(0.8, 1.3);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void theSameSeedGivesTheSameMapHoweverItIsCut(Backends kind) throws IOException {
        double[] whole;
        long wholePeak;
        Backend plenty = kind.open();
        try (Model model = open(plenty)) {
            whole = model.run(PROMPT).responseMap().seed(7).compute().frobenius();
            wholePeak = plenty.ledger().peakBytes();
            assertThat(model.run(PROMPT).responseMap().seed(7).compute().frobenius())
                    .isEqualTo(whole);
            assertThat(model.run(PROMPT).responseMap().seed(8).compute().frobenius())
                    .isNotEqualTo(whole);
        }
        // Each budget is less than the whole sweep took: it is cut, and the parts keep within it.
        for (int kibibytes : new int[] {130, 200}) {
            Backend backend = leaks.watched(kind.open());
            long budget = 1024L * kibibytes * backend.precision().bytes() / 4;
            try (Model model = TestModels.open(MODEL, backend, budget)) {
                double[] cut = model.run(PROMPT).responseMap().seed(7).compute().frobenius();
                assertThat(backend.ledger().peakBytes()).isBetween(budget / 2, budget);
                assertThat(wholePeak).isGreaterThan(budget);
                assertThat(Errors.relative(cut, whole)).isLessThan(kind == Backends.REFERENCE ? 1e-14 : 1e-5);
            }
        }
    }

    @Test
    void plansSayWhatWillBeDone() throws IOException {
        Backend backend = leaks.watched(Backends.REFERENCE.open());
        try (Model model = TestModels.open(MODEL, backend)) {
            Run run = model.run(PROMPT);
            MapPlan plan = run.responseMap().probes(4).plan();
            assertThat(plan.forward()).isTrue();
            assertThat(plan.columns()).isEqualTo(LAYERS * PROMPT.length * 4);
            assertThat(plan.rows()).isEqualTo(LAYERS * 15 * 4);
            assertThat(plan.sweeps()).isEqualTo(1);
            // Attention takes 8 D^2 a row, or 4 D^2 and 2 D H (T + 1) with 4 D^2 a token before where the batch has 24
            // rows a token; of a
            // column that is born there and has 4 rows or more, 6 D^2 and 2 D^2 a row. The MLP takes 16 D^2 a row, or
            // from 10 rows of a
            // token on 2 D^2 with 2 D^2 * 4 D before.
            double flops = 0;
            for (int block = 0; block < LAYERS; block++) {
                boolean scores = 4 * (15 * (block + 1) - 9) >= 24 * PROMPT.length;
                for (int t = 0; t < PROMPT.length; t++) {
                    int n = 4 * (block + 1) * (t + 1);
                    int newborn = 4 * Math.min(t + 1, PROMPT.length - 3);
                    int births = t < PROMPT.length - 3 ? 4 : 0;
                    double row = scores ? 4 + 2.0 * 2 * (PROMPT.length + 1) / WIDTH : 8;
                    double attention = row * (n - newborn) + (scores ? 4 : 0) + 6 * births + 2 * newborn;
                    flops += WIDTH * WIDTH * (attention + (n < 10 ? 16.0 * n : 8.0 * WIDTH + 2.0 * n));
                }
            }
            assertThat(plan.flops()).isCloseTo(flops, withinPercentage(1e-10));
            long before = backend.ledger().bytes();
            backend.ledger().resetPeak();
            run.responseMap().probes(4).compute();
            assertThat(backend.ledger().peakBytes() - before).isBetween(plan.bytes() / 2, plan.bytes());
            assertThat(plan.toString()).contains("forward, 60 columns of 180 rows in 1 sweep");
            // One target is cheaper from its side.
            MapPlan one = run.responseMap().targets(List.of(Site.of(3, 4))).plan();
            assertThat(one.forward()).isFalse();
            assertThat(one.columns()).isEqualTo(16);
            assertThat(run.responseMap().sources(List.of(Site.of(0, 0))).plan().forward())
                    .isTrue();
        }
    }

    @Test
    void onlyWhatIsAskedForIsThere() throws IOException {
        try (Model model = open(Backends.REFERENCE.open())) {
            Run run = model.run(PROMPT);
            ResponseMap all = run.responseMap().exact().compute();
            List<Site> sources = List.of(Site.of(1, 3), Site.of(0, 1));
            List<Site> targets = List.of(Site.of(2, 4), Site.of(0, 1), Site.of(3, 0));
            for (SweepMode mode : SweepMode.values()) {
                ResponseMap some = run.responseMap()
                        .exact()
                        .mode(mode)
                        .sources(sources)
                        .targets(targets)
                        .compute();
                for (Site source : sites(false)) {
                    for (Site target : sites(false)) {
                        if (sources.contains(source) && targets.contains(target)) {
                            assertThat(some.frobenius(source, target))
                                    .isCloseTo(all.frobenius(source, target), within(1e-12));
                        } else {
                            assertThat(some.frobenius(source, target)).isNaN();
                            assertThat(some.standardError(source, target)).isNaN();
                        }
                    }
                }
            }
            assertThatThrownBy(() -> all.frobenius(Site.mid(0, 0), Site.of(1, 1)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("whole depths only");
            assertThatThrownBy(() -> run.responseMap().sources(List.of(Site.of(9, 0))))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("expected a depth of at most 3 and a token from 0 to 4");
            assertThatThrownBy(() -> run.responseMap().probes(1))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("at least 2");
        }
    }
}
