package dev.greenfield.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Spreads of responses whose measures are known in closed form, and which sites of a response take part. */
class SpreadTest {
    private static final double TINY = 1e-12;

    @Test
    void evenlySpreadOverAllTokens() {
        double[] norms = new double[7];
        Arrays.fill(norms, 3.5);
        Spread spread = Spread.of(norms, 3.5);
        assertThat(spread.tokens()).isEqualTo(7);
        assertThat(spread.entropy()).isCloseTo(Math.log(7), within(TINY));
        assertThat(spread.normalizedEntropy()).isCloseTo(1, within(TINY));
        assertThat(spread.participation()).isCloseTo(7, within(TINY));
        assertThat(spread.displacement()).isCloseTo(3, within(TINY));
        assertThat(spread.tokenShare()).isCloseTo(6 / 7.0, within(TINY));
        assertThat(spread.front()).isEqualTo(6);
    }

    @Test
    void atOneTokenOnly() {
        for (int r = 0; r < 5; r++) {
            double[] norms = new double[5];
            norms[r] = 1e-200; // its square is below the smallest number
            Spread spread = Spread.of(norms, 0);
            assertThat(spread.entropy()).isZero();
            assertThat(spread.normalizedEntropy()).isZero();
            assertThat(spread.participation()).isEqualTo(1);
            assertThat(spread.displacement()).isEqualTo(r);
            assertThat(spread.tokenShare()).isEqualTo(r == 0 ? 0 : 1);
            assertThat(spread.front()).as("norms of zero are never reached").isEqualTo(r);
        }
    }

    @Test
    void sharesAreOfSquaredNormsAndTheFrontIsOfNorms() {
        Spread spread = Spread.of(new double[] {3, 0, 4, 0.05, 0}, 0.05); // squares 9, 0, 16, 0.0025
        double sum = 25.0025;
        assertThat(spread.displacement()).isCloseTo((2 * 16 + 3 * 0.0025) / sum, within(TINY));
        assertThat(spread.tokenShare()).isCloseTo(16.0025 / sum, within(TINY));
        assertThat(spread.participation()).isCloseTo(sum * sum / (81 + 256 + 0.0025 * 0.0025), within(TINY));
        assertThat(spread.front()).isEqualTo(3);
        assertThat(Spread.of(new double[] {3, 0, 4, 0.05, 0}, 0.051).front()).isEqualTo(2);
        assertThat(Spread.of(new double[] {3, 0, 4, 0.05, 0}, 5).front()).isZero();
    }

    @Test
    void whatCannotBeSharedOutIsRefused() {
        for (double[] norms : new double[][] {{1}, {0, 0}, {1, Double.NaN}, {1, -1}, {1, Double.POSITIVE_INFINITY}}) {
            assertThatThrownBy(() -> Spread.of(norms, 1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theFrontIsRelativeToTheLargestResponseOffTheSource() {
        // The source's own 99 does not count; the largest elsewhere is 10, at another depth than the rows.
        double[][] norms = {{0, 99, 0, 0, 0}, {0, 10, 2, 1, 0.5}, {0, 5, 0.05, 0.2, 0.099}};
        Propagation at = Propagation.of(norms, Site.of(0, 1), false, 0.01);
        assertThat(at.frontLevel()).isCloseTo(0.1, within(TINY));
        assertThat(at.spread(1).orElseThrow().front()).isEqualTo(3);
        assertThat(at.spread(2).orElseThrow().front()).isEqualTo(2);
        assertThat(Propagation.of(norms, Site.of(0, 1), false, 0.02)
                        .spread(2)
                        .orElseThrow()
                        .front())
                .isEqualTo(2);
        assertThat(Propagation.of(norms, Site.of(0, 1), false, 1)
                        .spread(1)
                        .orElseThrow()
                        .front())
                .isZero();
        assertThatThrownBy(() -> Propagation.of(norms, Site.of(0, 1), false, 0))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("above 0");
        assertThatThrownBy(() -> Propagation.of(norms, Site.of(0, 5), false, 0.1))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("3 levels and 5 tokens");
    }

    @Test
    void onlyReachableTokensTakePart() {
        double[][] norms = new double[5][6];
        Arrays.stream(norms).forEach(row -> Arrays.fill(row, 1));
        Propagation whole = Propagation.of(norms, Site.of(1, 2), false, 0.01);
        assertThat(new int[] {whole.reachable(0), whole.reachable(1), whole.reachable(2)})
                .containsExactly(0, 1, 4);
        // From the middle of block 0 (level 1) the MLP comes first, which does not mix tokens.
        Propagation middle = Propagation.of(norms, Site.mid(0, 2), true, 0.01);
        assertThat(new int[] {middle.reachable(1), middle.reachable(2), middle.reachable(3)})
                .containsExactly(1, 1, 4);
        assertThat(Propagation.of(norms, Site.of(1, 2), true, 0.01).reachable(3))
                .isEqualTo(4);
        assertThat(middle.spread(2)).isEmpty();
        assertThat(middle.spread(3).orElseThrow().tokens()).isEqualTo(4);
        // The last token has nowhere to go; what is not known is not guessed.
        assertThat(Propagation.of(norms, Site.of(0, 5), false, 0.01).spread(3)).isEmpty();
        norms[3][4] = Double.NaN;
        assertThat(whole.spread(3)).isEmpty();
        assertThat(whole.complete(3)).isFalse();
        assertThat(whole.spread(4)).isPresent();
    }
}
