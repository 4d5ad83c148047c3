package dev.greenfield.cli.show;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** What is said of predicted against measured changes. */
class AgreementTest {
    @Test
    void aPerfectCorrelationOverPointsThatAreOffIsSeenAsOff() {
        double[][] predicted = {{0, 1, 2}, {3, -4, 5}, {0, 6, 0}};
        double[][] measured = new double[3][3];
        for (int l = 0; l < 3; l++) {
            for (int t = 0; t < 3; t++) {
                measured[l][t] = 1.27 * predicted[l][t];
            }
        }
        Agreement agreement = Agreement.of(measured, predicted, 0);
        assertThat(agreement.correlation().value()).isCloseTo(1, within(1e-12));
        assertThat(agreement.slope().value()).isCloseTo(1.27, within(1e-12));
        assertThat(agreement.rSquared().value()).isLessThan(0.95);
        // |1.27 p - p| / |1.27 p|.
        assertThat(agreement.missed().value()).isCloseTo(0.27 / 1.27, within(1e-12));
        assertThat(agreement.sites()).isEqualTo(6);
        assertThat(agreement.zero()).isEqualTo(3);
        assertThat(agreement.p()).isLessThan(0.05);
        assertThat(agreement.shown()).contains("R2 0.9", "slope 1.2700", "missed 21.3 %", "correlation 1.0000");
        assertThat(agreement.over("sites")).contains("6 sites", "3 where both are left out");
        assertThat(agreement.correlation().hasInterval()).isTrue();
    }

    @Test
    void aSiteIsLeftOutOnlyWhereBothAreZero() {
        Agreement agreement = Agreement.of(new double[][] {{0, 1, 0}}, new double[][] {{1, 0, 0}}, 0);
        assertThat(agreement.sites()).isEqualTo(2);
        assertThat(agreement.correlation().value()).isCloseTo(-1, within(1e-12));
        assertThat(agreement.correlation().hasInterval()).isFalse();
    }
}
