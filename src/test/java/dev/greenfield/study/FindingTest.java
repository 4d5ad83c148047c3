package dev.greenfield.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.statistics.Estimate;
import dev.greenfield.study.Finding.Expectation;
import dev.greenfield.study.Finding.Verdict;
import org.junit.jupiter.api.Test;

/** Verdicts follow from intervals, and there is none of fewer than five prompts. */
class FindingTest {
    private static Verdict of(int n, double low, double high, Expectation expectation) {
        return new Finding(Claim.E1, "x", n, new Estimate((low + high) / 2, low, high), expectation, "").verdict();
    }

    @Test
    void theWholeIntervalDecides() {
        assertThat(of(5, 0.6, 0.8, Expectation.above(0.5))).isEqualTo(Verdict.HOLDS);
        assertThat(of(5, 0.2, 0.5, Expectation.above(0.5))).isEqualTo(Verdict.FAILS);
        assertThat(of(5, 0.4, 0.8, Expectation.above(0.5))).isEqualTo(Verdict.OPEN);
        assertThat(of(5, 0.1, 0.4, Expectation.below(0.5))).isEqualTo(Verdict.HOLDS);
        assertThat(of(5, 0.1, 0.4, Expectation.NONE)).isEqualTo(Verdict.NONE);
    }

    @Test
    void fewerThanFivePromptsDecideNothing() {
        for (int n = 0; n < 5; n++) {
            assertThat(of(n, 0.6, 0.6, Expectation.above(0.5))).isEqualTo(Verdict.OPEN);
            assertThat(of(n, 0.1, 0.2, Expectation.above(0.5))).isEqualTo(Verdict.OPEN);
        }
    }
}
