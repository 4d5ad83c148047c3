package dev.greenfield.green;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of many vectors against plain sums, and the same bits on any number of threads. */
class HostProductsTest {
    private static double[][] vectors(int count, int length, long seed) {
        Random random = new Random(seed);
        double[][] made = new double[count][];
        Arrays.setAll(made, i -> random.doubles(length, -1, 1).toArray());
        return made;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @ParameterizedTest(name = "{0} and {1} vectors of {2}")
    @CsvSource({"1,1,1", "3,5,7", "97,129,33", "100,256,300", "2,40,1000", "5,0,9", "0,5,9"})
    void productsAreTheSums(int p, int q, int n) {
        try (Backend one = new ReferenceBackend();
                Backend three = CpuBackend.withoutLibraries(3)) {
            double[][] x = vectors(p, n, 1);
            double[][] y = vectors(q, n, 2);
            double[][] inner = new HostProducts(one).inner(x, y);
            assertThat(inner).isDeepEqualTo(new HostProducts(three).inner(x, y));
            double[][] z = vectors(p, n, 3);
            double[][] sums = Arrays.stream(z).map(double[]::clone).toArray(double[][]::new);
            double[][] again = Arrays.stream(z).map(double[]::clone).toArray(double[][]::new);
            new HostProducts(one).addCombinations(sums, -0.5, inner, y);
            new HostProducts(three).addCombinations(again, -0.5, inner, y);
            assertThat(sums).isDeepEqualTo(again);
            for (int i = 0; i < p; i++) {
                for (int j = 0; j < q; j++) {
                    assertThat(inner[i][j]).isCloseTo(dot(x[i], y[j]), within(1e-13 * n));
                }
                for (int k = 0; k < n; k++) {
                    double sum = z[i][k];
                    for (int j = 0; j < q; j++) {
                        sum -= 0.5 * inner[i][j] * y[j][k];
                    }
                    assertThat(sums[i][k]).isCloseTo(sum, within(1e-13 * Math.max(1, q * n)));
                }
            }
        }
    }

    @Test
    void theInverseFactorMakesVectorsOrthonormal() {
        try (Backend backend = new ReferenceBackend()) {
            HostProducts products = new HostProducts(backend);
            double[][] x = vectors(40, 90, 4);
            double[][] made = new double[40][90];
            products.addCombinations(made, 1, InverseFactor.of(products.inner(x, x)), x);
            for (int i = 0; i < 40; i++) {
                for (int j = 0; j <= i; j++) {
                    assertThat(dot(made[i], made[j])).isCloseTo(i == j ? 1 : 0, within(1e-12));
                }
            }
        }
    }

    @Test
    void dependentVectorsHaveNoInverseFactor() {
        try (Backend backend = new ReferenceBackend()) {
            double[][] x = vectors(4, 9, 5);
            x[3] = x[1].clone();
            assertThat(InverseFactor.of(new HostProducts(backend).inner(x, x))).isNull();
            x[3] = new double[9];
            assertThat(InverseFactor.of(new HostProducts(backend).inner(x, x))).isNull();
            x[3][2] = Double.NaN;
            assertThat(InverseFactor.of(new HostProducts(backend).inner(x, x))).isNull();
        }
    }
}
