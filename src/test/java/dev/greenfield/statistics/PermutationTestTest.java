package dev.greenfield.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A p-value is uniform where nothing is there, and small where something is. */
class PermutationTestTest {
    @Test
    void withoutAnAssociationSmallValuesAreAsRareAsTheySay() {
        Random random = new Random(2);
        int small = 0;
        int trials = 1000;
        for (int trial = 0; trial < trials; trial++) {
            double[] a = random.doubles(12).map(x -> x * x).toArray();
            double[] b = random.doubles(12).toArray();
            small += PermutationTest.p(a, b, trial) <= 0.1 ? 1 : 0;
        }
        assertThat(small / (double) trials).isCloseTo(0.1, within(0.03)); // 3 standard errors
    }

    @Test
    void anAssociationOfEitherSignIsSeen() {
        double[] a = {1, 2, 3, 4, 5, 6, 7, 8};
        double[] down = {9, 8, 7, 6, 5, 4, 3, 1};
        assertThat(PermutationTest.p(a, a, 0)).isEqualTo(1.0 / 200);
        assertThat(PermutationTest.p(a, down, 0)).isEqualTo(1.0 / 200);
    }

    @Test
    void ofThreePairsEveryThirdOrderIsAsGood() {
        // Of the 6 orders of three numbers two have |covariance| as large as 1, 2, 3 with itself.
        double p = 0;
        for (int seed = 0; seed < 200; seed++) {
            p += PermutationTest.p(new double[] {1, 2, 3}, new double[] {1, 2, 3}, seed) / 200;
        }
        assertThat(p).isCloseTo(1.0 / 3, within(0.02));
    }

    @Test
    void whatDiffersBetweenGroupsAloneIsNoAssociation() {
        Random random = new Random(4);
        double[][] a = new double[2][50];
        double[][] b = new double[2][50];
        for (int g = 0; g < 2; g++) {
            for (int i = 0; i < 50; i++) {
                a[g][i] = 100 * g + random.nextGaussian();
                b[g][i] = 100 * g + random.nextGaussian();
            }
        }
        assertThat(PermutationTest.within(List.of(a), List.of(b), 1)).isGreaterThan(0.05);
        assertThat(PermutationTest.within(List.of(a), List.of(a), 1)).isEqualTo(1.0 / 200);
    }

    @Test
    void whatDoesNotVaryHasNoTest() {
        assertThat(PermutationTest.p(new double[] {1, 1, 1}, new double[] {1, 2, 3}, 1))
                .isNaN();
        assertThat(PermutationTest.p(new double[] {1}, new double[] {1}, 1)).isNaN();
        assertThat(PermutationTest.p(new double[0], new double[0], 1)).isNaN();
    }
}
