package dev.greenfield.study;

import dev.greenfield.inverse.WishedChange;
import java.util.List;

/** Inference of sources that change F as wished. */
final class InferencePart implements StudyPart {
    private static final double[] FRACTIONS = {0.01, 0.1};
    /** A wish counts as fulfilled when what is missing is at most this part of it. */
    private static final double FULFILLED = 0.01;

    @Override
    public String name() {
        return "wishes";
    }

    @Override
    public Claim claim() {
        return Claim.INFERENCE;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        wishes(
                "least_norm",
                WishedChange.measure(() -> runs.clean().infer(), runs.pair().observable(), FRACTIONS),
                into);
        wishes(
                "one_site",
                WishedChange.measure(
                        () -> runs.clean().infer().sparse(1), runs.pair().observable(), FRACTIONS),
                into);
    }

    private static void wishes(String name, List<WishedChange> wishes, Measures into) {
        for (WishedChange wish : wishes) {
            String key = name + "." + wish.fraction();
            into.put(key + ".wanted", wish.wanted());
            into.put(key + ".achieved", wish.achieved());
            into.put(key + ".first_order", wish.firstOrder());
            into.put(key + ".error", wish.error());
            into.put(key + ".first_order_error", wish.firstOrderError());
            into.put(key + ".fulfilled", wish.error() <= FULFILLED ? 1 : 0);
            into.put(key + ".linearizations", wish.linearizations());
        }
    }

    @Override
    public void findings(Findings findings) {
        for (String method : new String[] {"least_norm", "one_site"}) {
            String source = method.equals("least_norm") ? "the shortest source" : "a source at one site";
            for (double fraction : FRACTIONS) {
                String key = method + "." + fraction;
                String wish = " for a wished change of " + Math.round(100 * fraction) + " % of F with " + source + ".";
                findings.mean(
                        key + ".error",
                        Finding.Expectation.below(FULFILLED),
                        "|achieved - wanted| / |wanted| of the refined source, measured," + wish);
                findings.mean(
                        key + ".first_order_error",
                        Finding.Expectation.below(0.1),
                        "The same of the first-order source, before any refinement," + wish);
                findings.mean(
                        key + ".fulfilled",
                        Finding.Expectation.above(0.9),
                        "Share of prompts where the error is at most 1 %" + wish);
                findings.mean(
                        key + ".linearizations",
                        Finding.Expectation.NONE,
                        "Linearizations that the refinement took" + wish);
            }
        }
    }
}
