package dev.greenfield.green;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The leading part of a matrix against a whole decomposition. */
class HostMatrixTest {
    /** Near the identity, as averaged Jacobians are, and with a few directions that stand out; and small ones, taken whole. */
    @ParameterizedTest
    @CsvSource({"300, 3, 2", "300, 1, 0.5", "12, 5, 2", "12, 12, 1"})
    void isThatOfAWholeDecomposition(int width, int rank, double outstanding) {
        Random random = new Random(9);
        double[] a = new double[width * width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                a[i * width + j] = (i == j ? 1 : 0) + 0.1 * random.nextGaussian() / Math.sqrt(width);
            }
        }
        for (int k = 0; k < 4; k++) {
            double[] x = random.doubles(width, -1, 1).toArray();
            double[] y = random.doubles(width, -1, 1).toArray();
            for (int i = 0; i < width; i++) {
                for (int j = 0; j < width; j++) {
                    a[i * width + j] += outstanding * (4 - k) * x[i] * y[j] / width;
                }
            }
        }
        double[][] rows = new double[width][];
        Arrays.setAll(rows, i -> Arrays.copyOfRange(a, i * width, (i + 1) * width));
        LowRank found = RandomizedSvd.compute(new HostMatrix(rows), rank, 0);
        SingularValueDecomposition_F64<DMatrixRMaj> whole =
                DecompositionFactory_DDRM.svd(width, width, false, false, true);
        assertThat(whole.decompose(new DMatrixRMaj(width, width, true, a.clone())))
                .isTrue();
        double[] values = Arrays.stream(whole.getSingularValues()).sorted().toArray();
        assertThat(found.settled()).isTrue();
        double sum = 0;
        for (int k = 0; k < rank; k++) {
            double s = values[width - 1 - k];
            sum += s * s;
            assertThat(found.s()[k]).isCloseTo(s, within(1e-8));
            double[] u = found.left(k);
            double[] v = found.right(k);
            double largest = 0;
            for (int i = 0; i < width; i++) {
                largest = Math.abs(v[i]) > Math.abs(largest) ? v[i] : largest;
                double image = 0;
                for (int j = 0; j < width; j++) {
                    image += a[i * width + j] * v[j];
                }
                assertThat(image).isCloseTo(found.s()[k] * u[i], within(1e-8));
            }
            assertThat(largest).isPositive();
        }
        double squares = 0;
        for (double x : a) {
            squares += x * x;
        }
        assertThat(found.energy()).isCloseTo(sum / squares, within(1e-9));
    }
}
