package dev.greenfield.cli.study;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.study.Claim;
import dev.greenfield.study.Finding;
import dev.greenfield.study.Finding.Verdict;
import java.util.Comparator;
import java.util.IntSummaryStatistics;
import java.util.List;

/**
 * What all findings on a claim say together. The claim holds where every number that it says anything about is where it would have it;
 * it does not hold where none is and some certainly are not; else it holds in part, or is undecided.
 *
 * @param claim the claim
 * @param findings all of it, those that only describe too
 */
record ClaimSummary(Claim claim, List<Finding> findings) {
    /** Bounds of 0 have no size that a distance could be a part of. */
    private static final double LEAST_BOUND = 0.1;

    static ClaimSummary of(Claim claim, List<Finding> all) {
        return new ClaimSummary(
                claim, all.stream().filter(f -> f.claim() == claim).toList());
    }

    private int count(Verdict verdict) {
        return (int) findings.stream().filter(f -> f.verdict() == verdict).count();
    }

    private int judged() {
        return findings.size() - count(Verdict.NONE);
    }

    /** The claim with its number, for people. */
    String name() {
        return (claim.id().startsWith("E") ? claim.id() + ". " : "") + claim.title();
    }

    /** In two words at most. */
    String verdict() {
        int holds = count(Verdict.HOLDS);
        int fails = count(Verdict.FAILS);
        if (judged() == 0) {
            return "not judged";
        }
        if (holds == judged()) {
            return Verdict.HOLDS.label();
        }
        return holds > 0 ? "in part" : fails > 0 ? Verdict.FAILS.label() : Verdict.OPEN.label();
    }

    /** How many numbers are where the claim would have them, and the one that is farthest from there. */
    String sentence() {
        if (judged() == 0) {
            return "Nothing is expected of the " + findings.size() + " numbers, which describe.";
        }
        StringBuilder out = new StringBuilder();
        out.append(count(Verdict.HOLDS)).append(" of ").append(judged());
        out.append(" numbers are where the claim would have them, ")
                .append(count(Verdict.FAILS))
                .append(count(Verdict.FAILS) == 1 ? " is" : " are")
                .append(" not, ")
                .append(count(Verdict.OPEN))
                .append(count(Verdict.OPEN) == 1 ? " is undecided" : " are undecided");
        findings.stream()
                .filter(f -> f.verdict() == Verdict.FAILS)
                .max(Comparator.comparingDouble(ClaimSummary::distance))
                .ifPresent(f -> out.append("; farthest off is ")
                        .append(f.metric())
                        .append(", ")
                        .append(shown(f.estimate()))
                        .append(" instead of ")
                        .append(f.expectation().text()));
        return out.append('.').toString();
    }

    private static double distance(Finding finding) {
        double bound = finding.expectation().bound();
        return Math.abs(finding.estimate().value() - bound) / Math.max(LEAST_BOUND, Math.abs(bound));
    }

    /** How many prompt pairs the numbers are over. */
    String pairs() {
        IntSummaryStatistics n = findings.stream().mapToInt(Finding::n).summaryStatistics();
        return n.getMin() == n.getMax() ? Integer.toString(n.getMax()) : n.getMin() + " to " + n.getMax();
    }

    /** For people: {@code 0.91 (0.88 to 0.93)}. */
    static String shown(Estimate estimate) {
        return Numbers.interval(estimate, ClaimSummary::number);
    }

    private static String number(double value) {
        return Numbers.format(
                value == 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4) ? "%.3f" : "%.2e", value);
    }
}
