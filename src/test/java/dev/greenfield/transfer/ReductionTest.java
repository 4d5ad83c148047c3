package dev.greenfield.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.RealVector;
import org.apache.commons.math3.linear.SingularValueDecomposition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Few sites and few directions, against direct sums and full factorizations. */
class ReductionTest {
    private static final String MODEL = "random:3,2,8,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4};
    private static final int[] DONOR = {3, 5, 9, 4};
    private static final int WIDTH = 8;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static Observable difference() {
        return Observable.logitDifference(3, 11);
    }

    @Test
    void sitesCarryWhatTheirRunsSay() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            DisplacementTransfer transfer = model.run(PROMPT).transfer(model.run(DONOR), difference());
            List<Site> ranked = transfer.inner(transfer.ranked(Ranking.PREDICTED));
            assertThat(ranked).hasSize(2 * 3).noneMatch(s -> s.depth() == 0 || s.depth() == 3);
            SiteReduction reduction = SiteReduction.of(transfer, Ranking.PREDICTED, 100);
            double[][] single = transfer.single();
            double all = ranked.stream()
                    .mapToDouble(s -> Math.abs(single[s.depth()][s.token()]))
                    .sum();
            double sum = 0;
            for (int n = 1; n <= 6; n++) {
                Site site = ranked.get(n - 1);
                sum += Math.abs(single[site.depth()][site.token()]);
                assertThat(reduction.share()[n - 1]).isCloseTo(sum / all, within(1e-12));
                List<List<Site>> part = List.of(ranked.subList(0, n));
                assertThat(reduction.together()[n - 1])
                        .isCloseTo(transfer.achieved(transfer.effects(part, 1)[0]), within(1e-12));
                assertThat(reduction.added()[n - 1])
                        .isCloseTo(transfer.achieved(transfer.addedEffects(part, 1)[0]), within(1e-12));
            }
            assertThat(reduction.together()[5]).as("all inner sites").isCloseTo(1, within(1e-9));
            assertThat(reduction.added()[5]).as("counted twice").isNotCloseTo(1, within(0.1));
            SiteReduction random = SiteReduction.random(transfer, 3, 9);
            assertThat(random.share()).hasSize(3);
            // The mean of a random site's share is one of six; over ten draws it is near that.
            assertThat(random.share()[0]).isBetween(0.05, 0.4);
            assertThat(SiteReduction.random(transfer, 3, 9).together()).isEqualTo(random.together());
            assertThatThrownBy(() -> SiteReduction.of(transfer, Ranking.PREDICTED, 0))
                    .isInstanceOf(InputException.class);
        }
    }

    @Test
    void errorsAreThoseOfTheFullFactorization() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            DisplacementTransfer transfer = run.transfer(model.run(DONOR), difference());
            int full = WIDTH * PROMPT.length;
            SliceReduction slice = SliceReduction.of(transfer, 1, 3, full, 2);
            RealMatrix g = matrix(run.green(transfer.slice(1)).to(3).materialize(), full);
            SingularValueDecomposition svd = new SingularValueDecomposition(g);
            RealVector source = row(transfer.displacement(), 1);
            RealVector sensitivity = row(transfer.sensitivity().field(), 3);
            RealVector response = g.operate(source);
            double predicted = sensitivity.dotProduct(response);
            assertThat(slice.predicted()).isCloseTo(predicted, within(1e-10));
            double first = Arrays.stream(transfer.predicted()[1]).sum();
            assertThat(slice.predicted()).as("the sensitivity is transported").isCloseTo(first, within(1e-10));
            RealVector through = new ArrayRealVector(full);
            double energy = 0;
            double all = Arrays.stream(svd.getSingularValues()).map(s -> s * s).sum();
            for (int k = 0; k < full; k++) {
                double s = svd.getSingularValues()[k];
                energy += s * s / all;
                through = through.add(svd.getU()
                        .getColumnVector(k)
                        .mapMultiply(s * svd.getV().getColumnVector(k).dotProduct(source)));
                assertThat(slice.energy()[k]).isCloseTo(energy, within(1e-8));
                assertThat(slice.displacement()[k])
                        .isCloseTo(through.subtract(response).getNorm() / response.getNorm(), within(1e-5));
                assertThat(slice.effect()[k])
                        .isCloseTo(
                                Math.abs(sensitivity.dotProduct(through) - predicted) / Math.abs(predicted),
                                within(1e-4));
            }
            for (double[] errors : List.of(slice.random(), slice.subspace(), slice.displacement())) {
                assertThat(errors[full - 1]).as("all directions").isLessThan(1e-5);
                assertThat(errors[0]).isGreaterThan(0.1);
            }
            assertThat(slice.subspaceEffect()[full - 1]).isLessThan(1e-5);
        }
    }

    private static RealMatrix matrix(double[] values, int columns) {
        double[][] rows = new double[values.length / columns][];
        Arrays.setAll(rows, i -> Arrays.copyOfRange(values, i * columns, (i + 1) * columns));
        return new Array2DRowRealMatrix(rows);
    }

    private static RealVector row(Field field, int depth) {
        int length = field.tokens() * field.width();
        return new ArrayRealVector(Arrays.copyOfRange(field.toArray(), depth * length, (depth + 1) * length));
    }

    @Test
    void depthsAndRanksThatAreNoneAreRefused() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            DisplacementTransfer transfer = model.run(PROMPT).transfer(model.run(DONOR), difference());
            assertThatThrownBy(() -> SliceReduction.of(transfer, 2, 2, 1, 0)).hasMessageContaining("depths 2 and 2");
            assertThatThrownBy(() -> SliceReduction.of(transfer, 0, 4, 1, 0)).hasMessageContaining("0 to 3");
            assertThatThrownBy(() -> SliceReduction.of(transfer, 0, 1, 33, 0)).hasMessageContaining("1 to 32");
        }
    }
}
