package dev.greenfield.cli.patch;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePair;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PredictionQuality;
import dev.greenfield.prediction.PredictionSummary;
import dev.greenfield.prediction.PredictionTable.Row;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ScatterChart;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.PermutationTest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What the predict command says: results, a summary on the terminal, tables and figures of the page. */
final class PredictReport {
    /** Points of a scatter figure: more than these do not tell more and make the page slow. */
    private static final int MOST_POINTS = 2000;

    private final SuiteJob job;
    private final PredictionPlan plan;
    private final List<SuitePair> pairs;
    private final List<Row> rows;
    private final PredictPoints points;

    PredictReport(SuiteJob job, PredictionPlan plan, List<SuitePair> pairs, List<Row> rows, PredictPoints points) {
        this.job = job;
        this.plan = plan;
        this.pairs = pairs;
        this.rows = rows;
        this.points = points;
    }

    void addResults() {
        Map<String, Object> asked = new LinkedHashMap<>();
        asked.put("kinds", plan.kinds().stream().map(InterventionKind::label).toList());
        asked.put("components", plan.components().stream().map(Component::label).toList());
        asked.put(
                "methods", plan.methods().stream().map(PredictionMethod::label).toList());
        asked.put("steps", plan.steps());
        asked.forEach(job::result);
        asked.forEach(job::option);
        job.option("limit", pairs.size());
        job.result("top", PredictionQuality.TOP);
        job.result("floor", PredictionQuality.FLOOR);
        job.result("confidence", 0.95);
        job.result("resamples", Bootstrap.RESAMPLES);
        job.result("rows", rows.stream().map(PredictReport::fields).toList());
        job.result("prompts", job.fields(pairs));
    }

    private static Map<String, Object> fields(Row row) {
        PredictionSummary s = row.summary();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", row.kind().label());
        fields.put("component", row.component().label());
        fields.put("method", row.method().label());
        fields.put("interventions", row.interventions());
        fields.put("unchanged", row.idle());
        fields.put("sites", s.sites());
        fields.put("compared", s.compared());
        fields.put("prompts", s.prompts());
        fields.put("pearson", estimate(s.pearson()));
        fields.put("pearson_within", estimate(s.pearsonWithin()));
        fields.put("spearman", estimate(s.spearman()));
        fields.put("r_squared", estimate(s.rSquared()));
        fields.put("slope", estimate(s.slope()));
        fields.put("permutation_p", s.p());
        fields.put("relative_error", estimate(s.relativeError()));
        fields.put("sign_agreement", estimate(s.signAgreement()));
        fields.put("top_overlap", estimate(s.topOverlap()));
        fields.put("median_relative_error", estimate(s.medianRelativeError()));
        fields.put("beyond_10", estimate(s.beyond10()));
        fields.put("beyond_20", estimate(s.beyond20()));
        fields.put("beyond_50", estimate(s.beyond50()));
        return fields;
    }

