package dev.greenfield.study;

import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PredictionQuality;
import dev.greenfield.prediction.PredictionSummary;
import dev.greenfield.prediction.PromptPredictions;
import dev.greenfield.statistics.Estimate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** E2: measured against predicted changes of F, for interventions of many kinds on every component. */
final class PredictionPart implements StudyPart {
    static final List<InterventionKind> KINDS = Stream.of(
                    "noise", "denoise", "scaled:0.1", "zero", "mean", "random:0.1", "sensitivity:0.1")
            .map(InterventionKind::parse)
            .toList();
    private static final double LEAST_OFF = 0.05;
    private static final double MOST_OFF = 0.5;
    private static final String RESIDUAL = Component.RESIDUAL.label();

    @Override
    public String name() {
        return "prediction";
    }

    @Override
    public Claim claim() {
        return Claim.E2;
    }

    static String key(String kind, String component) {
        return kind + "|" + component;
    }

    static String key(String kind, String component, PredictionMethod method) {
        return key(kind, component) + "|" + method.label();
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        PredictionPlan all = PredictionPlan.defaults();
        PredictionPlan plan =
                new PredictionPlan(KINDS, all.components(), all.methods(), PredictionPlan.STEPS, runs.seed());
        PromptPredictions found =
                runs.clean().predictions(runs.corrupt(), runs.pair().observable(), plan);
        for (PromptPredictions.Case one : found.cases()) {
            String kind = one.kind().label();
            String component = one.component().label();
            into.putPoints(key(kind, component), one.activeMeasured());
            for (PredictionMethod method : one.predicted().keySet()) {
                into.putPoints(key(kind, component, method), one.activePredicted(method));
            }
        }
    }

    /** The quality of one kind, component and method over the prompts that have it; empty where none has. */
    static List<PredictionQuality> qualities(
            List<Measures> prompts, String kind, String component, PredictionMethod method) {
        List<PredictionQuality> qualities = new ArrayList<>();
        for (Measures prompt : prompts) {
            double[] measured = prompt.row(key(kind, component));
            double[] predicted = prompt.row(key(kind, component, method));
            if (measured.length > 0 && predicted.length == measured.length) {
                qualities.add(PredictionQuality.of(predicted, measured));
            }
        }
        return qualities;
    }

    /** All summaries by kind, component and method, in order. */
    private static Map<String, PredictionSummary> summaries(Findings findings) {
        Map<String, PredictionSummary> summaries = new LinkedHashMap<>();
        for (InterventionKind kind : KINDS) {
            for (Component component : Component.values()) {
                for (PredictionMethod method : PredictionMethod.values()) {
                    List<PredictionQuality> qualities =
                            qualities(findings.measures(), kind.label(), component.label(), method);
                    if (!qualities.isEmpty()) {
                        summaries.put(
                                key(kind.label(), component.label(), method),
                                PredictionSummary.of(qualities, findings.bootstrap()));
                    }
                }
            }
        }
        return summaries;
    }

    @Override
    public List<PredictionRow> predictions(Findings findings) {
        List<PredictionRow> rows = new ArrayList<>();
        summaries(findings).forEach((key, summary) -> rows.add(PredictionRow.of(key, summary)));
        return rows;
    }

    @Override
    public void findings(Findings findings) {
        Map<String, PredictionSummary> summaries = summaries(findings);
        for (InterventionKind kind : KINDS) {
            for (PredictionMethod method : PredictionMethod.values()) {
                whole(findings, summaries.get(key(kind.label(), RESIDUAL, method)), kind.label(), method);
            }
        }
        for (Component component : Component.values()) {
            if (component != Component.RESIDUAL) {
                for (PredictionMethod method : PredictionMethod.values()) {
                    PredictionSummary summary = summaries.get(key("noise", component.label(), method));
                    if (summary != null) {
                        agreement(findings, summary, "noise", component.label(), method);
                    }
                }
            }
        }
        for (InterventionKind kind : KINDS) {
            secondAgainstFirst(findings, kind.label(), List.of(Component.RESIDUAL), RESIDUAL);
            secondAgainstFirst(findings, kind.label(), List.of(Component.values()), "all");
        }
    }

