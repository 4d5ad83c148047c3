package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Maps on given directions, projections and gains, against materialized Green operators and the transport of the sensitivity. */
class MapReductionsTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int WIDTH = 16;
    private static final int LAYERS = 3;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model open(Backend backend) throws IOException {
        return TestModels.open(MODEL, leaks.watched(backend));
    }

    private static double bound(Backends kind) {
        return kind == Backends.REFERENCE ? 1e-9 : 1e-4;
    }

    private static List<Site> sites() {
        List<Site> sites = new ArrayList<>();
        for (int h = 0; h <= 2 * LAYERS; h++) {
            for (int t = 0; t < PROMPT.length; t++) {
                sites.add(new Site(h / 2, h % 2 == 1, t));
            }
        }
        return sites;
    }

    /** One to three vectors at two of three sites. */
    private static Map<Site, double[][]> some(int seed) {
        Map<Site, double[][]> vectors = new LinkedHashMap<>();
        List<Site> sites = sites();
        for (int s = sites.size() - 1; s >= 0; s--) {
            if ((s + seed) % 3 != 0) {
                double[][] basis = new double[1 + (s + seed) % 4 % 3][];
                for (int i = 0; i < basis.length; i++) {
                    basis[i] = Vectors.normal(1000L * seed + 10L * s + i, WIDTH);
                }
                vectors.put(sites.get(s), basis);
            }
        }
        return vectors;
    }

    /** G u at all sites, by an operator. */
    private static double[][] responses(Run run, Site source, double[][] directions) {
        return run.green(source).to(sites().toArray(Site[]::new)).applyAll(directions);
    }

    private static double[] part(double[] response, Site target) {
        int at = sites().indexOf(target) * WIDTH;
        return Arrays.copyOfRange(response, at, at + WIDTH);
    }

    /** What is expected and what a map says, compared by their largest difference. */
    private static final class Compared {
        private final List<Double> found = new ArrayList<>();
        private final List<Double> expected = new ArrayList<>();

        void add(double isFound, double isExpected) {
            if (isExpected == 0) {
                assertThat(isFound).as("zero to the bit").isEqualTo(0.0);
            }
            found.add(isFound);
            expected.add(isExpected);
        }

        double error() {
            return Errors.relative(array(found), array(expected));
        }

        private static double[] array(List<Double> values) {
            return values.stream().mapToDouble(Double::doubleValue).toArray();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void givenDirectionsAreTheOnesThatArePushed(Backends kind) throws IOException {
        Map<Site, double[][]> directions = some(1);
        Map<Site, double[][]> vectors = some(2);
        try (Model model = open(kind.open())) {
            Run run = model.run(PROMPT);
            ResponseMap map = run.responseMap()
                    .halfDepths()
                    .directions(SiteVectors.of(directions))
                    .projections(SiteVectors.of(vectors))
                    .compute();
            assertThat(map.exact()).isTrue();
            assertThat(map.projections().exact()).isTrue();
            Compared norms = new Compared();
            Compared signed = new Compared();
            Compared along = new Compared();
            for (Site source : sites()) {
                if (!directions.containsKey(source)) {
                    assertThat(map.frobenius(source, source)).isNaN();
                    continue;
                }
                double[][] responses = responses(run, source, directions.get(source));
                for (Site target : sites()) {
                    double square = 0;
                    for (double[] response : responses) {
                        square += Vectors.dot(part(response, target), part(response, target));
                    }
                    norms.add(map.frobenius(source, target), Math.sqrt(square));
                    assertThat(map.standardError(source, target)).isEqualTo(0.0);
                    double[][] here = vectors.getOrDefault(target, new double[0][]);
                    assertThat(map.projections().vectors(target)).isEqualTo(here.length);
                    for (int v = 0; v < here.length; v++) {
                        double sum = 0;
                        for (int d = 0; d < responses.length; d++) {
                            double dot = Vectors.dot(here[v], part(responses[d], target));
                            signed.add(map.projections().signed(source, d, target, v), dot);
                            sum += dot * dot;
                        }
                        along.add(map.projections().norm(source, target, v), Math.sqrt(sum));
                        assertThat(map.projections().standardError(source, target, v))
                                .isEqualTo(0.0);
                    }
                }
            }
            assertThat(norms.error()).isLessThan(bound(kind));
            assertThat(signed.error()).isLessThan(bound(kind));
            assertThat(along.error()).isLessThan(bound(kind));
        }
    }

    @Test
    void orthonormalDirectionsGiveTheNormOnTheirSpan() throws IOException {
        try (Model model = open(Backends.REFERENCE.open())) {
            Run run = model.run(PROMPT);
            Site source = Site.of(1, 1);
            double[][] units = new double[WIDTH][WIDTH];
            for (int i = 0; i < WIDTH; i++) {
                units[i][i] = 1;
            }
            ResponseMap all = run.responseMap().exact().compute();
            ResponseMap given = run.responseMap()
                    .directions(SiteVectors.of(Map.of(source, units)))
                    .compute();
            for (Site target : sites()) {
                if (!target.middle()) {
                    assertThat(given.frobenius(source, target)).isCloseTo(all.frobenius(source, target), within(1e-12));
                }
            }
        }
    }

    /** |v'G| from all unit vectors upward, from cotangents downward, and from the operator: one number. */
    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void projectionsAreRowsOfTheOperator(Backends kind) throws IOException {
        Map<Site, double[][]> vectors = some(2);
        List<Site> targets = new ArrayList<>(vectors.keySet());
        try (Model model = open(kind.open())) {
            Run run = model.run(PROMPT);
            List<Consumer<MapRequest>> ways = List.of(
                    request -> request.exact().mode(SweepMode.FORWARD),
                    request -> request.exact().mode(SweepMode.ADJOINT),
                    request -> request.probes(2).mode(SweepMode.ADJOINT),
                    request -> request.probes(2));
            for (Consumer<MapRequest> way : ways) {
                MapRequest request = run.responseMap().halfDepths().projections(SiteVectors.of(vectors));
                way.accept(request);
                Projections found = request.compute().projections();
                assertThat(found.exact()).isTrue();
                Compared norms = new Compared();
                for (Site target : targets) {
                    double[][] rows = run.green(sites()).to(target).adjointAll(vectors.get(target));
                    for (Site source : sites()) {
                        for (int v = 0; v < rows.length; v++) {
                            norms.add(found.norm(source, target, v), Vectors.norm(part(rows[v], source)));
                        }
                    }
                }
                assertThat(norms.error()).isLessThan(bound(kind));
            }
        }
    }

    /** Over 200 seeds the mean of the estimated squares is the exact square, and the stated errors are as large as the errors are. */
    @Test
    void estimatedProjectionsAreUnbiasedAndTheirErrorsAreWhatTheySay() throws IOException {
        Site target = Site.of(3, 4);
        Site source = Site.of(0, 2);
        SiteVectors vector = SiteVectors.of(Map.of(target, new double[][] {Vectors.normal(5, WIDTH)}));
        try (Model model = open(Backends.CPU.open())) {
            Run run = model.run(PROMPT);
            double truth = run.responseMap()
                    .projections(vector)
                    .compute()
                    .projections()
                    .norm(source, target, 0);
            int seeds = 200;
            double mean = 0;
            double spread = 0;
            for (int seed = 0; seed < seeds; seed++) {
                Projections found = run.responseMap()
                        .probes(32)
                        .seed(seed)
                        .mode(SweepMode.FORWARD)
                        .projections(vector)
                        .compute()
                        .projections();
                assertThat(found.exact()).isFalse();
                double norm = found.norm(source, target, 0);
                mean += norm * norm / (truth * truth) / seeds;
                double score = (norm - truth) / found.standardError(source, target, 0);
                spread += score * score / seeds;
                assertThat(found.norm(target, target, 0))
                        .as("the identity is known")
                        .isCloseTo(Vectors.norm(Vectors.normal(5, WIDTH)), within(1e-12));
                assertThat(found.standardError(target, target, 0)).isEqualTo(0.0);
            }
            // A square has the spread sqrt(2 / 32) of one, the mean of 200 a fourteenth of it: 0.018.
            assertThat(mean).isCloseTo(1, within(0.07));
            assertThat(Math.sqrt(spread)).isBetween(0.8, 1.35);
        }
    }

    /**
     * Transport of the sensitivity: the parts through all tokens of any depth sum to dF along the direction, and of any one target the
     * gain is |G'S|.
     */
    @ParameterizedTest
    @EnumSource(Observable.Kind.class)
    void gainsThroughAllTokensOfADepthAreTheWholeGain(Observable.Kind kind) throws IOException {
        Observable f = switch (kind) {
            case LOGIT_DIFFERENCE -> Observable.logitDifference(5, 9);
            case LOGIT -> Observable.logit("#5");
            case LOG_PROBABILITY -> Observable.logProbability("#5");
            case LINEAR -> Observable.linear(Vectors.normal(3, WIDTH));
        };
        Map<Site, double[][]> directions = some(1);
        try (Model model = open(Backends.REFERENCE.open())) {
            Run run = model.run(PROMPT);
            SensitivityField s = run.sensitivity(f.at(3));
            ResponseMap map = run.responseMap()
                    .halfDepths()
                    .directions(SiteVectors.of(directions))
                    .projections(SiteVectors.of(some(2)))
                    .gain(s)
                    .compute();
            ResponseMap norms = run.responseMap().halfDepths().gain(s).compute();
            assertThat(norms.gain().exact()).isTrue();
            int sums = 0;
            for (Site source : directions.keySet()) {
                for (int d = 0; d < directions.get(source).length; d++) {
                    double whole = s.predict(source, directions.get(source)[d]);
                    double scale =
                            Vectors.norm(s.at(source)) * Vectors.norm(directions.get(source)[d]);
                    for (int h = source.halfDepth().index(); h <= 2 * LAYERS; h++) {
                        double sum = 0;
                        for (int t = 0; t < PROMPT.length; t++) {
                            sum += map.gain().signed(source, d, new Site(h / 2, h % 2 == 1, t), 0);
                        }
                        assertThat(Math.abs(sum - whole)).isLessThanOrEqualTo(1e-9 * scale);
                        sums++;
                    }
                }
                for (Site target : sites()) {
                    double[] row = run.green(source).to(target).adjoint(s.at(target));
                    assertThat(norms.gain().norm(source, target, 0)).isCloseTo(Vectors.norm(row), within(1e-9));
                }
            }
            assertThat(sums).isGreaterThan(100);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void cutsMakeNoDifference(Backends kind) throws IOException {
        Map<Site, double[][]> directions = some(1);
        // Many at one site, so that batches end between the directions of a site.
        directions.put(Site.of(0, 0), new double[40][]);
        for (int i = 0; i < 40; i++) {
            directions.get(Site.of(0, 0))[i] = Vectors.normal(i, WIDTH);
        }
        List<double[]> whole = null;
        Backend plenty = kind.open();
        try (Model model = open(plenty)) {
            whole = everything(model.run(PROMPT), directions);
        }
        for (int kibibytes : new int[] {60, 130, 200}) {
            Backend backend = leaks.watched(kind.open());
            long budget = 1024L * kibibytes * backend.precision().bytes() / 4;
            try (Model model = TestModels.open(MODEL, backend, budget)) {
                Run run = model.run(PROMPT);
                assertThat(request(run)
                                .directions(SiteVectors.of(directions))
                                .plan()
                                .sweeps())
                        .isGreaterThan(1);
                List<double[]> cut = everything(run, directions);
                assertThat(backend.ledger().peakBytes()).isBetween(budget / 2, budget);
                for (int i = 0; i < cut.size(); i++) {
                    assertThat(Errors.relative(cut.get(i), whole.get(i)))
                            .as("result " + i)
                            .isLessThan(kind == Backends.REFERENCE ? 1e-14 : 1e-5);
                }
            }
        }
    }

    private static MapRequest request(Run run) {
        return run.responseMap()
                .halfDepths()
                .probes(5)
                .projections(SiteVectors.of(some(2)))
                .gain(run.sensitivity(Observable.logit("#5")));
    }

    /** Maps on directions, by tangents and by cotangents, with all that they read. */
    private static List<double[]> everything(Run run, Map<Site, double[][]> directions) {
        List<double[]> all = new ArrayList<>();
        for (ResponseMap map : List.of(
                request(run).directions(SiteVectors.of(directions)).compute(),
                request(run).mode(SweepMode.FORWARD).compute(),
                request(run).mode(SweepMode.ADJOINT).compute())) {
            all.add(numbers(map.frobenius()));
            all.add(numbers(map.gain().norms(0)));
            all.add(numbers(map.projections().norms(0)));
            all.add(numbers(map.projections().norms(1)));
        }
        return all;
    }

    private static double[] numbers(double[] values) {
        return Arrays.stream(values).filter(x -> !Double.isNaN(x)).toArray();
    }

    /** The truth is inside an interval about as often as it says, at few probes too, where norms and standard errors are small together. */
    @Test
    void intervalsOfEstimatedGainsCoverTheTruth() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            SensitivityField s = run.sensitivity(Observable.logit("#5"));
            List<Site> some = List.of(Site.of(0, 0), Site.of(1, 2), Site.of(2, 3));
            ResponseMap exact = run.responseMap().exact().sources(some).gain(s).compute();
            double[] truth = exact.gain().norms(0);
            int inside = 0;
            int all = 0;
            for (int seed = 0; seed < 40; seed++) {
                ResponseMap map = run.responseMap()
                        .probes(8)
                        .seed(seed)
                        .sources(some)
                        .mode(SweepMode.FORWARD)
                        .gain(s)
                        .compute();
                double[] low = map.gain().lows(0, 0.95);
                double[] high = map.gain().highs(0, 0.95);
                double[] error = map.gain().standardErrors(0);
                for (int i = 0; i < truth.length; i++) {
                    if (truth[i] > 0 && error[i] > 0) {
                        all++;
                        inside += low[i] <= truth[i] && truth[i] <= high[i] ? 1 : 0;
                    }
                }
            }
            assertThat(all).isGreaterThan(1000);
            assertThat((double) inside / all).isBetween(0.92, 0.98);
        }
    }

    @Test
    void fieldsAreVectors() throws IOException {
        try (Model model = open(Backends.REFERENCE.open())) {
            Run run = model.run(PROMPT);
            Run donor = model.run(3, 17, 8, 4, 22);
            Observable f = Observable.logitDifference(5, 9);
            SensitivityField s = run.sensitivity(f);
            SiteVectors displacement = SiteVectors.of(donor.field().minus(run.field()));
            ResponseMap map = run.responseMap().directions(displacement).gain(s).compute();
            // From each site, what passes through the last token of the last depth is the first-order prediction of the
            // patch.
            double[][] predicted = run.patchSweep(donor, f).predicted();
            for (int l = 0; l <= LAYERS; l++) {
                for (int t = 0; t < PROMPT.length; t++) {
                    assertThat(map.gain().signed(Site.of(l, t), 0, Site.of(LAYERS, 4), 0))
                            .isCloseTo(predicted[l][t], within(1e-10));
                }
            }
            SiteVectors unit = SiteVectors.of(s.field(), s.middleField()).unit();
            ResponseMap along =
                    run.responseMap().halfDepths().directions(unit).gain(s).compute();
            for (Site site : sites()) {
                double norm = Vectors.norm(s.at(site));
                assertThat(along.frobenius(site, site)).isCloseTo(norm == 0 ? 0 : 1, within(1e-12));
                assertThat(along.gain().signed(site, 0, site, 0)).isCloseTo(norm, within(1e-10));
            }
            assertThat(displacement.sites()).hasSize((LAYERS + 1) * PROMPT.length);
        }
    }
}
