package dev.greenfield.study;

import dev.greenfield.failure.InputException;
import dev.greenfield.transfer.DisplacementTransfer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Whether sensitivity points at the token that a task hangs on. The score of a token is the sum of |S|, or of |S . displacement|, over
 * depths l with 0 &lt; l &lt; L.
 */
final class MechanismPart implements StudyPart {
    private static final int TOP = 3;

    @Override
    public String name() {
        return "mechanisms";
    }

    @Override
    public Claim claim() {
        return Claim.MECHANISMS;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        PromptPair pair = runs.pair();
        if (pair.differs() == null || pair.task() == null) {
            throw new InputException("the suite does not say task and differs_at_token");
        }
        DisplacementTransfer transfer = runs.transfer();
        if (transfer.layers() < 2 || pair.differs() > transfer.position()) {
            throw new InputException("there are no inner depths, or the token that differs is after F's");
        }
        double[] norms = columns(transfer, transfer.sensitivity().norms());
        double[] predicted = columns(transfer, transfer.predicted());
        int earlier = IntStream.range(0, pair.differs())
                .filter(t -> pair.tokens()[t] == pair.tokens()[pair.differs()])
                .reduce(-1, (a, b) -> b);
        into.put("tokens", norms.length);
        into.put("moved", (double)
                IntStream.range(0, norms.length).filter(t -> predicted[t] != 0).count());
        put("differs.sensitivity", norms, pair.differs(), into);
        put("differs.predicted", predicted, pair.differs(), into);
        if (earlier >= 0) {
            put("earlier.sensitivity", norms, earlier, into);
            into.put(
                    "either.sensitivity.top3",
                    Math.min(rank(norms, earlier), rank(norms, pair.differs())) <= TOP ? 1 : 0);
        }
        into.put("chance", Math.min(1, (double) TOP / norms.length));
        into.put("chance.predicted", Math.min(1, TOP / Math.max(1, into.number("moved"))));
    }

    private static double[] columns(DisplacementTransfer transfer, double[][] values) {
        double[] scores = new double[transfer.position() + 1];
        for (int l = 1; l < transfer.layers(); l++) {
            for (int t = 0; t < scores.length; t++) {
                scores[t] += Math.abs(values[l][t]);
            }
        }
        return scores;
    }

    private static int rank(double[] scores, int token) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, scores.length).boxed().toList());
        order.sort(Comparator.comparingDouble((Integer t) -> -scores[t]));
        return 1 + order.indexOf(token);
    }

    private static void put(String name, double[] scores, int token, Measures into) {
        int rank = rank(scores, token);
        into.put(name + ".rank", rank);
        into.put(name + ".top3", rank <= TOP ? 1 : 0);
    }

    @Override
    public void findings(Findings findings) {
        Set<String> tasks = new LinkedHashSet<>();
        findings.pairs().stream().map(PromptPair::task).filter(Objects::nonNull).forEach(tasks::add);
        for (String task : tasks) {
            of(
                    findings,
                    task,
                    "differs.sensitivity.top3",
                    true,
                    "The token that differs is among the three token"
                            + " columns of largest summed |S|, which is blind to the other prompt");
            of(
                    findings,
                    task,
                    "differs.predicted.top3",
                    true,
                    "The same with summed |S . displacement|, which knows" + " the other prompt");
            of(findings, task, "differs.sensitivity.rank", false, "Rank of that token by summed |S|");
            of(
                    findings,
                    task,
                    "earlier.sensitivity.top3",
                    true,
                    "The token's earlier occurrence in the prompt is"
                            + " among the three columns of largest summed |S|");
            of(findings, task, "either.sensitivity.top3", true, "One of its two occurrences is");
            of(findings, task, "chance", false, "What a random choice of three tokens would give for summed |S|");
            of(findings, task, "chance.predicted", false, "Likewise among the tokens that the displacement moves");
        }
    }

    private static void of(Findings findings, String task, String name, boolean claimed, String meaning) {
        double[] values = findings.values(name);
        int known = 0;
        for (int i = 0; i < values.length; i++) {
            if (!task.equals(findings.pairs().get(i).task())) {
                values[i] = Double.NaN;
            }
            known += Double.isNaN(values[i]) ? 0 : 1;
        }
        if (known > 0) {
            findings.mean(
                    task + "." + name,
                    values,
                    claimed ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    meaning + "; prompts of the task " + task + ".");
        }
    }
}