    /** How far sizes are right, which a correlation does not say, and the correlation. */
    private static void agreement(
            Findings findings, PredictionSummary summary, String kind, String component, PredictionMethod method) {
        boolean first = method == PredictionMethod.FIRST;
        String key = kind + "." + component + "." + method.label();
        String of = " of " + method.description() + " for " + kind + " of " + component + ", pooled over prompts.";
        findings.add(
                key + ".r2",
                summary.prompts(),
                summary.rSquared(),
                first && component.equals(RESIDUAL) ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                "R squared against the line where measured equals predicted," + of);
        findings.add(
                key + ".slope",
                summary.prompts(),
                summary.slope(),
                Finding.Expectation.NONE,
                "Slope of measured over predicted changes, 1 where sizes are right," + of);
        findings.add(
                key + ".missed",
                summary.prompts(),
                summary.relativeError(),
                Finding.Expectation.NONE,
                "Share missed, |measured - predicted| / |measured|," + of);
        findings.add(
                key + ".pearson",
                summary.prompts(),
                summary.pearson(),
                first ? Finding.Expectation.above(0.9) : Finding.Expectation.NONE,
                "Pearson's correlation of predicted and measured changes, all interventions pooled.");
    }

    private static void whole(Findings findings, PredictionSummary summary, String kind, PredictionMethod method) {
        if (summary == null) {
            return;
        }
        boolean first = method == PredictionMethod.FIRST;
        agreement(findings, summary, kind, RESIDUAL, method);
        String key = kind + "." + RESIDUAL + "." + method.label();
        String of = " of " + method.description() + " for " + kind + " of the stream.";
        Map<String, Estimate> measures = new LinkedHashMap<>();
        measures.put("spearman", summary.spearman());
        measures.put("permutation_p", Estimate.without(summary.p()));
        measures.put("sign", summary.signAgreement());
        measures.put("top5", summary.topOverlap());
        Map<String, String> words = Map.of(
                "spearman", "Spearman's correlation, mean over prompts,",
                "permutation_p", "p of the correlation within prompts, by permutation,",
                "sign", "Share of changes whose sign is predicted, pooled,",
                "top5", "Share of the 5 largest changes that are among the 5 largest predicted, mean over prompts,");
        Map<String, Double> bounds = Map.of("spearman", 0.9, "sign", 0.9, "top5", 0.6);
        measures.forEach((name, estimate) -> findings.add(
                key + "." + name,
                summary.prompts(),
                estimate,
                first && bounds.containsKey(name)
                        ? Finding.Expectation.above(bounds.get(name))
                        : Finding.Expectation.NONE,
                words.get(name) + of));
    }

    /** Where first order is off, but not hopelessly: how often second order is nearer. */
    private static void secondAgainstFirst(Findings findings, String kind, List<Component> components, String name) {
        List<Measures> prompts = findings.measures();
        int[] nearer = new int[prompts.size()];
        int[] off = new int[prompts.size()];
        for (int p = 0; p < nearer.length; p++) {
            for (Component component : components) {
                double[] measured = prompts.get(p).row(key(kind, component.label()));
                double[] first = prompts.get(p).row(key(kind, component.label(), PredictionMethod.FIRST));
                double[] second = prompts.get(p).row(key(kind, component.label(), PredictionMethod.SECOND));
                double floor = 0;
                for (double m : measured) {
                    floor = Math.max(floor, PredictionQuality.FLOOR * Math.abs(m));
                }
                for (int i = 0; i < Math.min(measured.length, second.length); i++) {
                    double size = Math.abs(measured[i]);
                    double error = Math.abs(first[i] - measured[i]);
                    if (size > 0 && size >= floor && error >= LEAST_OFF * size && error <= MOST_OFF * size) {
                        off[p]++;
                        nearer[p] += Math.abs(second[i] - measured[i]) < error ? 1 : 0;
                    }
                }
            }
        }
        Estimate estimate = findings.bootstrap().of(nearer.length, drawn -> {
            long numerator = 0;
            long denominator = 0;
            for (int i : drawn) {
                numerator += nearer[i];
                denominator += off[i];
            }
            return denominator == 0 ? Double.NaN : (double) numerator / denominator;
        });
        int n = 0;
        for (int o : off) {
            n += o > 0 ? 1 : 0;
        }
        findings.add(
                kind + "." + name + ".second_beats_first",
                n,
                estimate,
                Finding.Expectation.above(0.5),
                "Of the interventions whose first-order prediction is 5 to 50 % off, the share that second order"
                        + " predicts better (changes of at least 1 % of the prompt's largest).");
    }
}
