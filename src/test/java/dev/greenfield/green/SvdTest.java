package dev.greenfield.green;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The randomized SVD of Green operators against the full SVD of the same matrix. */
class SvdTest {
    private static final int TOKENS = 12;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model open(int width) throws IOException {
        String spec = "random:2,2," + width + ",19,16,seed=5";
        return TestModels.open(spec, leaks.watched(Backends.REFERENCE.open()));
    }

    private static Run run(Model model) {
        return model.run(new Random(1).ints(TOKENS, 0, 19).toArray());
    }

    private static Site[] sites(int depth) {
        return IntStream.range(0, TOKENS).mapToObj(t -> Site.of(depth, t)).toArray(Site[]::new);
    }

    /** The full SVD, singular values falling. */
    private static final class Full {
        final double[] values;
        final DMatrixRMaj u;
        final DMatrixRMaj v;
        final double energy;

        Full(GreenOperator green) {
            double[] matrix = green.materialize();
            energy = Vectors.dot(matrix, matrix);
            int smaller = Math.min(green.outputs(), green.inputs());
            SingularValueDecomposition_F64<DMatrixRMaj> svd =
                    DecompositionFactory_DDRM.svd(green.outputs(), green.inputs(), true, true, true);
            assertThat(svd.decompose(DMatrixRMaj.wrap(green.outputs(), green.inputs(), matrix)))
                    .isTrue();
            u = svd.getU(null, false);
            v = svd.getV(null, false);
            values = svd.getSingularValues();
            SingularOps_DDRM.descendingOrder(u, false, values, smaller, v, false);
        }
    }

    /** The last case has a flat spectrum: the singular values stand close together, which is hard for iterations. */
    @ParameterizedTest(name = "rank {1}, width {0}, from all tokens: {2}")
    @CsvSource({"48,1,false", "48,6,false", "24,24,false", "24,5,true"})
    void agreesWithTheFullFactorization(int width, int rank, boolean allTokens) throws IOException {
        try (Model model = open(width)) {
            Run run = run(model);
            GreenOperator green = (allTokens ? run.green(sites(0)) : run.green(Site.of(0, 2))).to(2);
            LowRank low = green.svd(rank, 3);
            Full full = new Full(green);
            check(low, full, rank, green);
            assertThat(low.settled()).isTrue();
            assertThat(low.energyError()).as("energy was summed exactly").isEqualTo(0.0);
            double captured =
                    Arrays.stream(full.values, 0, rank).map(s -> s * s).sum();
            assertThat(Math.abs(low.energy() - captured / full.energy)).isLessThan(1e-9);
            assertThat(Math.abs(low.squaredFrobenius() / full.energy - 1)).isLessThan(1e-10);
            assertThat(Math.abs(green.squaredFrobenius() / full.energy - 1)).isLessThan(1e-10);
        }
    }

    /** Many inputs and few directions: the energy of the rest is estimated from probes. */
    @Test
    void estimatesTheEnergyOfWideOperators() throws IOException {
        try (Model model = open(96)) {
            Run run = run(model);
            GreenOperator green = run.green(sites(0)).to(Site.of(2, TOKENS - 1), Site.of(1, TOKENS - 1));
            LowRank low = green.svd(1, 3);
            Full full = new Full(green);
            check(low, full, 1, green);
            assertThat(low.energyError()).as("energy was estimated").isPositive();
            double exact = full.values[0] * full.values[0] / full.energy;
            assertThat(low.energyError()).isLessThan(0.1 * exact);
            assertThat(Math.abs(low.energy() - exact)).isLessThan(4 * low.energyError());
            assertThat(low.energyCurveErrors()).hasSize(1);
            assertThat(low.energyCurveErrors()[0])
                    .isCloseTo(low.energyError(), org.assertj.core.api.Assertions.within(1e-15));
        }
    }

