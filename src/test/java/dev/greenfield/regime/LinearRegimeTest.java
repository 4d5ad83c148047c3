package dev.greenfield.regime;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.regime.LinearRegime.Verdict;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Radii of the linear regime against direct scans, and in cases where they are known. */
@Tag("slow")
class LinearRegimeTest {
    private static final String RANDOM = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final String FACT = "<|endoftext|> The capital of Korea is";
    private static final double[] TOLERANCES = {0.01, 0.05, 0.1, 0.2};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static Observable linear(int width) {
        return Observable.linear(normal(77, width));
    }

    /** The first amplitude of a fine scan at which first order is off, infinite where it never is; in float64. */
    private static double scan(
            Run run, Observable f, Source source, double sign, double tolerance, double ratio, double from) {
        double slope = sign * run.sensitivity(f).predict(source);
        List<Source> sources = new ArrayList<>();
        List<Double> amplitudes = new ArrayList<>();
        for (double a = from; a <= 10; a *= ratio) {
            amplitudes.add(a);
            sources.add(source.times(sign * a));
        }
        double[] changes = run.effects(sources, f);
        for (int i = 0; i < changes.length; i++) {
            if (Math.abs(changes[i] - amplitudes.get(i) * slope) > tolerance * Math.abs(changes[i])) {
                return amplitudes.get(i);
            }
        }
        return Double.POSITIVE_INFINITY;
    }

    private static void agreesWithScan(Run run, Observable f, Source source, LinearRegime regime) {
        double ratio = 1.02;
        for (int i = 0; i < TOLERANCES.length; i++) {
            double positive = scan(run, f, source, 1, TOLERANCES[i], ratio, 1e-4);
            double negative = scan(run, f, source, -1, TOLERANCES[i], ratio, 1e-4);
            near(regime.positiveRadius(i), positive, ratio);
            near(regime.negativeRadius(i), negative, ratio);
            near(regime.radius(i), Math.min(positive, negative), ratio);
        }
    }

    private static void near(Radius radius, double scanned, double ratio) {
        if (Double.isInfinite(scanned)) {
            assertThat(radius.kind()).isEqualTo(Radius.Kind.ABOVE);
        } else if (scanned == 1e-4) {
            assertThat(radius.kind()).isEqualTo(Radius.Kind.BELOW);
        } else {
            assertThat(radius.kind()).isEqualTo(Radius.Kind.FOUND);
            assertThat(scanned).isBetween(radius.value() / 1.003, radius.value() * ratio * 1.003);
            assertThat(scanned).isBetween(radius.low(), radius.high() * ratio);
            assertThat(radius.high() / radius.low()).isLessThan(1.01);
        }
    }

