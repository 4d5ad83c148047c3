package dev.greenfield.prediction;

import static dev.greenfield.testing.Vectors.concat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.InputException;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.PairMoments;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Measures of agreement against numbers found by hand. */
class PredictionQualityTest {
    private static final Offset<Double> EXACT = within(1e-12);

    private static double[] of(double... values) {
        return values;
    }

    @Test
    void allMeasuresOfAnExample() {
        // Means 3 and 4; deviations p: -2 -1 0 1 2, m: -3 -2 1 0 4.
        PredictionQuality q = PredictionQuality.of(of(1, 2, 3, 4, 5), of(1, 2, 5, 4, 8));
        assertThat(q.count()).isEqualTo(5);
        assertThat(q.pearson()).isCloseTo((6 + 2 + 0 + 0 + 8) / Math.sqrt(10 * 30), EXACT);
        // Ranks 1 2 3 4 5 and 1 2 4 3 5: 1 - 6 (1 + 1) / (5 * 24).
        assertThat(q.spearman()).isCloseTo(0.9, EXACT);
        // Residuals 0 0 2 0 3.
        assertThat(q.rSquared()).isCloseTo(1 - 13.0 / 30, EXACT);
        assertThat(q.relativeError()).isCloseTo(Math.sqrt(13.0 / (1 + 4 + 25 + 16 + 64)), EXACT);
        assertThat(q.signAgreement()).isEqualTo(1);
        // Relative errors 0 0 0.4 0 0.375.
        assertThat(q.compared()).isEqualTo(5);
        assertThat(q.beyond()).containsExactly(2, 2, 0);
        assertThat(q.medianRelativeError()).isZero();
        assertThat(q.topOverlap()).as("five of five say nothing").isNaN();
    }

    @Test
    void tiesShareTheirRank() {
        // Ranks 1.5 1.5 3 and 1 2 3.
        PredictionQuality q = PredictionQuality.of(of(2, 2, 7), of(1, 5, 9));
        assertThat(q.spearman()).isCloseTo(1.5 / Math.sqrt(1.5 * 2), EXACT);
    }

    @Test
    void signsOfZeroAreNotPredictedAndZerosNotCounted() {
        PredictionQuality q = PredictionQuality.of(of(1, -1, 0, 5, 2), of(2, 1, 3, 0, 2));
        assertThat(q.signAgreement()).isEqualTo(0.5); // of 2, 1, 3, 2 the first and the last
        assertThat(q.compared()).isEqualTo(4);
        assertThat(q.beyond()).containsExactly(3, 3, 2); // 0.5, 2, 1, 0
        assertThat(q.medianRelativeError()).isEqualTo(0.75);
    }

    @Test
    void smallChangesAreNotComparedOneByOne() {
        PredictionQuality q = PredictionQuality.of(of(100, 5, 2), of(-100, 1, 0.99));
        assertThat(q.compared()).isEqualTo(2);
        assertThat(q.beyond()).containsExactly(2, 2, 2);
        assertThat(q.medianRelativeError()).isCloseTo(3, EXACT);
    }

    @Test
    void theLargestOfBothAreCompared() {
        double[] measured = of(-9, 8, 7, -6, 5, 4, 3);
        // The five largest magnitudes predicted: indices 0, 5, 6, 3, and of 1 and 2, which are equal, the first.
        double[] predicted = of(30, 1, -1, 10, 0, 20, 15);
        assertThat(PredictionQuality.of(predicted, measured).topOverlap()).isEqualTo(3 / 5.0);
        assertThat(PredictionQuality.of(measured, measured).topOverlap()).isEqualTo(1);
    }

