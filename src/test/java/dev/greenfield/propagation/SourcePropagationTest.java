package dev.greenfield.propagation;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.propagation.SourcePropagation.Measure;
import dev.greenfield.propagation.SourcePropagation.Settings;
import dev.greenfield.response.RandomDirections;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Vectors;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The spread of one source's response: exact against measured, random directions, and the control. */
class SourcePropagationTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22, 7};
    private static final int WIDTH = 16;
    private static final int LAYERS = 3;
    private static final Site SITE = Site.of(1, 2);

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @Test
    void theTangentIsTheRunsAndMeasuredChangesConvergeToIt() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            double[] direction = normal(5, WIDTH);
            double[] amplitudes = {1e-2, 5e-3, 2.5e-3, -2.5e-3};
            SourcePropagation response = run.propagation(SITE, direction, Settings.seeded(1), amplitudes);
            double[] unit = Arrays.stream(direction)
                    .map(x -> x / Vectors.norm(direction))
                    .toArray();
            assertThat(Errors.relative(
                            response.tangent().toArray(),
                            run.response(SITE, unit).toArray()))
                    .isLessThan(1e-14);
            double norm = run.field().norm(1, 2);
            assertThat(response.sourceNorm()).isEqualTo(norm);
            double[] gaps = new double[amplitudes.length];
            for (int i = 0; i < amplitudes.length; i++) {
                double[] measured = response.measured().get(i).toArray();
                double[] tangent = response.tangent().toArray();
                gaps[i] = Vectors.norm(Vectors.plus(measured, -amplitudes[i] * norm, tangent));
                double factor = amplitudes[i] * norm;
                assertThat(response.measured().get(i).vector(1, 2))
                        .containsExactly(
                                Arrays.stream(unit).map(x -> factor * x).toArray(), within(1e-12));
            }
            // Second order: halving the amplitude leaves a quarter.
            assertThat(gaps[0] / gaps[1]).isBetween(3.8, 4.2);
            assertThat(gaps[1] / gaps[2]).isBetween(3.9, 4.1);
            assertThat(response.nonlinearity(0) / response.nonlinearity(1)).isBetween(1.9, 2.1);
            // Both signs together leave third order: less than a hundredth here.
            double[] even = Vectors.plus(
                    response.measured().get(2).toArray(),
                    1,
                    response.measured().get(3).toArray());
            double[] odd = Vectors.plus(
                    response.measured().get(2).toArray(),
                    -1,
                    response.measured().get(3).toArray());
            double central = Vectors.norm(
                    Vectors.plus(odd, -2 * 2.5e-3 * norm, response.tangent().toArray()));
            assertThat(central).isLessThan(0.05 * Vectors.norm(even));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void outsideOfTheConeThereIsNothing(Backends kind) throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            SourcePropagation response = run.propagation(SITE, normal(5, WIDTH), Settings.seeded(1), 0.1, 1);
            assertThat(response.outsideCone()).isZero();
            assertThat(response.coneSites()).isEqualTo(1 + 2 * 4);
            for (int l = 0; l <= LAYERS; l++) {
                for (int t = 0; t < PROMPT.length; t++) {
                    boolean reachable = l > 1 ? t >= 2 : l == 1 && t == 2;
                    assertThat(response.tangent().norm(l, t) > 0).isEqualTo(reachable);
                    for (Field measured : response.measured()) {
                        assertThat(measured.norm(l, t) > 0).isEqualTo(reachable);
                    }
                    for (double[][] random : response.randomNorms()) {
                        assertThat(random[l][t] > 0).isEqualTo(reachable);
                    }
                }
            }
        }
    }

    @Test
    void aRandomSourceIsNotComparedWithItself() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            for (int number = 0; number < 4; number++) {
                SourcePropagation response =
                        run.propagation(SITE, run.randomDirection(SITE, 3, number), Settings.seeded(3));
                for (double[][] random : response.randomNorms()) {
                    assertThat(random[3]).isNotEqualTo(response.tangent().norms()[3]);
                    assertThat(random[3][4]).isNotCloseTo(response.tangent().norm(3, 4), within(1e-9));
                }
            }
        }
    }

    @Test
    void randomDirectionsAreWhatTheRunSays() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Settings settings = Settings.seeded(3).randoms(5);
            SourcePropagation response = run.propagation(SITE, normal(5, WIDTH), settings);
            double[] shares = new double[5];
            for (int k = 0; k < 5; k++) {
                double[] normal = RandomDirections.normal(WIDTH, SITE, 3, Purpose.SOURCE_CONTROLS, k);
                double length = Vectors.norm(normal);
                double[] direction = Arrays.stream(normal).map(x -> x / length).toArray();
                double[][] norms = run.response(SITE, direction).norms();
                for (int l = 0; l <= LAYERS; l++) {
                    assertThat(response.randomNorms()[k][l]).containsExactly(norms[l], within(1e-13));
                }
                shares[k] = Propagation.of(norms, SITE, false, 0.01)
                        .spread(3)
                        .orElseThrow()
                        .tokenShare();
            }
            assertThat(Vectors.dot(run.randomDirection(SITE, 3, 0), run.randomDirection(SITE, 3, 1)))
                    .isBetween(-0.9, 0.9);
            assertThat(Vectors.norm(run.randomDirection(SITE, 3, 0))).isCloseTo(1, within(1e-14));
            assertThat(run.randomDirection(SITE, 3, 0)).isEqualTo(run.randomDirection(SITE, 3, 0));
            assertThat(run.randomDirection(SITE, 4, 0)).isNotEqualTo(run.randomDirection(SITE, 3, 0));
            SourcePropagation.Compared compared = response.compared(Measure.TOKEN_SHARE, 3);
            assertThat(compared.random().value())
                    .isCloseTo(Arrays.stream(shares).average().orElseThrow(), within(1e-12));
            assertThat(compared.random().low()).isLessThan(compared.random().value());
            assertThat(compared.random().high()).isGreaterThan(compared.random().value());
            double own = Propagation.of(response.tangent().norms(), SITE, false, 0.01)
                    .spread(3)
                    .orElseThrow()
                    .tokenShare();
            assertThat(compared.value()).isEqualTo(own);
            assertThat(compared.below())
                    .isEqualTo(Arrays.stream(shares).filter(x -> x < own).count() / 5.0);
            assertThat(response.tangent(Measure.NORM, 3))
                    .isCloseTo(
                            Math.sqrt(Arrays.stream(response.tangent().norms()[3])
                                    .map(n -> n * n)
                                    .sum()),
                            within(1e-13));
            // Without random directions there is nothing to compare with.
            SourcePropagation.Compared alone = run.propagation(
                            SITE, normal(5, WIDTH), Settings.seeded(3).randoms(0))
                    .compared(Measure.NORM, 3);
            assertThat(alone.below()).isNaN();
            assertThat(alone.random().value()).isNaN();
        }
    }

    @Test
    void theControlAnswersOtherwise() throws IOException {
        String fact = "<|endoftext|> The capital of Korea is";
        Site korea = Site.of(0, 4);
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()));
                Model untrained = model.untrained(0)) {
            Run run = model.run(fact);
            double[] direction = run.randomDirection(korea, 0, 0);
            Settings settings = Settings.seeded(0).randoms(4);
            SourcePropagation trained = run.propagation(korea, direction, settings);
            SourcePropagation control = untrained.run(run.tokens()).propagation(korea, direction, settings);
            assertThat(control.tangent().norms()[4])
                    .hasSameSizeAs(trained.tangent().norms()[4]);
            assertThat(trained.tangent(Measure.TOKEN_SHARE, 4))
                    .isNotCloseTo(control.tangent(Measure.TOKEN_SHARE, 4), within(1e-3));
            // Untrained, most of the response stays with its token.
            assertThat(control.tangent(Measure.TOKEN_SHARE, 4)).isLessThan(0.5);
        }
    }

    @Test
    void theLastTokenAndTheLastDepthHaveNowhereToGo() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            SourcePropagation last = run.propagation(Site.of(1, 5), normal(5, WIDTH), Settings.seeded(1), 0.1);
            assertThat(last.tangent(Measure.TOKEN_SHARE, 3)).isNaN();
            assertThat(last.compared(Measure.TOKEN_SHARE, 3).below()).isNaN();
            assertThat(last.tangent(Measure.NORM, 3)).isPositive();
            SourcePropagation top = run.propagation(Site.of(3, 2), normal(5, WIDTH), Settings.seeded(1), 0.1);
            assertThat(top.nonlinearity(0)).isNaN();
            assertThat(top.coneSites()).isEqualTo(1);
            assertThatThrownBy(() -> run.propagation(Site.mid(1, 2), normal(5, WIDTH), Settings.seeded(1)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("whole depths");
        }
    }
}