    private static void check(LowRank low, Full full, int rank, GreenOperator green) {
        assertThat(low.rank()).isEqualTo(rank);
        for (int k = 0; k < rank; k++) {
            assertThat(Math.abs(low.s()[k] - full.values[k]))
                    .as("singular value " + k)
                    .isLessThan(1e-8 * full.values[0]);
        }
        // Errors of vectors are square roots of those of values.
        double angle = 1e-4;
        requireOrthonormal(low.u(), green.outputs(), rank);
        requireOrthonormal(low.v(), green.inputs(), rank);
        if (rank < full.values.length && full.values[rank - 1] > 1.01 * full.values[rank]) {
            assertThat(sine(low.u(), full.u, rank))
                    .as("angle of left subspaces")
                    .isLessThan(angle);
            assertThat(sine(low.v(), full.v, rank))
                    .as("angle of right subspaces")
                    .isLessThan(angle);
        }
        for (int k = 0; k < rank; k++) {
            double[] left = column(low.u(), k, rank);
            double[] image = green.apply(column(low.v(), k, rank));
            assertThat(Vectors.norm(Vectors.plus(image, -low.s()[k], left)))
                    .as("G v = s u for triple " + k)
                    .isLessThan(angle * full.values[0]);
        }
        double[] curve = low.energyCurve();
        assertThat(curve[rank - 1]).isBetween(low.energy() - 1e-12, Math.nextUp(1 + 1e-9));
    }

    private static double[] column(double[] matrix, int k, int rank) {
        return IntStream.range(0, matrix.length / rank)
                .mapToDouble(i -> matrix[i * rank + k])
                .toArray();
    }

    private static void requireOrthonormal(double[] matrix, int rows, int rank) {
        assertThat(matrix).hasSize(rows * rank);
        for (int a = 0; a < rank; a++) {
            for (int b = 0; b <= a; b++) {
                double dot = Vectors.dot(column(matrix, a, rank), column(matrix, b, rank));
                assertThat(Math.abs(dot - (a == b ? 1 : 0))).isLessThan(1e-10);
            }
        }
    }

    /** The sine of the largest angle between the spans of the first columns: the norm of what projection leaves. */
    private static double sine(double[] mine, DMatrixRMaj theirs, int rank) {
        double worst = 0;
        for (int k = 0; k < rank; k++) {
            double[] rest = column(mine, k, rank);
            for (int j = 0; j < rank; j++) {
                double[] direction = new double[rest.length];
                for (int i = 0; i < rest.length; i++) {
                    direction[i] = theirs.get(i, j);
                }
                rest = Vectors.plus(rest, -Vectors.dot(rest, direction), direction);
            }
            worst += Vectors.dot(rest, rest);
        }
        return Math.sqrt(worst);
    }

    /** Memory for one more block than the first does not do for a flat spectrum: the result says so. */
    @Test
    void anSvdThatStopsBeforeItSettlesSaysSo() throws IOException {
        LowRank whole;
        try (Model model = open(24)) {
            whole = run(model).green(sites(0)).to(2).svd(5, 3);
        }
        assertThat(whole.settled()).isTrue();
        assertThat(whole.toString()).doesNotContain("settled");
        String spec = "random:2,2,24,19,16,seed=5";
        try (Model model = TestModels.open(spec, leaks.watched(Backends.REFERENCE.open()), 1 << 18)) {
            LowRank low = run(model).green(sites(0)).to(2).svd(5, 3);
            assertThat(low.settled()).isFalse();
            assertThat(low.toString()).contains("not settled");
            for (int k = 0; k < 5; k++) {
                assertThat(low.s()[k]).isLessThanOrEqualTo(whole.s()[k] * (1 + 1e-9));
            }
        }
    }

    @Test
    void sameSeedSameAnswer() throws IOException {
        try (Model model = open(24)) {
            GreenOperator green = run(model).green(Site.mid(0, 1)).to(2);
            assertThat(green.svd(3, 7).u()).isEqualTo(green.svd(3, 7).u());
        }
    }

    @Test
    void anOperatorThatCausalityForbidsHasNoSingularValues() throws IOException {
        try (Model model = open(24)) {
            LowRank none = run(model).green(Site.of(0, 5)).to(Site.of(2, 4)).svd(2, 1);
            assertThat(none.s()).containsOnly(0.0);
            assertThat(none.energy()).isEqualTo(1.0);
            requireOrthonormal(none.u(), 24, 2);
            requireOrthonormal(none.v(), 24, 2);
        }
    }

    @Test
    void ranksAndSitesThatMakeNoSenseAreRefused() throws IOException {
        try (Model model = open(24)) {
            Run run = run(model);
            GreenOperator green = run.green(Site.of(0, 5)).to(2);
            assertThatThrownBy(() -> green.svd(0, 1)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> green.svd(25, 1))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("1 to 24");
            assertThatThrownBy(() -> run.green().to(2)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> run.green(Site.of(0, 5)).to(3)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> run.green(Site.of(0, 1), Site.of(0, 1)).to(2))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("twice");
        }
    }
}