    @Test
    void radiiAreThoseOfADirectScan() throws IOException {
        try (Model model = TestModels.open(RANDOM, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Observable f = linear(16);
            List<Source> sources = new ArrayList<>();
            for (Site site : List.of(Site.of(0, 1), Site.of(1, 4), Site.mid(1, 2), Site.of(3, 4))) {
                sources.add(run.relativeSource(site, normal(site.hashCode(), 16)));
            }
            sources.add(run.relativeSource(Site.of(1, 3), run.sensitivity(f).at(Site.of(1, 3))));
            List<LinearRegime> regimes = run.linearRegimes(sources, f, RegimeGrid.standard());
            for (int i = 0; i < sources.size(); i++) {
                agreesWithScan(run, f, sources.get(i), regimes.get(i));
                assertThat(regimes.get(i).slope()).isCloseTo(run.sensitivity(f).predict(sources.get(i)), within(1e-12));
            }
        }
    }

    @Test
    void smallRadiiAreThoseThatTheSecondOrderPredicts() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(FACT);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            List<Source> sources = new ArrayList<>();
            for (int l = 0; l <= 4; l++) {
                Site site = Site.of(l, l < 3 ? 4 : 5);
                sources.add(run.relativeSource(site, run.randomDirection(site, 1, 0)));
            }
            RegimeGrid grid = RegimeGrid.of(1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1).tolerances(1e-4, 0.1);
            for (LinearRegime regime : run.linearRegimes(sources, f, grid)) {
                // From two changes of the run itself; what is left is of fourth order.
                double e = grid.amplitudes()[3];
                double even = (regime.measured()[3] + regime.opposite()[3]) / e / e;
                assertThat(regime.curvature()).isCloseTo(even, within(1e-3 * Math.abs(even)));
                assertThat(regime.radius(0).value() / regime.predictedRadius(1e-4))
                        .isCloseTo(1, within(0.01));
                assertThat(regime.secondOrder(e) - regime.predicted(e))
                        .isCloseTo(e * e * regime.curvature() / 2, within(1e-15));
            }
        }
    }

    @Test
    void radiiOfATrainedModelAreThoseOfADirectScan() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(FACT);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            Source source = run.relativeSource(Site.of(1, 4), run.sensitivity(f).at(Site.of(1, 4)));
            agreesWithScan(
                    run,
                    f,
                    source,
                    run.linearRegimes(List.of(source), f, RegimeGrid.standard()).get(0));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void aLinearObservableOfTheLastDepthHasNoEnd(Backends kind) throws IOException {
        try (Model model = TestModels.open(RANDOM, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            Source source = run.relativeSource(Site.of(3, 4), normal(5, 16));
            LinearRegime regime = run.linearRegimes(List.of(source), linear(16), RegimeGrid.standard())
                    .get(0);
            for (int i = 0; i < TOLERANCES.length; i++) {
                assertThat(regime.radius(i).kind()).isEqualTo(Radius.Kind.ABOVE);
                assertThat(regime.radius(i).value()).isInfinite();
                assertThat(regime.radius(i).low()).isEqualTo(10, within(1e-9));
            }
        }
    }

    @Test
    void changesBelowTheNoiseFloorSayNothing() throws IOException {
        try (Model model = TestModels.open(RANDOM, leaks.watched(Backends.CPU.open()))) {
            Run run = model.run(PROMPT);
            Observable f = linear(16);
            Source source = run.relativeSource(Site.of(1, 4), normal(5, 16));
            LinearRegime tiny = run.linearRegimes(List.of(source), f, RegimeGrid.of(1e-9, 1e-8))
                    .get(0);
            assertThat(tiny.radius(0).kind()).isEqualTo(Radius.Kind.UNKNOWN);
            assertThat(tiny.radius(0).value()).isNaN();
            assertThat(tiny.verdict(0, 0.2)).isEqualTo(Verdict.NOT_MEASURABLE);
            // A site that F cannot see has no radius, whatever the amplitude.
            LinearRegime unseen = run.linearRegimes(
                            List.of(run.relativeSource(Site.of(3, 2), normal(5, 16))), f, RegimeGrid.standard())
                    .get(0);
            assertThat(unseen.radius(3).kind()).isEqualTo(Radius.Kind.UNKNOWN);
            assertThat(unseen.measured()).containsOnly(0);
            assertThat(unseen.predictedRadius(0.1)).isNaN();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "random:4,4,64,291,32,seed=3"})
    void theNoiseFloorCoversFloat32(String spec) throws IOException {
        Map<String, double[]> changes = new HashMap<>();
        double floor = 0;
        for (Backends kind : List.of(Backends.REFERENCE, Backends.CPU)) {
            try (Model model = TestModels.open(spec, leaks.watched(kind.open()))) {
                Run run = model.run(0, 12, 80, 33, 78, 5);
                Observable f = Observable.logitDifference("#116", "#117");
                List<Source> sources = new ArrayList<>();
                int width = model.config().width();
                for (int l = 0; l < 4; l++) {
                    for (int t = 1; t < 6; t++) {
                        Site site = Site.of(l, t);
                        // The same float32 numbers on both, whatever their own stream's norm is.
                        for (double size : new double[] {0x1p-20, 0x1p-10, 0x1p-4}) {
                            sources.add(
                                    Source.of(site, normal(100 * l + t, width)).times(size));
                        }
                    }
                }
                changes.put(kind.name(), run.effects(sources, f));
                floor = run.linearRegimes(List.of(sources.get(0)), f, RegimeGrid.of(1))
                        .get(0)
                        .noise();
            }
        }
        double[] exact = changes.get("REFERENCE");
        double[] rounded = changes.get("CPU");
        double worst = 0;
        for (int i = 0; i < exact.length; i++) {
            worst = Math.max(worst, Math.abs(exact[i] - rounded[i]));
        }
        // Covered, but not by so much that measurable changes are given away.
        assertThat(worst).isBetween(floor / 200, floor);
    }

    /** Radii in float32 lie between bounds that hold for float64's, wherever those are known. */
    @ParameterizedTest
    @ValueSource(strings = {"demo", "random:4,4,64,291,32,seed=3"})
    void boundsInFloat32CoverTheTruth(String spec) throws IOException {
        Map<String, List<LinearRegime>> found = new HashMap<>();
        RegimeGrid grid = RegimeGrid.standard().tolerances(0.001, 0.01, 0.05, 0.2);
        for (Backends kind : List.of(Backends.REFERENCE, Backends.CPU)) {
            try (Model model = TestModels.open(spec, leaks.watched(kind.open()))) {
                Run run = model.run(0, 12, 80, 33, 78, 5);
                Observable f = Observable.logitDifference("#116", "#117");
                List<Source> sources = new ArrayList<>();
                for (int l = 0; l <= 4; l++) {
                    for (int t = 0; t < 6; t++) {
                        sources.add(Source.of(
                                Site.of(l, t),
                                normal(100 * l + t, model.config().width())));
                    }
                }
                found.put(kind.name(), run.linearRegimes(sources, f, grid));
            }
        }
        int compared = 0;
        for (int s = 0; s < found.get("CPU").size(); s++) {
            for (int i = 0; i < grid.tolerances().length; i++) {
                Radius exact = found.get("REFERENCE").get(s).radius(i);
                Radius rounded = found.get("CPU").get(s).radius(i);
                assertThat(rounded.low()).isLessThanOrEqualTo(exact.high());
                assertThat(rounded.high()).isGreaterThanOrEqualTo(exact.low());
                compared += rounded.kind() == Radius.Kind.FOUND ? 1 : 0;
            }
        }
        assertThat(compared).isGreaterThan(10);
    }

    @Test
    void roundingWithinItsBoundNeverMovesARadiusOutOfItsBounds() {
        Random random = new Random(3);
        RegimeGrid grid = RegimeGrid.standard();
        int found = 0;
        for (int run = 0; run < 300; run++) {
            double slope = random.nextGaussian();
            double curvature = slope * Math.pow(10, 3 * random.nextDouble() - 0.5);
            RoundingNoise noise = new RoundingNoise(Math.abs(slope) * Math.pow(10, -3 - 4 * random.nextDouble()), 1e-4);
            RegimeCurve curve = new RegimeCurve(slope, noise);
            // The worst that rounding may do, with either sign.
            DoubleUnaryOperator measured = e -> {
                double m = slope * e + curvature * e * e / 2;
                return m + (random.nextBoolean() ? 1 : -1) * 0.999 * noise.floor();
            };
            for (double a : grid.amplitudes()) {
                curve.put(a, measured.applyAsDouble(a));
            }
            for (double tolerance : TOLERANCES) {
                for (int round = 1; round <= 15; round++) {
                    curve.next(tolerance, round % 3 == 0).ifPresent(a -> curve.put(a, measured.applyAsDouble(a)));
                }
            }
            for (double q : TOLERANCES) {
                // F'' has the sign of F': both terms add up, and first order is off by q of their sum at
                double truth = 2 * q / (1 - q) * Math.abs(slope / curvature);
                Radius radius = curve.radius(q);
                assertThat(truth).isBetween(radius.low(), radius.high());
                if (radius.kind() == Radius.Kind.FOUND) {
                    found++;
                    assertThat(radius.value()).isBetween(radius.low(), radius.high());
                }
            }
        }
        assertThat(found).isGreaterThan(500);
    }

    /** A curve of a known change, measured as a search would. */
    private static RegimeCurve curve(DoubleUnaryOperator change, double slope, double sign, RegimeGrid grid) {
        RegimeCurve curve = new RegimeCurve(sign * slope, RoundingNoise.NONE);
        for (double a : grid.amplitudes()) {
            curve.put(a, change.applyAsDouble(sign * a));
        }
        for (double tolerance : grid.tolerances()) {
            for (int round = 1; round <= 15; round++) {
                OptionalDouble next = curve.next(tolerance, round % 3 == 0);
                next.ifPresent(a -> curve.put(a, change.applyAsDouble(sign * a)));
            }
        }
        return curve;
    }

    private static LinearRegime known(DoubleUnaryOperator change, double slope, double curvature) {
        RegimeGrid grid = RegimeGrid.standard();
        Source source = Source.of(Site.of(0, 0), new double[] {1});
        return new LinearRegime(
                source,
                slope,
                curvature,
                RoundingNoise.NONE,
                grid,
                curve(change, slope, 1, grid).over(grid),
                curve(change, slope, -1, grid).over(grid));
    }

    @ParameterizedTest
    @CsvSource({"2, 5", "-2, 5", "0.3, -40", "1, 1e-1", "-1e-7, 1e-6"})
    void theFlagIsRightWhereFIsQuadratic(double slope, double curvature) {
        LinearRegime regime = known(e -> slope * e + curvature * e * e / 2, slope, curvature);
        for (int i = 0; i < TOLERANCES.length; i++) {
            double predicted = regime.predictedRadius(TOLERANCES[i]);
            double exact = 2 * Math.abs(slope / curvature) * TOLERANCES[i] / (1 + TOLERANCES[i]);
            assertThat(predicted).isEqualTo(exact, within(1e-12 * exact));
            if (predicted < 10) {
                assertThat(regime.radius(i).value()).isCloseTo(predicted, within(2e-3 * predicted));
                // On the other side the terms add up and first order holds longer.
                double other = 2 * Math.abs(slope / curvature) * TOLERANCES[i] / (1 - TOLERANCES[i]);
                double longer = Math.max(
                        regime.positiveRadius(i).value(),
                        regime.negativeRadius(i).value());
                assertThat(longer).isCloseTo(other, within(2e-3 * other));
            }
            FlagAgreement flag = FlagAgreement.of(List.of(regime), i, 1.01);
            assertThat(flag.agree()).isEqualTo(flag.sources()).isEqualTo(1);
            for (FlagAgreement.AtAmplitude at : flag.amplitudes()) {
                assertThat(at.sources()).isEqualTo(1);
                assertThat(at.agree()).isEqualTo(1);
                assertThat(at.reliable()).isEqualTo(at.amplitude() <= predicted ? 1 : 0);
            }
        }
    }

    @Test
    void aFlagThatIsWrongIsCounted() {
        // Off by third order alone, which the flag cannot know.
        LinearRegime cubic = known(e -> e + e * e * e, 1, 0);
        FlagAgreement flag = FlagAgreement.of(List.of(cubic), 2, 2);
        assertThat(cubic.predictedRadius(0.1)).isInfinite();
        assertThat(cubic.radius(2).value()).isCloseTo(1.0 / 3, within(1e-3)); // e^2 = q / (1 - q)
        assertThat(flag.sources()).isEqualTo(1);
        assertThat(flag.agree()).isZero();
        assertThat(flag.foundAgree()).isZero();
        FlagAgreement.AtAmplitude large =
                flag.amplitudes().get(flag.amplitudes().size() - 1);
        assertThat(large.reliable()).isZero();
        assertThat(large.falselyReliable()).isEqualTo(1);
        assertThat(flag.worst().orElseThrow().rate()).isZero();
        assertThat(flag.worst().orElseThrow().amplitude()).isBetween(1.0 / 3, 1.0);
        // A curvature that fourth order takes back: called unreliable, and is within 20 %.
        LinearRegime tame = known(e -> e + 3 * e * e / (1 + 1e6 * e * e), 1, 6);
        FlagAgreement.AtAmplitude one =
                FlagAgreement.of(List.of(tame), 3, 2).amplitudes().get(12);
        assertThat(one.amplitude()).isEqualTo(1, within(1e-12));
        assertThat(one.falselyUnreliable()).isEqualTo(1);
    }

    @Test
    void anEffectWithoutSlopeHasNoLinearRegime() {
        LinearRegime even = known(e -> e * e, 0, 2);
        assertThat(even.radius(0).kind()).isEqualTo(Radius.Kind.BELOW);
        assertThat(even.radius(0).value()).isZero();
        assertThat(even.radius(0).high()).isEqualTo(1e-4, within(1e-12));
        assertThat(even.predictedRadius(0.01)).isZero();
        assertThat(FlagAgreement.of(List.of(even), 0, 2).agree()).isEqualTo(1);
    }

    @Test
    void gridsAreChecked() {
        assertThat(RegimeGrid.of(0.1, 1e-3, 0.1).amplitudes()).containsExactly(1e-3, 0.1);
        assertThat(RegimeGrid.standard().amplitudes()).hasSize(16);
        assertThatThrownBy(() -> RegimeGrid.of()).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> RegimeGrid.of(-1)).hasMessageContaining("opposite sign");
        assertThatThrownBy(() -> RegimeGrid.of(Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> RegimeGrid.of(1).tolerances(1.5)).hasMessageContaining("between 0 and 1");
    }
}
