package dev.greenfield.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.CancelledException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Intervals hold the truth as often as they say. */
class BootstrapTest {
    @Test
    void aMeanIsCoveredAsOftenAsStated() {
        Random random = new Random(5);
        int covered = 0;
        int trials = 400;
        for (int trial = 0; trial < trials; trial++) {
            double[] values = random.doubles(40).map(x -> x * x).toArray(); // mean 1/3, skewed
            Estimate mean = new Bootstrap(400, trial).mean(values);
            assertThat(mean.value()).isCloseTo(Arrays.stream(values).sum() / 40, within(1e-14));
            if (mean.low() <= 1.0 / 3 && 1.0 / 3 <= mean.high()) {
                covered++;
            }
        }
        // 95 % is wanted; percentile intervals of 40 values are known to fall a little short, and 400 trials spread by
        // 1 %.
        assertThat(covered / (double) trials).isBetween(0.90, 0.98);
    }

    @Test
    void aCancelledBootstrapEnds() {
        Bootstrap bootstrap = new Bootstrap(1000, 1);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> bootstrap.mean(new double[] {1, 2, 3, 4, 5})).isInstanceOf(CancelledException.class);
        Thread.interrupted();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> PermutationTest.p(new double[] {1, 2, 3}, new double[] {2, 1, 3}, 1))
                .isInstanceOf(CancelledException.class);
        Thread.interrupted();
    }

    @Test
    void whatIsNotThereHasNoInterval() {
        Bootstrap bootstrap = new Bootstrap(200, 1);
        assertThat(bootstrap.mean(new double[] {3, Double.NaN, 5}).value()).isEqualTo(4);
        assertThat(bootstrap.mean(new double[] {3, Double.NaN}).hasInterval()).isFalse();
        assertThat(bootstrap.mean(new double[] {}).value()).isNaN();
        assertThat(bootstrap.of(9, drawn -> drawn[0] < 5 ? Double.NaN : 1).value())
                .isNaN();
        assertThat(bootstrap.mean(new double[] {1, 2, 3, 4}).hasInterval()).isFalse();
        double[] five = {1, 2, 3, 4, 5};
        assertThat(bootstrap.mean(five).hasInterval()).isTrue();
        assertThat(bootstrap.mean(five)).isEqualTo(bootstrap.mean(five));
    }
}
