package dev.greenfield.study;

import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import dev.greenfield.transfer.SiteReduction;
import dev.greenfield.transfer.SliceReduction;
import java.util.LinkedHashMap;
import java.util.Map;

/** E4: what the leading sites and the leading directions of operators between depths carry. */
final class ReductionPart implements StudyPart {
    private static final int MOST = 10;
    private static final int RANK = 16;
    private static final int[] TOPS = {1, 3, 5, 10};
    private static final int[] RANKS = {1, 4, 16};

    @Override
    public String name() {
        return "reduction";
    }

    @Override
    public Claim claim() {
        return Claim.E4;
    }

    @Override
    public int every() {
        return 2;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        DisplacementTransfer transfer = runs.transfer();
        Map<String, SiteReduction> sites = new LinkedHashMap<>();
        sites.put("predicted", SiteReduction.of(transfer, Ranking.PREDICTED, MOST));
        sites.put("sensitivity", SiteReduction.of(transfer, Ranking.SENSITIVITY, MOST));
        sites.put("random", SiteReduction.random(transfer, MOST, runs.seed()));
        sites.forEach((name, reduction) -> {
            into.put("share." + name + ".curve", reduction.share());
            into.put("together." + name + ".curve", reduction.together());
            for (int n : TOPS) {
                if (n <= reduction.share().length) {
                    into.put("share." + name + "." + n, reduction.share()[n - 1]);
                    into.put("together." + name + "." + n, reduction.together()[n - 1]);
                }
            }
        });
        int layers = transfer.layers();
        slice("whole", transfer, 0, layers, runs.seed(), into);
        if (layers > 1) {
            slice("upper_half", transfer, layers / 2, layers, runs.seed(), into);
        }
    }

    private static void slice(String name, DisplacementTransfer transfer, int from, int to, long seed, Measures into) {
        int width = transfer.own().width();
        int rank = Math.min(RANK, (transfer.position() + 1) * width);
        SliceReduction slice = SliceReduction.of(transfer, from, to, rank, seed);
        into.put("slice." + name + ".displacement.curve", slice.displacement());
        into.put("slice." + name + ".random.curve", slice.random());
        into.put("slice." + name + ".subspace.curve", slice.subspace());
        for (int k : RANKS) {
            if (k <= rank) {
                into.put("slice." + name + ".energy." + k, slice.energy()[k - 1]);
                into.put("slice." + name + ".displacement." + k, slice.displacement()[k - 1]);
                into.put("slice." + name + ".random." + k, slice.random()[k - 1]);
                into.put("slice." + name + ".subspace." + k, slice.subspace()[k - 1]);
                into.put("slice." + name + ".effect." + k, slice.effect()[k - 1]);
            }
        }
    }

    @Override
    public void findings(Findings findings) {
        for (int n : TOPS) {
            for (String by : new String[] {"predicted", "sensitivity", "random"}) {
                String order = by.equals("random")
                        ? "random inner sites (control)"
                        : "inner sites that lead by " + (by.equals("predicted") ? "|S . displacement|" : "|S|");
                findings.mean(
                        "share." + by + "." + n,
                        n == 10 && !by.equals("random") ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                        "Share of the summed single patch effects at the " + n + " " + order + ".");
                findings.mean(
                        "together." + by + "." + n,
                        n == 10 && !by.equals("random") ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                        "Fraction of the full change achieved by replacing the " + n + " " + order + " together.");
            }
            for (String by : new String[] {"predicted", "sensitivity"}) {
                findings.difference(
                        "share." + by + "." + n + ".minus_random",
                        "share." + by + "." + n,
                        "share.random." + n,
                        Finding.Expectation.above(0),
                        "By how much this share exceeds that of as many random sites.");
            }
        }
        for (String slice : new String[] {"whole", "upper_half"}) {
            String which = slice.equals("whole") ? "depth 0 to L" : "depth L/2 to L";
            for (int k : RANKS) {
                String key = "slice." + slice + ".";
                findings.mean(
                        key + "energy." + k,
                        Finding.Expectation.NONE,
                        "Energy of the leading " + k + " directions of the operator from " + which + ".");
                findings.mean(
                        key + "displacement." + k,
                        k == RANK ? Finding.Expectation.below(0.5) : Finding.Expectation.NONE,
                        "Error of the response to the displacement through " + k + " leading directions, " + which
                                + ".");
                findings.mean(
                        key + "subspace." + k,
                        Finding.Expectation.NONE,
                        "The same through " + k + " random directions (control).");
                findings.difference(
                        key + "displacement." + k + ".minus_subspace",
                        key + "displacement." + k,
                        key + "subspace." + k,
                        Finding.Expectation.below(0),
                        "By how much the leading directions' error exceeds that of random ones; below 0 they are better.");
                findings.difference(
                        key + "displacement." + k + ".minus_random",
                        key + "displacement." + k,
                        key + "random." + k,
                        Finding.Expectation.below(0),
                        "By how much the error for the displacement exceeds that for random sources; below 0 the"
                                + " leading directions serve the displacement better.");
                findings.mean(
                        key + "effect." + k,
                        Finding.Expectation.NONE,
                        "Relative error of the predicted change of F through " + k + " leading directions.");
            }
        }
    }
}
