package dev.greenfield.cli.patch;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PromptPredictions;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.TerminalHeatMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** {@code patch --component attn|mlp|head}: what a block's parts write is replaced, at each block or head and token. */
final class ComponentPatch {
    private static final int SHOWN = 10;
    private static final Map<Component, String> WHAT =
            Map.of(Component.ATTENTION, "attention output", Component.MLP, "MLP output", Component.HEAD, "head output");

    private final Job job;
    private final Run run;
    private final Run donor;
    private final Component component;

    /** Patches of {@code run} with what {@code donor} has. */
    ComponentPatch(Job job, Run run, Run donor, Component component) {
        this.job = job;
        this.run = run;
        this.donor = donor;
        this.component = component;
    }

    /** Measures, predicts, shows, and finishes the job. */
    void finish(String direction, double fullChange, Map<String, String> facts) throws IOException {
        String what = WHAT.get(component);
        job.terminal().progress("patching each " + what);
        PredictionPlan plan = new PredictionPlan(
                List.of(InterventionKind.parse("noise")),
                List.of(component),
                List.of(PredictionMethod.FIRST, PredictionMethod.SECOND),
                PredictionPlan.STEPS,
                job.seed());
        PromptPredictions.Case found = job.timed("patch", () -> run.predictions(donor, job.observable(), plan))
                .cases()
                .get(0);
        double[][] measured = grid(found, found.measured());
        double[][] predicted = grid(found, found.predicted().get(PredictionMethod.FIRST));
        double[][] second = grid(found, found.predicted().get(PredictionMethod.SECOND));
        job.about(run);
        tensor("patch.measured", found, found.measured());
        tensor("patch.predicted", found, found.predicted().get(PredictionMethod.FIRST));
        tensor("patch.second_order", found, found.predicted().get(PredictionMethod.SECOND));
        Agreement toSecond = Agreement.of(measured, second, job.seed());
        Agreement first = Agreement.of(measured, predicted, job.seed());
        List<Sites.Ranked> largest = Sites.largest(measured, SHOWN);
        job.result("direction", direction);
        job.result("component", component.label());
        job.result("full_change", fullChange);
        job.result("unchanged", found.idles());
        first.addTo(job, "");
        toSecond.addTo(job, "_second_order");
        job.result("largest", largest(largest, predicted, second));
        String title = "Measured change of F by patching each " + what;
        HeatMap map = map(
                title,
                "F of the run in which what this " + (component == Component.HEAD ? "head" : "part of the block")
                        + " writes to the stream at one token is replaced by the other run's, minus F of the run itself;"
                        + " everything after it is computed anew.",
                measured);
        facts.put("Full change of F", Numbers.format("%.4f", fullChange));
        job.terminal().line("");
        job.terminal()
                .block(TerminalHeatMap.render(
                        map,
                        job.terminal().colour(),
                        Math.min(TerminalHeatMap.WIDTH, job.terminal().room())));
        Tables.print(
                job.terminal(),
                "largest changes; patching everything changes F by " + Numbers.format("%.4f", fullChange),
                rows(largest, predicted, fullChange));
        job.terminal().line("");
        job.terminal().line("predicted against measured changes, " + first.over("patches") + ":");
        job.terminal().line("  to first order   " + first.shown());
        job.terminal().line("  to second order  " + toSecond.shown());
        job.terminal().line("  " + Agreement.KEY);
        job.terminal().line(found.idles() + " of " + found.idle().length + " patches change nothing");
        if (job.writes()) {
            job.report(Reports.page(
                            job, "Activation patching: " + what, "What replacing each " + what + " does to F", facts)
                    .chart("measured", map)
                    .chart(
                            "first-order",
                            map(
                                    "Predicted to first order",
                                    "The sensitivity of F where the part writes to the stream times the displacement of what it"
                                            + " writes: one adjoint sweep for all.",
                                    predicted))
                    .chart(
                            "first-order-and-measured",
                            Reports.predictedAgainstMeasured(
                                    job,
                                    rowNames(measured.length),
                                    predicted,
                                    measured,
                                    "One point a patch. On the dashed line first order is exact. " + first.caption()))
                    .chart(
                            "second-order",
                            map(
                                    "Predicted to second order",
                                    "F' + F''/2 along the displacement of each: exact first and second derivatives of F. "
                                            + "Against the measured changes: " + toSecond.shown() + ".",
                                    second))
                    .table(
                            "The largest measured changes.",
                            header(),
                            Tables.tail(rows(largest, predicted, fullChange))));
        }
        job.finish();
    }

    private void tensor(String name, PromptPredictions.Case found, double[] values) {
        if (component == Component.HEAD) {
            job.tensors().add(name, values, config().layers(), config().heads(), found.tokens());
        } else {
            job.tensors().add(name, values, found.rows(), found.tokens());
        }
    }

    private ModelConfig config() {
        return job.model().config();
    }

    private static double[][] grid(PromptPredictions.Case found, double[] values) {
        double[][] grid = new double[found.rows()][found.tokens()];
        for (int r = 0; r < grid.length; r++) {
            System.arraycopy(values, r * found.tokens(), grid[r], 0, found.tokens());
        }
        return grid;
    }

    private HeatMap map(String title, String caption, double[][] values) {
        return new HeatMap(
                title,
                caption,
                rowNames(values.length),
                job.labels(),
                values,
                HeatMap.Scale.DIVERGING,
                "change of F",
                "change of F");
    }

    private List<String> rowNames(int count) {
        return IntStream.range(0, count)
                .mapToObj(row -> component.rowName(config(), row))
                .toList();
    }

    private List<String> header() {
        return List.of(component == Component.HEAD ? "head" : "block", "token", "measured", "predicted", "share");
    }

    private List<List<String>> rows(List<Sites.Ranked> sites, double[][] predicted, double fullChange) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(header());
        for (Sites.Ranked site : sites) {
            rows.add(List.of(
                    component.rowName(config(), site.depth()).replaceFirst("^\\w+ ", ""),
                    job.labels().get(site.token()),
                    Numbers.format("%.4f", site.value()),
                    Numbers.format("%.4f", predicted[site.depth()][site.token()]),
                    Numbers.format("%.1f %%", 100 * site.value() / fullChange)));
        }
        return rows;
    }

    private List<Map<String, Object>> largest(List<Sites.Ranked> sites, double[][] predicted, double[][] second) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (Sites.Ranked site : sites) {
            Map<String, Object> map = new LinkedHashMap<>();
            if (component == Component.HEAD) {
                map.put("block", site.depth() / config().heads());
                map.put("head", site.depth() % config().heads());
            } else {
                map.put("block", site.depth());
            }
            map.put("token", site.token());
            map.put("measured", site.value());
            map.put("predicted", predicted[site.depth()][site.token()]);
            map.put("second_order", second[site.depth()][site.token()]);
            list.add(map);
        }
        return list;
    }
}
