package dev.greenfield.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.statistics.Estimate;
import dev.greenfield.study.Claim;
import dev.greenfield.study.Finding;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a study's page says of a claim on top. */
class ClaimSummaryTest {
    private static Finding finding(String metric, int n, double value, int sign, double bound) {
        Estimate estimate = new Estimate(value, value - 0.1, value + 0.1);
        return new Finding(Claim.E2, metric, n, estimate, new Finding.Expectation(sign, bound), "");
    }

    private static ClaimSummary of(Finding... findings) {
        return ClaimSummary.of(Claim.E2, List.of(findings));
    }

    @Test
    void aClaimHoldsOnlyWhereAllItsNumbersDo() {
        Finding good = finding("good", 8, 0.9, 1, 0.5);
        Finding bad = finding("bad", 8, 0.2, 1, 0.5);
        Finding worse = finding("worse", 6, 0.9, -1, 0.05);
        Finding open = finding("open", 8, 0.5, 1, 0.5);
        Finding plain = finding("plain", 8, 3, 0, 0);
        assertThat(of(good, plain).verdict()).isEqualTo("holds");
        assertThat(of(good, bad).verdict()).isEqualTo("in part");
        assertThat(of(good, open).verdict()).isEqualTo("in part");
        assertThat(of(bad, open).verdict()).isEqualTo("does not hold");
        assertThat(of(open, plain).verdict()).isEqualTo("undecided");
        assertThat(of(plain).verdict()).isEqualTo("not judged");
        assertThat(of(good, bad, worse, open).sentence())
                .isEqualTo(
                        "1 of 4 numbers are where the claim would have them, 2 are not, 1 is undecided; farthest off is"
                                + " worse, 0.900 (0.800 to 1.000) instead of below 0.05.");
        assertThat(of(good, worse).pairs()).isEqualTo("6 to 8");
        assertThat(of(good, bad).pairs()).isEqualTo("8");
    }

    @Test
    void findingsOfOtherClaimsAreNotCounted() {
        Finding other = new Finding(Claim.E3, "other", 8, new Estimate(0, 0, 0), new Finding.Expectation(1, 0.5), "");
        assertThat(of(finding("good", 8, 0.9, 1, 0.5), other).verdict()).isEqualTo("holds");
    }
}
