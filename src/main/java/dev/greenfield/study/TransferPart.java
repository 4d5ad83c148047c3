package dev.greenfield.study;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.transfer.AmplitudeCurves;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.util.List;

/** E5: what parts of the displacement between two prompts do to F, at parts of its amplitude. */
final class TransferPart implements StudyPart {
    static final double[] ALPHAS = {0.25, 0.5, 1};
    private static final int TOP = 3;

    @Override
    public String name() {
        return "transfer";
    }

    @Override
    public Claim claim() {
        return Claim.E5;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        DisplacementTransfer transfer = runs.transfer();
        if (transfer.fullChange() == 0) {
            throw new InputException("F is the same on both prompts, so that there is no change to transfer");
        }
        AmplitudeCurves curves = transfer.curves(ALPHAS, TOP);
        int position = transfer.position();
        into.put("value", transfer.value());
        into.put("donor_value", transfer.donorValue());
        boolean turns = transfer.hasAnswer() && transfer.value() * transfer.donorValue() < 0;
        into.put("turns", turns ? 1 : 0);
        int layers = transfer.layers();
        double[][][] sites = curves.sites();
        for (int a = 0; a < ALPHAS.length; a++) {
            String alpha = "." + ALPHAS[a];
            double best = Double.NaN;
            double before = Double.NaN;
            double[] byDepth = new double[layers + 1];
            for (int l = 0; l <= layers; l++) {
                byDepth[l] = Double.NaN;
                for (int t = 0; t <= position; t++) {
                    double achieved = sites[a][l][t];
                    byDepth[l] = max(byDepth[l], achieved);
                    if (l > 0 && l < layers) {
                        best = max(best, achieved);
                        before = t < position ? max(before, achieved) : before;
                    }
                }
            }
            into.put("site.best" + alpha, best);
            into.put("site.best_before" + alpha, before);
            into.put("site.by_depth" + alpha, byDepth);
            List<Site> leading = curves.leading(Ranking.PREDICTED);
            if (!leading.isEmpty()) {
                Site chosen = leading.get(0);
                double achieved = sites[a][chosen.depth()][chosen.token()];
                into.put("site.chosen" + alpha, achieved);
                into.put("site.chosen.flips" + alpha, turns ? curves.flips(achieved) ? 1 : 0 : Double.NaN);
                double[] top = curves.top(Ranking.PREDICTED)[a];
                into.put("site.chosen3" + alpha, top[top.length - 1]);
            }
            into.put("site.best.flips" + alpha, turns ? curves.flips(best) ? 1 : 0 : Double.NaN);
            into.put("slice.by_depth" + alpha, curves.slices()[a]);
            double[] columns = curves.columns()[a];
            double column = Double.NaN;
            for (int t = 0; t < position; t++) {
                column = max(column, columns[t]);
            }
            into.put("column.best" + alpha, column);
            into.put("column.differs" + alpha, columns[runs.pair().firstDifference()]);
            into.put("slice.middle" + alpha, curves.slices()[a][layers / 2]);
            into.put("slice.flips" + alpha, turns ? curves.flips(curves.slices()[a][layers / 2]) ? 1 : 0 : Double.NaN);
        }
    }

    private static double max(double known, double value) {
        return Double.isNaN(known) || value > known ? value : known;
    }

    @Override
    public void findings(Findings findings) {
        findings.mean(
                "turns",
                Finding.Expectation.above(0.9),
                "Share of pairs on which the model's choice between answer and foil differs between the prompts;"
                        + " flips are of these.");
        for (double a : ALPHAS) {
            String alpha = "." + a;
            String at = " at amplitude " + a + ".";
            boolean full = a == 1;
            findings.mean(
                    "site.best" + alpha,
                    full ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    "Largest fraction of the full change that a single inner site achieves" + at);
            findings.mean(
                    "site.best_before" + alpha,
                    full ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    "The same of inner sites before F's token" + at);
            findings.mean(
                    "site.chosen" + alpha,
                    full ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    "Fraction achieved by the one inner site that first order puts first" + at);
            findings.mean(
                    "site.chosen3" + alpha,
                    Finding.Expectation.NONE,
                    "Fraction achieved by the three inner sites that first order puts first, together" + at);
            findings.mean(
                    "site.best.flips" + alpha,
                    full ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    "Share of prompts whose answer the best inner site turns" + at);
            findings.mean(
                    "site.chosen.flips" + alpha,
                    full ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    "Share of prompts whose answer the site that first order puts first turns" + at);
            findings.mean(
                    "slice.middle" + alpha,
                    Finding.Expectation.NONE,
                    "Fraction achieved by all tokens of the middle depth; at amplitude 1 it is 1 by construction,"
                            + at);
            findings.mean(
                    "slice.flips" + alpha,
                    Finding.Expectation.NONE,
                    "Share of prompts whose answer all tokens of the middle depth turn" + at);
            findings.mean(
                    "column.differs" + alpha,
                    Finding.Expectation.NONE,
                    "Fraction achieved by the token that differs, at all depths together" + at);
            findings.mean(
                    "column.best" + alpha,
                    Finding.Expectation.NONE,
                    "Fraction achieved by the best token before F's, at all depths together" + at);
        }
    }
}
