package dev.greenfield.cli.study;

import dev.greenfield.cli.io.RemedyOptions;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ScatterChart;
import dev.greenfield.study.Claim;
import dev.greenfield.study.Finding;
import dev.greenfield.study.Measures;
import dev.greenfield.study.Study;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.commons.statistics.descriptive.Median;

/** A study as a page: a section a claim, with its findings and figures. */
final class StudyPage {
    /** Points of a scatter chart; of more, every so many is drawn. */
    private static final int MOST_POINTS = 3000;

    private static final String DEPTH = "depth";

    private final SuiteJob job;
    private final Study.Outcome outcome;
    private final int prompts;
    private final String nameB;

    StudyPage(SuiteJob job, Study.Outcome outcome, int prompts, String nameB) {
        this.job = job;
        this.outcome = outcome;
        this.prompts = prompts;
        this.nameB = nameB;
    }

    ReportPage page() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Prompts", Integer.toString(prompts));
        if (nameB != null) {
            facts.put("Second model", nameB);
        }
        ReportPage page = Reports.page(
                job,
                "Study of a suite",
                "Every claim on " + prompts + " prompt pairs, 95 % bootstrap intervals over pairs",
                facts);
        List<ClaimSummary> claims = Arrays.stream(Claim.values())
                .map(claim -> ClaimSummary.of(claim, outcome.findings()))
                .filter(summary -> !summary.findings().isEmpty())
                .toList();
        page.summary(
                "Summary: what the findings say of each claim.",
                List.of("claim", "verdict", "what was found", "n"),
                claims.stream()
                        .map(one -> List.of(
                                one.name() + ": " + one.claim().statement(),
                                one.verdict(),
                                one.sentence(),
                                one.pairs()))
                        .toList());
        page.section(
                "How to read it",
                "Each finding is a number over n prompt pairs with the interval that 1000 resamples of the pairs give."
                        + " Where a claim says what the number should be, the verdict says whether the whole interval is"
                        + " there (holds), none of it (does not hold), or it is on both sides (undecided). A claim holds where"
                        + " all its numbers do, in part where some do, and does not hold where none does. Of predictions p and"
                        + " measured changes m: " + Agreement.DEFINITIONS + "."
                        + (outcome.remarks().isEmpty()
                                ? ""
                                : "\n\nLeft out: " + RemedyOptions.in(String.join(" ", outcome.remarks()))));
        for (ClaimSummary one : claims) {
            Claim claim = one.claim();
            page.section(one.name(), claim.statement() + "\n\nVerdict: " + one.verdict() + ". " + one.sentence());
            figures(claim, page);
            page.foldedTable(
                    "All " + one.findings().size() + " findings on "
                            + claim.title().toLowerCase(Locale.ROOT),
                    "Findings on " + claim.title().toLowerCase(Locale.ROOT)
                            + ", with 95 % intervals over n prompt pairs.",
                    List.of("metric", "n", "value", "expected", "verdict", "what it is"),
                    one.findings().stream().map(StudyPage::row).toList());
        }
        return page;
    }

    private static List<String> row(Finding f) {
        return List.of(
                f.metric(),
                Integer.toString(f.n()),
                ClaimSummary.shown(f.estimate()),
                f.expectation().text(),
                f.verdict().label(),
                f.meaning());
    }

    private void figures(Claim claim, ReportPage page) {
        switch (claim) {
            case E1 -> regime(page);
            case E2 -> prediction(page);
            case E3 -> propagation(page);
            case E4 -> reduction(page);
            case E5 -> transfer(page);
            case INFERENCE -> wishes(page);
            case MECHANISMS -> {
                // a table says it all
            }
            case SCALE -> directions(page);
        }
    }

    private List<Measures> of(String part) {
        return outcome.measures().getOrDefault(part, Map.of()).values().stream()
                .filter(one -> !one.values().isEmpty())
                .toList();
    }

    /** The mean over prompts, or the median, of rows that start at one; where none is finite the curve has no point. */
    private LineChart.Series series(String title, String part, String name, double first, boolean median) {
        List<double[]> rows = of(part).stream()
                .map(one -> one.row(name))
                .filter(row -> row.length > 0)
                .toList();
        int length = rows.stream().mapToInt(row -> row.length).max().orElse(0);
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            int index = i;
            double[] values = rows.stream()
                    .filter(row -> row.length > index)
                    .mapToDouble(row -> row[index])
                    .filter(v -> !Double.isNaN(v))
                    .toArray();
            double y = values.length == 0
                    ? Double.NaN
                    : median
                            ? Median.withDefaults().evaluate(values)
                            : Arrays.stream(values).average().orElseThrow();
            if (Double.isFinite(y)) {
                points.add(new double[] {first + i, y});
            }
        }
        return new LineChart.Series(
                title,
                points.stream().mapToDouble(p -> p[0]).toArray(),
                points.stream().mapToDouble(p -> p[1]).toArray());
    }

    private void lines(
            ReportPage page,
            String title,
            String caption,
            String x,
            String y,
            boolean log,
            List<LineChart.Series> all) {
        List<LineChart.Series> drawn =
                all.stream().filter(s -> s.x().length > 0).toList();
        if (!drawn.isEmpty()) {
            page.chart(new LineChart(title, caption, x, y, false, log, drawn));
        }
    }

    private void regime(ReportPage page) {
        List<LineChart.Series> series = new ArrayList<>();
        for (String tolerance : List.of("0.01", "0.05", "0.1", "0.2")) {
            series.add(
                    series("off by " + tolerance, "regime", "displacement.radius." + tolerance + ".by_depth", 0, true));
        }
        lines(
                page,
                "Radius of the linear regime by depth",
                "Relative amplitude along the displacement up to which first order is within the tolerance, median over"
                        + " tokens and then over n = " + of("regime").size() + " prompt pairs.",
                DEPTH,
                "relative amplitude",
                true,
                series);
    }

    private void prediction(ReportPage page) {
        for (String method : List.of("first", "second", "path")) {
            scatter(
                    page,
                    "Predicted and measured, " + method,
                    "Changes of F by patching each site of the stream with the other prompt's, against the prediction"
                            + " of method " + method + ", n = "
                            + of("prediction").size() + " prompt pairs.",
                    "noise|resid|" + method,
                    "noise|resid");
        }
    }

    private void scatter(ReportPage page, String title, String caption, String xName, String yName) {
        List<double[]> points = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        outcome.measures().getOrDefault("prediction", Map.of()).forEach((prompt, one) -> {
            double[] x = one.row(xName);
            double[] y = one.row(yName);
            for (int i = 0; i < Math.min(x.length, y.length); i++) {
                points.add(new double[] {x[i], y[i]});
                labels.add("prompt " + prompt);
            }
        });
        int every = 1 + points.size() / MOST_POINTS;
        int[] drawn =
                IntStream.range(0, points.size()).filter(i -> i % every == 0).toArray();
        if (drawn.length > 0) {
            page.chart(new ScatterChart(
                    title,
                    caption + " On the dashed line the prediction is exact. All points: "
                            + Agreement.ofPoints(column(points, 0), column(points, 1)) + "."
                            + (every > 1 ? " One in " + every + " of " + points.size() + " points is drawn." : ""),
                    "predicted change of F",
                    "measured change of F",
                    IntStream.of(drawn).mapToDouble(i -> points.get(i)[0]).toArray(),
                    IntStream.of(drawn).mapToDouble(i -> points.get(i)[1]).toArray(),
                    IntStream.of(drawn).mapToObj(labels::get).toList(),
                    true));
        }
    }

    private static double[] column(List<double[]> points, int index) {
        return points.stream().mapToDouble(point -> point[index]).toArray();
    }

    private void propagation(ReportPage page) {
        String n = "mean over n = " + of("propagation").size() + " prompt pairs.";
        lines(
                page,
                "Share of the response at other tokens",
                "Part of the squared response outside of the source's own token by depth, for the displacement at the"
                        + " first token that differs, for the sensitivity at the most sensitive inner site, and for the"
                        + " displacement in the untrained model; " + n,
                DEPTH,
                "token share",
                false,
                List.of(
                        series("displacement", "propagation", "source.share_by_depth", 0, false),
                        series("sensitivity", "propagation", "sensitive.share_by_depth", 0, false),
                        series("untrained", "propagation", "untrained.share_by_depth", 0, false)));
    }

    private void reduction(ReportPage page) {
        String n = " Mean over n = " + of("reduction").size() + " prompt pairs.";
        List<LineChart.Series> share = new ArrayList<>();
        List<LineChart.Series> together = new ArrayList<>();
        for (String by : List.of("predicted", "sensitivity", "random")) {
            share.add(series(by, "reduction", "share." + by + ".curve", 1, false));
            together.add(series(by, "reduction", "together." + by + ".curve", 1, false));
        }
        lines(
                page,
                "Share of the leading sites",
                "Share of the summed single patch effects at the first n inner sites by each order." + n,
                "number of sites",
                "share",
                false,
                share);
        lines(
                page,
                "The leading sites together",
                "Fraction of the full change of F when the first n inner sites are replaced together." + n,
                "number of sites",
                "achieved fraction",
                false,
                together);
        lines(
                page,
                "Error of reduced operators",
                "Error of the response from depth 0 to the last through k directions: leading ones on the displacement"
                        + " and on random sources, and random ones on the displacement." + n,
                "rank k",
                "relative error",
                false,
                List.of(
                        series("displacement", "reduction", "slice.whole.displacement.curve", 1, false),
                        series("random sources", "reduction", "slice.whole.random.curve", 1, false),
                        series("random directions", "reduction", "slice.whole.subspace.curve", 1, false)));
    }

    private void transfer(ReportPage page) {
        String n = " Mean over n = " + of("transfer").size() + " prompt pairs.";
        List<LineChart.Series> sites = new ArrayList<>();
        List<LineChart.Series> slices = new ArrayList<>();
        for (String alpha : List.of("0.25", "0.5", "1.0")) {
            sites.add(series("amplitude " + alpha, "transfer", "site.by_depth." + alpha, 0, false));
            slices.add(series("amplitude " + alpha, "transfer", "slice.by_depth." + alpha, 0, false));
        }
        lines(
                page,
                "Answers by the best site of each depth",
                "Largest fraction of the full change of F that one site of a depth achieves." + n,
                DEPTH,
                "achieved fraction",
                false,
                sites);
        lines(
                page,
                "Answers by whole depths",
                "Fraction that all tokens of a depth achieve; at amplitude 1 it is 1 by construction." + n,
                DEPTH,
                "achieved fraction",
                false,
                slices);
    }

    private void wishes(ReportPage page) {
        String key = "least_norm.0.1.";
        for (String method : List.of("first_order", "achieved")) {
            Map<Integer, Measures> all = new TreeMap<>(outcome.measures().getOrDefault("wishes", Map.of()));
            all.values().removeIf(one -> !Double.isFinite(one.number(key + "wanted") + one.number(key + method)));
            if (!all.isEmpty()) {
                page.chart(new ScatterChart(
                        method.equals("achieved") ? "Wished and achieved" : "Wished and achieved by first order",
                        "Change of F wished for, 10 % of F, and the one that the shortest "
                                + (method.equals("achieved") ? "refined" : "first-order")
                                + " source achieves, measured; n = " + all.size() + " prompts.",
                        "wished change of F",
                        "achieved change of F",
                        all.values().stream()
                                .mapToDouble(one -> one.number(key + "wanted"))
                                .toArray(),
                        all.values().stream()
                                .mapToDouble(one -> one.number(key + method))
                                .toArray(),
                        all.keySet().stream().map(prompt -> "prompt " + prompt).toList(),
                        true));
            }
        }
    }

    private void directions(ReportPage page) {
        String n = "mean over n = " + of("directions").size() + " pairs that the maps were not fitted on.";
        lines(
                page,
                "Directions of carried displacements",
                "Cosine between the displacement that an affine map carries over and the second model's own, and of"
                        + " maps fitted on shuffled prompts; " + n,
                "grid depth",
                "cosine",
                false,
                List.of(
                        series("carried", "directions", "direction.cosine.by_depth", 0, false),
                        series("control", "directions", "direction.cosine.control.by_depth", 0, false)));
        lines(
                page,
                "Answers by carried displacements",
                "Fraction of the second model's change of F that the carried displacement of a whole depth achieves;"
                        + " its own achieves 1; " + n,
                "grid depth",
                "achieved fraction",
                false,
                List.of(
                        series("carried", "directions", "direction.slice.by_depth", 0, false),
                        series("control", "directions", "direction.slice.control.by_depth", 0, false)));
    }
}