    @Test
    void whatIsNotDefinedIsNaN() {
        PredictionQuality constant = PredictionQuality.of(of(1, 2, 3), of(4, 4, 4));
        assertThat(constant.pearson()).isNaN();
        assertThat(constant.spearman()).isNaN();
        assertThat(constant.rSquared()).isNaN();
        assertThat(constant.relativeError()).isCloseTo(Math.sqrt(14.0 / 48), EXACT);
        PredictionQuality flat = PredictionQuality.of(of(0.1, 0.1, 0.1), of(1, 2, 3));
        assertThat(flat.pearson()).isNaN();
        assertThat(flat.spearman()).isNaN();
        assertThat(flat.rSquared()).isCloseTo(1 - (0.81 + 3.61 + 8.41) / 2, EXACT);
        PredictionQuality zeros = PredictionQuality.of(of(1, 2), of(0, 0));
        assertThat(zeros.relativeError()).isNaN();
        assertThat(zeros.signAgreement()).isNaN();
        assertThat(zeros.medianRelativeError()).isNaN();
        for (double[] few : new double[][] {{}, {3}}) {
            PredictionQuality q = PredictionQuality.of(few, few);
            assertThat(q.count()).isEqualTo(few.length);
            assertThat(q.pearson()).isNaN();
            assertThat(q.spearman()).isNaN();
            assertThat(q.rSquared()).isNaN();
        }
        assertThatThrownBy(() -> PredictionQuality.of(of(1), of(1, 2)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("1 predicted and 2 measured");
        assertThatThrownBy(() -> PredictionQuality.of(of(1, Double.NaN), of(1, 2)))
                .hasMessageContaining("change 1 is predicted as NaN");
    }

    @Test
    void joinedMomentsAreThoseOfAllTogether() {
        Random random = new Random(3);
        double[] p = random.doubles(60).map(x -> 1000 + x).toArray();
        double[] m = random.doubles(60).map(x -> 2000 + x).toArray();
        PairMoments joined = new PairMoments();
        int[] cuts = {0, 0, 1, 17, 40, 60};
        for (int i = 1; i < cuts.length; i++) {
            joined.add(PairMoments.of(
                    Arrays.copyOfRange(p, cuts[i - 1], cuts[i]), Arrays.copyOfRange(m, cuts[i - 1], cuts[i])));
        }
        PairMoments whole = PairMoments.of(p, m);
        assertThat(joined.count()).isEqualTo(60);
        assertThat(joined.pearson()).isCloseTo(whole.pearson(), within(1e-10));
        assertThat(joined.rSquared() / whole.rSquared()).isCloseTo(1, within(1e-10));
        assertThat(joined.relativeError()).isCloseTo(whole.relativeError(), within(1e-12));
    }

    @Test
    void summariesAreOfPromptsWithSomethingToSee() {
        Random random = new Random(4);
        List<PredictionQuality> prompts = new ArrayList<>();
        double[] allPredicted = new double[0];
        double[] allMeasured = new double[0];
        double spearman = 0;
        for (int i = 0; i < 12; i++) {
            double[] m = random.doubles(8).map(x -> x - 0.5).toArray();
            double[] p = Arrays.stream(m)
                    .map(x -> 0.8 * x + 0.1 * random.nextGaussian())
                    .toArray();
            prompts.add(PredictionQuality.of(p, m));
            spearman += prompts.get(i).spearman() / 12;
            allPredicted = concat(allPredicted, p);
            allMeasured = concat(allMeasured, m);
        }
        PredictionQuality together = PredictionQuality.of(allPredicted, allMeasured);
        List<PredictionQuality> withNothing = new ArrayList<>(prompts);
        withNothing.add(5, PredictionQuality.of(of(), of()));
        PredictionSummary s = PredictionSummary.of(withNothing, new Bootstrap(200, 1));
        assertThat(s.prompts()).isEqualTo(12);
        assertThat(s.sites()).isEqualTo(96);
        assertThat(s.pearson().value()).isCloseTo(together.pearson(), within(1e-10));
        assertThat(s.rSquared().value()).isCloseTo(together.rSquared(), within(1e-10));
        assertThat(s.relativeError().value()).isCloseTo(together.relativeError(), within(1e-10));
        assertThat(s.signAgreement().value()).isCloseTo(together.signAgreement(), EXACT);
        assertThat(s.spearman().value()).isCloseTo(spearman, within(1e-10));
        assertThat(s.beyond10().value()).isGreaterThanOrEqualTo(s.beyond20().value());
        for (Estimate e : List.of(s.pearson(), s.pearsonWithin(), s.spearman(), s.rSquared(), s.beyond20())) {
            assertThat(e.low()).isLessThan(e.value());
            assertThat(e.high()).isGreaterThan(e.value());
        }
        assertThat(PredictionSummary.of(prompts, new Bootstrap(200, 1))).isEqualTo(s);
        assertThat(PredictionSummary.of(prompts, new Bootstrap(200, 2))
                        .pearson()
                        .low())
                .isNotEqualTo(s.pearson().low());
        PredictionSummary none = PredictionSummary.of(List.of(), new Bootstrap(200, 1));
        assertThat(none.prompts()).isZero();
        assertThat(none.pearson().value()).isNaN();
    }
}
