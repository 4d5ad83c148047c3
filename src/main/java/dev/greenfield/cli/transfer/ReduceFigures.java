package dev.greenfield.cli.transfer;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.SiteReduction;
import dev.greenfield.transfer.SliceReduction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** What {@code reduce} prints and draws. */
final class ReduceFigures {
    /** The arrays of a slice by the names of their tensors. */
    static final Map<String, Function<SliceReduction, double[]>> CURVES = curves();

    private final Job job;
    private final DisplacementTransfer transfer;
    private final Map<String, SiteReduction> sites; // by ranking
    private final List<SliceReduction> slices;
    private final int last; // index of the largest rank

    ReduceFigures(
            Job job, DisplacementTransfer transfer, Map<String, SiteReduction> sites, List<SliceReduction> slices) {
        this.job = job;
        this.transfer = transfer;
        this.sites = sites;
        this.slices = slices;
        this.last = slices.get(0).energy().length - 1;
    }

    void show(String corrupt) {
        List<List<String>> bySite = siteRows();
        List<List<String>> bySlice = sliceRows();
        Tables.print(job.terminal(), "what the first n inner sites carry", bySite);
        Tables.print(
                job.terminal(),
                "relative errors through the " + (last + 1) + " leading directions between two depths",
                bySlice);
        if (!job.writes()) {
            return;
        }
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Corrupt prompt", corrupt);
        facts.put("Full change of F", Numbers.format("%.4f", transfer.fullChange()));
        ReportPage page = Reports.page(
                        job,
                        "Reduced descriptions",
                        "How much of a displacement's effect few sites and few directions carry",
                        facts)
                .chart(
                        "share",
                        overSites(
                                "Share of single effects",
                                "Sum of the sizes of the first n sites' single patch effects, over that of all sites between the first and"
                                        + " the last depth. Random: mean over draws.",
                                "share",
                                SiteReduction::share))
                .chart(
                        "together",
                        overSites(
                                "Achieved together",
                                "Fraction of the full change of F with the residuals of the first n sites replaced in one run.",
                                "achieved fraction",
                                SiteReduction::together))
                .chart(
                        "energy",
                        overRank(
                                "Energy",
                                "Fraction of |G|^2 in the leading k directions, for each pair of depths. |G|^2 is estimated from random probes where"
                                        + " summing it would cost more than twice the factorization; the largest standard error is "
                                        + Numbers.three(largestError()) + ".",
                                "captured fraction",
                                SliceReduction::energy))
                .chart(
                        "error-displacement",
                        overRank(
                                "Error of the displacement's response",
                                "|G_k J - G J| / |G J| for J the displacement at the lower depth.",
                                "relative error",
                                SliceReduction::displacement))
                .chart(
                        "error-effect",
                        overRank(
                                "Error of the predicted change of F",
                                "|S . G_k J - S . G J| / |S . G J|, with S the sensitivity at the upper depth.",
                                "relative error",
                                SliceReduction::effect))
                .chart("controls", controls())
                .table("What the first n inner sites carry.", bySite.get(0), bySite.subList(1, bySite.size()))
                .table(
                        "Relative errors through the " + (last + 1) + " leading directions.",
                        bySlice.get(0),
                        bySlice.subList(1, bySlice.size()));
        job.report(page);
    }

    private double largestError() {
        return slices.stream()
                .flatMapToDouble(slice -> Arrays.stream(slice.energyError()))
                .max()
                .orElse(0);
    }

    private List<List<String>> siteRows() {
        List<List<String>> rows = new ArrayList<>();
        List<String> heading = new ArrayList<>(List.of("n"));
        for (String name : sites.keySet()) {
            heading.addAll(List.of(name + ": share", "together", "added"));
        }
        rows.add(heading);
        int n = sites.values().iterator().next().share().length;
        for (int i = 0; i < n; i++) {
            List<String> row = new ArrayList<>(List.of(Integer.toString(i + 1)));
            for (SiteReduction reduction : sites.values()) {
                row.add(Numbers.format("%.3f", reduction.share()[i]));
                row.add(Numbers.format("%.3f", reduction.together()[i]));
                row.add(Numbers.format("%.3f", reduction.added()[i]));
            }
            rows.add(row);
        }
        return rows;
    }

    private List<List<String>> sliceRows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "depths",
                "energy",
                "+-",
                "displacement",
                "random sources",
                "random subspace",
                "change of F",
                "random subspace"));
        for (SliceReduction slice : slices) {
            List<String> row = new ArrayList<>(List.of(name(slice)));
            for (Function<SliceReduction, double[]> curve : CURVES.values()) {
                row.add(Numbers.format("%.3f", curve.apply(slice)[last]));
            }
            rows.add(row);
        }
        return rows;
    }

    private static String name(SliceReduction slice) {
        return slice.from() + " to " + slice.to();
    }

    private LineChart overSites(String title, String caption, String yName, Function<SiteReduction, double[]> values) {
        List<LineChart.Series> series = new ArrayList<>();
        sites.forEach((name, reduction) -> {
            String shown =
                    name.equals("random") ? "random sites" : "by " + name.replace("predicted", "predicted change");
            series.add(curve(shown, values.apply(reduction), -1));
        });
        return new LineChart(title, caption, "number of sites n", yName, false, false, series);
    }

    private LineChart overRank(String title, String caption, String yName, Function<SliceReduction, double[]> values) {
        return new LineChart(
                title,
                caption,
                "rank k",
                yName,
                false,
                false,
                drawn().stream()
                        .map(slice -> curve(name(slice), values.apply(slice), -1))
                        .toList());
    }

    /** From the first depth up and up to the last depth: of all pairs there may be too many to tell apart. */
    private List<SliceReduction> drawn() {
        int lowest = slices.get(0).from();
        int highest = slices.get(slices.size() - 1).to();
        return slices.stream()
                .filter(slice -> slice.from() == lowest || slice.to() == highest)
                .toList();
    }

    private LineChart controls() {
        SliceReduction whole = slices.stream()
                .max((a, b) -> Integer.compare(a.to() - a.from(), b.to() - b.from()))
                .orElseThrow();
        return new LineChart(
                "Controls, depth " + name(whole),
                "Error of the response to the displacement and to sources of random direction through the leading directions, and to"
                        + " the displacement through as many random directions.",
                "rank k",
                "relative error",
                false,
                false,
                List.of(
                        curve("displacement", whole.displacement(), -1),
                        curve("random sources", whole.random(), -1),
                        curve("displacement, random subspace", whole.subspace(), 0)));
    }

    private static LineChart.Series curve(String name, double[] values, int partner) {
        double[] n = IntStream.rangeClosed(1, values.length).asDoubleStream().toArray();
        return new LineChart.Series(name, n, values, partner);
    }

    private static Map<String, Function<SliceReduction, double[]>> curves() {
        Map<String, Function<SliceReduction, double[]>> curves = new LinkedHashMap<>();
        curves.put("energy", SliceReduction::energy);
        curves.put("energy.stderr", SliceReduction::energyError);
        curves.put("error.displacement", SliceReduction::displacement);
        curves.put("error.random", SliceReduction::random);
        curves.put("error.subspace", SliceReduction::subspace);
        curves.put("error.effect", SliceReduction::effect);
        curves.put("error.effect.subspace", SliceReduction::subspaceEffect);
        return curves;
    }
}
