package dev.greenfield.prediction;

import dev.greenfield.failure.Task;
import dev.greenfield.statistics.Bootstrap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How well each method predicts each kind of intervention on each component, over the prompts of a suite: add the predictions of one
 * prompt after another, all of one plan.
 */
public final class PredictionTable {
    private final Map<Group, List<PredictionQuality>> prompts = new LinkedHashMap<>();
    private final Map<Place, Counts> counts = new HashMap<>();

    /** What is summarized together. */
    private record Group(InterventionKind kind, Component component, PredictionMethod method) {}

    private record Place(InterventionKind kind, Component component) {}

    private static final class Counts {
        private long all;
        private long idle;
    }

    /**
     * One kind, component and method over all prompts.
     *
     * @param kind what is done
     * @param component to what
     * @param method how its effect is predicted
     * @param interventions how many there were, over all prompts
     * @param idle how many of them change nothing; these take part in no measure
     * @param summary of the others
     */
    public record Row(
            InterventionKind kind,
            Component component,
            PredictionMethod method,
            long interventions,
            long idle,
            PredictionSummary summary) {}

    /** Adds a prompt. */
    public void add(PromptPredictions prompt) {
        for (PromptPredictions.Case one : prompt.cases()) {
            Counts count = counts.computeIfAbsent(new Place(one.kind(), one.component()), key -> new Counts());
            count.all += one.measured().length;
            count.idle += one.idles();
            double[] measured = one.activeMeasured();
            for (PredictionMethod method : one.predicted().keySet()) {
                prompts.computeIfAbsent(new Group(one.kind(), one.component(), method), key -> new ArrayList<>())
                        .add(PredictionQuality.of(one.activePredicted(method), measured));
            }
        }
    }

    /** Summaries with intervals over the prompts added so far, in the plan's order. */
    public List<Row> rows(Bootstrap bootstrap) {
        List<Row> rows = new ArrayList<>();
        Task.run(
                "summaries",
                "rows",
                prompts.size(),
                task -> prompts.forEach((group, qualities) -> {
                    Counts count = counts.get(new Place(group.kind(), group.component()));
                    rows.add(new Row(
                            group.kind(),
                            group.component(),
                            group.method(),
                            count.all,
                            count.idle,
                            task.call(1, () -> PredictionSummary.of(qualities, bootstrap))));
                }));
        return rows;
    }
}
