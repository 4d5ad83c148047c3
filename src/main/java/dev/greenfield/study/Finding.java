package dev.greenfield.study;

import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;

/**
 * One number about a claim.
 *
 * @param claim the claim
 * @param metric its name, unique within a study
 * @param n prompts that it is over
 * @param estimate with its 95 % bootstrap interval over these prompts
 * @param expectation what the claim would have it be
 * @param meaning what the number is, in a sentence
 */
public record Finding(Claim claim, String metric, int n, Estimate estimate, Expectation expectation, String meaning) {

    /** What the interval says about the claim. */
    public enum Verdict {
        /** All of the interval is where the claim would have it. */
        HOLDS("holds"),
        /** None of it is. */
        FAILS("does not hold"),
        /** The interval is on both sides, or there is none, as of fewer than {@value Bootstrap#LEAST} prompts. */
        OPEN("undecided"),
        /** The number describes; no claim says what it is. */
        NONE("");

        private final String label;

        Verdict(String label) {
            this.label = label;
        }

        /** As in results. */
        public String label() {
            return label;
        }
    }

    /**
     * What a claim would have a number be.
     *
     * @param sign 1 for more than the bound, -1 for less, 0 for no expectation
     * @param bound the bound
     */
    public record Expectation(int sign, double bound) {
        /** A number that describes. */
        static final Expectation NONE = new Expectation(0, 0);

        static Expectation above(double bound) {
            return new Expectation(1, bound);
        }

        static Expectation below(double bound) {
            return new Expectation(-1, bound);
        }

        /** For people: {@code above 0.9}; empty where there is none. */
        public String text() {
            return sign == 0 ? "" : (sign > 0 ? "above " : "below ") + bound;
        }
    }

    /** Whether the interval is where the claim would have it. */
    public Verdict verdict() {
        if (expectation.sign() == 0) {
            return Verdict.NONE;
        }
        double low = estimate.low();
        double high = estimate.high();
        if (n < Bootstrap.LEAST || !estimate.hasInterval()) {
            return Verdict.OPEN;
        }
        boolean upwards = expectation.sign() > 0;
        if (upwards ? low > expectation.bound() : high < expectation.bound()) {
            return Verdict.HOLDS;
        }
        return (upwards ? high <= expectation.bound() : low >= expectation.bound()) ? Verdict.FAILS : Verdict.OPEN;
    }
}
