package dev.greenfield.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
    void whatIsNotThereHasNoInterval() {
        Bootstrap bootstrap = new Bootstrap(200, 1);
        assertThat(bootstrap.mean(new double[] {3, Double.NaN, 5}).value()).isEqualTo(4);
        assertThat(bootstrap.mean(new double[] {3, Double.NaN}).hasInterval()).isFalse();
        assertThat(bootstrap.mean(new double[] {}).value()).isNaN();
        assertThat(bootstrap.of(9, drawn -> drawn[0] < 5 ? Double.NaN : 1).value())
                .isNaN();
        assertThat(bootstrap.mean(new double[] {1, 2, 3, 4})).isEqualTo(bootstrap.mean(new double[] {1, 2, 3, 4}));
    }
}