    private static Map<String, Object> estimate(Estimate estimate) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("value", estimate.value());
        fields.put("low", estimate.low());
        fields.put("high", estimate.high());
        return fields;
    }

    /** A table a component, and what is missed. */
    void print() {
        for (Component component : plan.components()) {
            List<List<String>> table = new ArrayList<>();
            table.add(List.of(
                    "kind",
                    "method",
                    "sites",
                    "no change",
                    "R2",
                    "slope",
                    "missed",
                    "pearson",
                    "spearman",
                    "sign",
                    "> 20 %"));
            for (Row row : of(component)) {
                PredictionSummary s = row.summary();
                table.add(List.of(
                        row.kind().label(),
                        row.method().label(),
                        Long.toString(s.sites()),
                        Long.toString(row.idle()),
                        number(s.rSquared().value()),
                        number(s.slope().value()),
                        percent(s.relativeError().value()),
                        number(s.pearson().value()),
                        number(s.spearman().value()),
                        number(s.signAgreement().value()),
                        percent(s.beyond20().value())));
            }
            Tables.print(job.terminal(), component.label() + ": predicted against measured changes of F", table);
        }
        job.terminal().line(Agreement.KEY);
        job.terminal().line("");
        for (PredictionMethod method : plan.methods()) {
            job.terminal().line(missed(method));
        }
    }

    private List<Row> of(Component component) {
        return rows.stream().filter(row -> row.component() == component).toList();
    }

    private List<Row> of(PredictionMethod method) {
        return rows.stream().filter(row -> row.method() == method).toList();
    }

    /** How far a method is from the truth, over all kinds and components. */
    private String missed(PredictionMethod method) {
        List<Row> own = of(method);
        if (own.isEmpty()) {
            return method.description() + ": says nothing about these kinds, which have no second prompt to lead to";
        }
        long compared = own.stream().mapToLong(row -> row.summary().compared()).sum();
        if (compared == 0) {
            return method.description() + ": nothing to compare, no intervention changes F";
        }
        double[] shares = new double[3];
        long useless = 0;
        for (Row row : own) {
            PredictionSummary s = row.summary();
            Estimate[] beyond = {s.beyond10(), s.beyond20(), s.beyond50()};
            for (int i = 0; i < shares.length && s.compared() > 0; i++) {
                shares[i] += beyond[i].value() * s.compared() / compared;
            }
            useless += s.relativeError().value() >= 1 ? 1 : 0;
        }
        return method.description() + ": of " + compared + " changes compared, "
                + percent(shares[0]) + " are missed by more than 10 %, "
                + percent(shares[1]) + " by more than 20 %, "
                + percent(shares[2]) + " by more than 50 %; in " + useless + " of " + own.size()
                + " combinations of kind and component, predicting no change at all would be as close or closer";
    }

    /** Combinations in which a method is further from the truth than first order, on the whole and one by one. */
    private String worse(PredictionMethod method) {
        return "The " + method.description() + " prediction is further from the measured changes than first order "
                + names(worse(method, PredictionSummary::relativeError))
                + ". It misses more of the single changes by over"
                + " 20 % than first order " + names(worse(method, PredictionSummary::beyond20)) + ".";
    }

    private static String names(List<Row> rows) {
        return rows.isEmpty()
                ? "in no combination"
                : "in "
                        + rows.stream()
                                .map(row -> row.kind().label() + " "
                                        + row.component().label())
                                .collect(Collectors.joining(", "));
    }

    private List<Row> worse(PredictionMethod method, Function<PredictionSummary, Estimate> error) {
        return of(method).stream()
                .filter(row -> of(PredictionMethod.FIRST).stream()
                        .anyMatch(first -> first.kind().equals(row.kind())
                                && first.component() == row.component()
                                && error.apply(first.summary()).value()
                                        < error.apply(row.summary()).value()))
                .toList();
    }

    ReportPage page() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Prompts", Integer.toString(pairs.size()));
        facts.put("Path", plan.steps() + " steps");
        facts.put("Intervals", "95 %, bootstrap over prompts, " + Bootstrap.RESAMPLES + " resamples");
        ReportPage page = Reports.page(
                job,
                "Predicted and measured interventions",
                "How well the change of F can be known without running the intervention",
                facts);
        StringBuilder text = new StringBuilder();
        for (PredictionMethod method : plan.methods()) {
            String missed = missed(method);
            text.append(Character.toUpperCase(missed.charAt(0)))
                    .append(missed.substring(1))
                    .append(".\n\n");
            if (method != PredictionMethod.FIRST
                    && !of(PredictionMethod.FIRST).isEmpty()
                    && !of(method).isEmpty()) {
                text.append(worse(method)).append("\n\n");
            }
        }
        text.append("Changes are compared one by one where they are at least ")
                .append(percent(PredictionQuality.FLOOR))
                .append(
                        " of the prompt's largest of that kind and component. Interventions that change nothing, because"
                                + " the source is zero or F cannot see its site, are counted and take part in no measure.");
        page.section("Where predictions miss", text.toString());
        for (PredictionMethod method : plan.methods()) {
            if (!of(method).isEmpty()) {
                page.chart("missed-" + method.label(), errors(method))
                        .chart(method.label() + "-and-measured", scatter(method));
            }
        }
        for (Component component : plan.components()) {
            page.table(agreementCaption(component), AGREEMENT, agreement(component));
            page.table(
                    "Relative errors of single interventions on " + component.label()
                            + ": the fraction above 10, 20 and 50 %, and the mean over prompts of the median in each.",
                    ERRORS,
                    errors(component));
        }
        return page;
    }

    private static final List<String> AGREEMENT = List.of(
            "kind",
            "method",
            "sites",
            "no change",
            "R2",
            "slope",
            "missed",
            "Pearson",
            "within prompts",
            "Spearman",
            "p",
            "sign",
            "top " + PredictionQuality.TOP);

    private static final List<String> ERRORS =
            List.of("kind", "method", "compared", "> 10 %", "> 20 %", "> 50 %", "median", "all together");

    private static String agreementCaption(Component component) {
        return "Agreement on " + component.label()
                + ", with 95 % intervals over prompts. Of predicted changes p and measured ones m: "
                + Agreement.DEFINITIONS
                + ". These, Pearson and sign are over the interventions of all prompts together; the"
                + " others are means over prompts. Top " + PredictionQuality.TOP
                + ": share of the largest measured changes among the"
                + " largest predicted. p is of the correlation within prompts, by " + PermutationTest.PERMUTATIONS
                + " permutations of their interventions.";
    }

    private List<List<String>> agreement(Component component) {
        return of(component).stream()
                .map(row -> {
                    PredictionSummary s = row.summary();
                    return List.of(
                            row.kind().label(),
                            row.method().label(),
                            Long.toString(s.sites()),
                            Long.toString(row.idle()),
                            interval(s.rSquared()),
                            interval(s.slope()),
                            interval(s.relativeError()),
                            interval(s.pearson()),
                            interval(s.pearsonWithin()),
                            interval(s.spearman()),
                            Numbers.three(s.p()),
                            interval(s.signAgreement()),
                            interval(s.topOverlap()));
                })
                .toList();
    }

    private List<List<String>> errors(Component component) {
        return of(component).stream()
                .map(row -> {
                    PredictionSummary s = row.summary();
                    return List.of(
                            row.kind().label(),
                            row.method().label(),
                            Long.toString(s.compared()),
                            interval(s.beyond10()),
                            interval(s.beyond20()),
                            interval(s.beyond50()),
                            interval(s.medianRelativeError()),
                            interval(s.relativeError()));
                })
                .toList();
    }

    private HeatMap errors(PredictionMethod method) {
        double[][] values = new double[plan.components().size()][plan.kinds().size()];
        for (double[] line : values) {
            Arrays.fill(line, Double.NaN);
        }
        for (Row row : of(method)) {
            values[plan.components().indexOf(row.component())][plan.kinds().indexOf(row.kind())] =
                    row.summary().relativeError().value();
        }
        return new HeatMap(
                "Share missed by the " + method.description() + " prediction",
                "Length of predicted minus measured changes over the length of the measured ones, all prompts and sites"
                        + " together. 0 is exact; at 1, predicting no change would do as well. Blank: no prediction.",
                plan.components().stream().map(Component::label).toList(),
                plan.kinds().stream().map(InterventionKind::label).toList(),
                values,
                HeatMap.Scale.SEQUENTIAL,
                "share missed",
                "share missed");
    }

    /** Points of the first kind that the method predicts, on all components. */
    private ScatterChart scatter(PredictionMethod method) {
        InterventionKind kind =
                plan.kinds().stream().filter(method::predicts).findFirst().orElseThrow();
        ModelConfig config = job.model().config();
        List<double[]> all = new ArrayList<>();
        List<Component> of = new ArrayList<>();
        for (Component component : plan.components()) {
            PredictPoints.Group group = points.of(kind, component);
            double[] sites = group.sites();
            double[] measured = group.measured();
            double[] predicted = group.predicted(method);
            for (int i = 0; i < measured.length; i++) {
                all.add(new double[] {predicted[i], measured[i], sites[3 * i], sites[3 * i + 1], sites[3 * i + 2]});
                of.add(component);
            }
        }
        int step = Math.max(1, (all.size() + MOST_POINTS - 1) / MOST_POINTS);
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < all.size(); i += step) {
            double[] point = all.get(i);
            x.add(point[0]);
            y.add(point[1]);
            labels.add("prompt " + (int) point[2] + ", " + of.get(i).label() + " "
                    + of.get(i).rowName(config, (int) point[3]) + ", token " + (int) point[4]);
        }
        return new ScatterChart(
                "Predicted and measured changes, " + kind.label() + ", " + method.description(),
                "One point an intervention, on all components"
                        + (step == 1 ? "" : "; every " + step + "th of " + all.size())
                        + ". On the dashed line the prediction is exact. All of them: "
                        + Agreement.ofPoints(column(all, 0), column(all, 1)) + ".",
                "predicted change of F",
                "measured change of F",
                x.stream().mapToDouble(Double::doubleValue).toArray(),
                y.stream().mapToDouble(Double::doubleValue).toArray(),
                labels,
                true);
    }

    private static double[] column(List<double[]> points, int index) {
        return points.stream().mapToDouble(point -> point[index]).toArray();
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "undefined" : Numbers.format("%.3f", value);
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "undefined" : Numbers.format("%.1f %%", 100 * share);
    }

    private static String interval(Estimate estimate) {
        return Numbers.narrowInterval(estimate, PredictReport::number);
    }
}
