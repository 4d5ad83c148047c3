package dev.greenfield.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.LineFit;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.SplitMix64;
import org.apache.commons.rng.core.source64.XoRoShiRo128PlusPlus;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.junit.jupiter.api.Test;

/** Fits of decays that are known, their intervals over many draws of noise, and what cannot be fitted. */
class DecayTest {
    private static double[] power(double exponent, int tokens) {
        double[] norms = new double[tokens];
        norms[0] = 1e6; // the source's own token is not part of the decay
        for (int r = 1; r < tokens; r++) {
            norms[r] = 2.5 * Math.pow(r, -exponent);
        }
        return norms;
    }

    @Test
    void powerLawsAreFoundExactly() {
        for (double exponent : new double[] {0.8, 2, -0.5}) {
            Decay decay = Decay.of(power(exponent, 20), 0.95);
            assertThat(decay.exponent().value()).isCloseTo(exponent, within(1e-12));
            assertThat(decay.exponent().low()).isCloseTo(exponent, within(1e-9));
            assertThat(decay.exponent().high()).isCloseTo(exponent, within(1e-9));
            assertThat(decay.power().rSquared()).isCloseTo(1, within(1e-12));
            assertThat(Math.exp(decay.power().intercept())).isCloseTo(2.5, within(1e-9));
            assertThat(decay.exponential().rSquared()).isLessThan(0.97);
            assertThat(decay.distances()).isEqualTo(19);
        }
    }

    @Test
    void exponentialsAreFoundExactly() {
        double[] norms = new double[15];
        for (int r = 0; r < norms.length; r++) {
            norms[r] = 7 * Math.exp(-r / 4.0);
        }
        Decay decay = Decay.of(norms, 0.95);
        assertThat(decay.length().value()).isCloseTo(4, within(1e-9));
        assertThat(decay.rate().value()).isCloseTo(0.25, within(1e-12));
        assertThat(decay.exponential().rSquared()).isCloseTo(1, within(1e-12));
        assertThat(decay.power().rSquared()).isLessThan(0.97);
    }

    @Test
    void aSlopeThatMayBeZeroHasALengthWithoutAnUpperEnd() {
        Decay decay = Decay.of(new double[] {9, 1, 1.2, 0.9, 1.1, 0.95}, 0.95);
        assertThat(decay.rate().value()).isPositive();
        assertThat(decay.rate().low()).isNegative();
        assertThat(decay.length().value()).isPositive();
        assertThat(decay.length().high()).isInfinite();
        Decay rising = Decay.of(new double[] {9, 1, 2, 3, 4}, 0.95);
        assertThat(rising.exponent().value()).isNegative();
        assertThat(rising.length().value()).isNaN();
    }

    @Test
    void whatCannotBeFittedSaysWhy() {
        Decay few = Decay.of(new double[] {5, 2, Double.NaN, 1, 0, 0}, 0.95);
        assertThat(few.defined()).isFalse();
        assertThat(few.undefined())
                .isEqualTo("found 2 token distances with a norm above zero and 2 with zero, a fit takes 3");
        assertThat(few.exponent().value()).isNaN();
        assertThat(few.length().value()).isNaN();
        Decay flat = Decay.of(new double[] {5, 2, 2, 2, 0}, 0.95);
        assertThat(flat.zeros()).isEqualTo(1);
        assertThat(flat.exponent().value()).isZero();
        assertThat(flat.power().rSquared()).as("nothing varies").isNaN();
        assertThatThrownBy(() -> LineFit.of(new double[2], new double[2], 0.95))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LineFit.of(new double[] {1, 1, 1}, new double[3], 0.95))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Anscombe's first set (The American Statistician 27, 1973): y = 3.00 + 0.500 x, standard error 0.118, R squared 0.67. */
    @Test
    void agreesWithPublishedRegression() {
        LineFit fit = LineFit.of(
                new double[] {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                new double[] {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68},
                0.95);
        assertThat(fit.slope()).isCloseTo(0.5001, within(5e-5));
        assertThat(fit.intercept()).isCloseTo(3.0001, within(5e-5));
        assertThat(fit.rSquared()).isCloseTo(0.6665, within(5e-5));
        // 2.2622 is the 97.5 % point of Student's t with 9 degrees of freedom.
        assertThat(fit.high() - fit.slope()).isCloseTo(2.2622 * 0.1179, within(2e-4));
        assertThat(fit.slope() - fit.low()).isCloseTo(2.2622 * 0.1179, within(2e-4));
    }

    @Test
    void intervalsCoverTheTruthAsOftenAsTheySay() {
        int draws = 4000;
        for (int tokens : new int[] {6, 24}) {
            for (double confidence : new double[] {0.8, 0.95}) {
                int covered = 0;
                for (int seed = 0; seed < draws; seed++) {
                    SplitMix64 seeds = new SplitMix64(seed);
                    UniformRandomProvider random = new XoRoShiRo128PlusPlus(seeds.nextLong(), seeds.nextLong());
                    ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
                    double[] norms = power(0.8, tokens);
                    for (int r = 1; r < tokens; r++) {
                        norms[r] *= Math.exp(0.3 * normal.sample());
                    }
                    Estimate exponent = Decay.of(norms, confidence).exponent();
                    covered += exponent.low() <= 0.8 && 0.8 <= exponent.high() ? 1 : 0;
                }
                // Four standard deviations of a fraction of 4000 draws.
                double spread = 4 * Math.sqrt(confidence * (1 - confidence) / draws);
                assertThat(covered / (double) draws)
                        .as(tokens + " tokens at " + confidence)
                        .isCloseTo(confidence, within(spread));
            }
        }
    }
}
