package dev.greenfield.cli.patch;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.CorruptPrompt;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.prediction.Component;
import dev.greenfield.report.Chart;
import dev.greenfield.report.HeatMap;
import dev.greenfield.response.PatchSweep;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Activation patching at every site between two prompts. */
@Command(sortOptions = false)
public final class PatchCommand implements Action {
    private static final int SHOWN = 10;

    @Mixin
    private final CorruptPrompt corrupt = new CorruptPrompt();

    @Option(
            names = "--direction",
            paramLabel = "D",
            description = "noise: the prompt's run is patched with the corrupt run's residuals (default). denoise: the"
                    + " corrupt run is patched with the prompt's, and changes are those of the corrupt run's F.",
            order = -1)
    private String direction = "noise";

    @Option(
            names = "--component",
            paramLabel = "C",
            description =
                    "What is patched at each site: resid, the stream (default); attn or mlp, what a block's attention"
                            + " or MLP writes to it; head, what each head writes.",
            order = -1)
    private String component = Component.RESIDUAL.label();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        check();
        try (Job job = Job.start("patch", common, CommonOptions.Need.REQUIRED, terminal)) {
            Run other = corrupt.run(job);
            job.option("direction", direction);
            job.option("component", component);
            double value = Summary.opening(job);
            double corruptValue = Summary.corrupt(job, other);
            boolean noise = direction.equals("noise");
            Map<String, String> facts = new LinkedHashMap<>();
            facts.put("Corrupt prompt", corrupt.shown());
            facts.put("Patched run", noise ? "the prompt's" : "the corrupt prompt's");
            if (part() != Component.RESIDUAL) {
                new ComponentPatch(job, noise ? job.run() : other, noise ? other : job.run(), part())
                        .finish(direction, noise ? corruptValue - value : value - corruptValue, facts);
                return;
            }
            terminal.progress("patching "
                    + (noise ? "the prompt's run with the corrupt run's" : "the corrupt run with the" + " prompt's")
                    + " residual at each site");
            PatchSweep sweep = job.timed(
                    "patch",
                    () -> noise
                            ? job.run().patchSweep(other, job.observable())
                            : other.patchSweep(job.run(), job.observable()));
            requireChange(sweep);
            terminal.progress("second derivatives along each displacement");
            PatchSweep both = job.timed("second_order", () -> (noise ? job.run() : other).withSecondOrder(sweep));
            job.about(noise ? job.run() : other);
            job.result("direction", direction);
            job.result("full_change", noise ? corruptValue - value : value - corruptValue);
            show(job, both, noise ? corruptValue - value : value - corruptValue, facts);
            job.finish();
        }
    }

    private static void requireChange(PatchSweep sweep) {
        if (sweep.changesNothing()) {
            throw new InputException("the two prompts have the same residual stream at every site, so that patching"
                    + " changes nothing: choose prompts that the model reads differently");
        }
    }

    private void check() {
        corrupt.check();
        if (!direction.equals("noise") && !direction.equals("denoise")) {
            throw new InputException("--direction " + Quantities.quoted(direction) + ": expected noise or denoise");
        }
        part();
    }

    private Component part() {
        try {
            return Component.of(component);
        } catch (InputException wrong) {
            throw new InputException("--component: " + wrong.getMessage(), wrong);
        }
    }

    private static void show(Job job, PatchSweep sweep, double fullChange, Map<String, String> facts) {
        double[][] measured = sweep.measured();
        double[][] predicted = sweep.predicted();
        facts.put("Full change of F", Numbers.format("%.4f", fullChange));
        double[][] second = sweep.secondOrder();
        Agreement first = Agreement.of(measured, predicted, job.seed());
        Agreement toSecond = Agreement.of(measured, second, job.seed());
        List<Sites.Ranked> largest = Sites.largest(measured, SHOWN);
        job.tensors().add("patch.measured", measured);
        job.tensors().add("patch.predicted", predicted);
        job.tensors().add("patch.second_order", second);
        first.addTo(job, "");
        toSecond.addTo(job, "_second_order");
        job.result("largest", largest(largest, predicted, second));
        Summary.heatMap(job, "measured change of F by patching each site", measured, HeatMap.Scale.DIVERGING);
        Tables.print(
                job.terminal(),
                "largest changes; patching everything changes F by " + Numbers.format("%.4f", fullChange),
                rows(job, largest, predicted, fullChange));
        job.terminal().line("");
        job.terminal().line("predicted against measured changes, " + first.over("sites") + ":");
        job.terminal().line("  to first order   " + first.shown());
        job.terminal().line("  to second order  " + toSecond.shown());
        job.terminal().line("  " + Agreement.KEY);
        if (job.writes()) {
            job.report(Reports.page(
                            job, "Activation patching", "What replacing the residual at each site does to F", facts)
                    .chart("measured", measuredChart(job, measured))
                    .chart(
                            "first-order",
                            Reports.compared(
                                    job,
                                    "Predicted to first order",
                                    "The sensitivity dF/dR[l][t] of the patched run times the displacement, the other run's residual"
                                            + " minus its own: one adjoint sweep for all sites.",
                                    predicted,
                                    "change of F"))
                    .chart(
                            "first-order-and-measured",
                            Reports.predictedAgainstMeasured(
                                    job,
                                    predicted,
                                    measured,
                                    "One point a site. On the dashed line first order is exact. " + first.caption()))
                    .chart(
                            "second-order",
                            Reports.compared(
                                    job,
                                    "Predicted to second order",
                                    "F' + F''/2 along the displacement at each site: exact first and second derivatives of F, one"
                                            + " sweep for all sites.",
                                    second,
                                    "change of F"))
                    .chart(
                            "second-order-and-measured",
                            Reports.predictedAgainstMeasured(
                                    job,
                                    "Second-order prediction against measurement",
                                    second,
                                    measured,
                                    "One point a site. On the dashed line second order is exact. "
                                            + toSecond.caption()))
                    .table(
                            "The largest measured changes.",
                            HEADER,
                            Tables.tail(rows(job, largest, predicted, fullChange))));
        }
    }

    public static final List<String> HEADER = List.of("depth", "token", "measured", "predicted", "share");

    /** The map of measured changes. */
    public static Chart measuredChart(Job job, double[][] measured) {
        return Reports.compared(
                job,
                "Measured change of F by patching each site",
                "F of the run whose residual at one site is replaced by the other run's, minus F of the run itself;"
                        + " everything after the site is computed anew. Exactly zero where the two runs agree or F"
                        + " cannot see the site.",
                measured,
                "change of F");
    }

    /** A table of sites, with a heading: measured, predicted, and measured as a share of the full change. */
    public static List<List<String>> rows(Job job, List<Sites.Ranked> sites, double[][] predicted, double fullChange) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADER);
        List<List<String>> ranking = Summary.ranking(job, sites, "");
        for (int i = 0; i < sites.size(); i++) {
            Sites.Ranked site = sites.get(i);
            List<String> cells = ranking.get(i + 1);
            rows.add(List.of(
                    cells.get(0),
                    cells.get(1),
                    Numbers.format("%.4f", site.value()),
                    Numbers.format("%.4f", predicted[site.depth()][site.token()]),
                    Numbers.format("%.1f %%", 100 * site.value() / fullChange)));
        }
        return rows;
    }

    private static List<Map<String, Object>> largest(
            List<Sites.Ranked> sites, double[][] predicted, double[][] second) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (Sites.Ranked site : sites) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("depth", site.depth());
            map.put("token", site.token());
            map.put("measured", site.value());
            map.put("predicted", predicted[site.depth()][site.token()]);
            map.put("second_order", second[site.depth()][site.token()]);
            list.add(map);
        }
        return list;
    }
}
