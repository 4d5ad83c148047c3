package dev.greenfield.transfer;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.statistics.RankCorrelation;
import java.util.Arrays;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.junit.jupiter.api.Test;

/** Rank agreement against another library's, and its controls. */
class RankAgreementTest {
    @Test
    void isSpearmansCorrelationAlsoOfTies() {
        double[] a = normal(1, 40);
        double[] b = normal(2, 40);
        for (int i = 0; i < a.length; i++) {
            a[i] = Math.rint(2 * a[i]);
            b[i] = Math.rint(2 * b[i]) + a[i];
        }
        assertThat(RankCorrelation.spearman(a, b))
                .isCloseTo(new SpearmansCorrelation().correlation(a, b), within(1e-12))
                .isGreaterThan(0.3);
        assertThat(RankCorrelation.spearman(a, new double[40])).isNaN();
        assertThat(RankCorrelation.spearman(new double[] {1}, new double[] {1})).isNaN();
        assertThatThrownBy(() -> RankCorrelation.spearman(a, new double[3])).hasMessageContaining("40 and 3");
    }

    /** Twice as large is the same in rank, and not in size. */
    @Test
    void sizesAreToldBesideRanks() {
        double[][] a = {normal(4, 25), normal(5, 25)};
        double[][] b = Arrays.stream(a)
                .map(row -> Arrays.stream(row).map(x -> 2 * x).toArray())
                .toArray(double[][]::new);
        RankAgreement twice = RankAgreement.of(a, b, 1);
        assertThat(twice.rho()).isCloseTo(1, within(1e-12));
        assertThat(twice.slope()).isCloseTo(2, within(1e-12));
        assertThat(twice.missed()).isCloseTo(0.5, within(1e-12));
        assertThat(twice.rSquared()).isLessThan(0.8);
    }

    @Test
    void controlsLoseWhatTheyShould() {
        // Levels far apart, cells the same in each: shifting levels keeps the cells' order, shuffling keeps nothing.
        double[] cells = normal(3, 30);
        double[][] a = new double[4][];
        double[][] b = new double[4][];
        for (int l = 0; l < 4; l++) {
            int level = l;
            a[l] = Arrays.stream(cells).map(x -> x + 10 * level).toArray();
            b[l] = Arrays.stream(cells).map(x -> Math.exp(x + 10 * level)).toArray();
        }
        RankAgreement same = RankAgreement.of(a, b, 1);
        assertThat(same.rho()).isCloseTo(1, within(1e-12));
        assertThat(same.within()).isCloseTo(1, within(1e-12));
        assertThat(Math.abs(same.shuffled())).isLessThan(0.1);
        double expected = 0;
        for (int shift = 1; shift < 4; shift++) {
            double[] moved = new double[120];
            for (int l = 0; l < 4; l++) {
                System.arraycopy(b[(l + shift) % 4], 0, moved, l * 30, 30);
            }
            expected += RankCorrelation.spearman(
                            Arrays.stream(a).flatMapToDouble(Arrays::stream).toArray(), moved)
                    / 3;
        }
        assertThat(same.shifted()).isCloseTo(expected, within(1e-12)).isLessThan(0);
        assertThat(RankAgreement.of(a, b, 1)).isEqualTo(same);
    }

    @Test
    void whatMustBeZeroIsNotCompared() {
        double[][] a = {{1, 2, 9}, {3, 4, 9}, {0, 5, 0}};
        double[][] b = {{1, 2, -9}, {3, 4, -9}, {0, -5, 0}};
        assertThat(RankAgreement.ofSensitivities(a, b, 1, 0).rho()).isCloseTo(1, within(1e-12));
        // Two tokens, two depths: compared are 0 to 0, 0 to 1 and 1 to 1 across the depths.
        double[] first = {7, 0, 1, 2, 0, 7, 0, 3, 0, 0, 7, 0, 0, 0, 0, 7};
        double[] second = {9, 0, 4, 5, 0, 1, 0, 6, 0, 0, 8, 0, 0, 0, 0, 2};
        assertThat(RankAgreement.ofMaps(first, second, 1, 2, 0).rho()).isCloseTo(1, within(1e-12));
        second[3] = 3;
        assertThat(RankAgreement.ofMaps(first, second, 1, 2, 0).rho()).isCloseTo(0.5, within(1e-12));
    }
}
