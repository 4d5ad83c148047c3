package dev.greenfield.cli.source;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.propagation.SourcePropagation.Compared;
import dev.greenfield.propagation.SourcePropagation.Measure;
import dev.greenfield.report.Chart;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The page of the propagate command. */
final class PropagatePage {
    private final Job job;
    private final SourceOptions source;
    private final SourcePropagation response;
    private final SourcePropagation control; // or null
    private final SourcePropagation.Settings settings;
    private final PropagateTables tables;
    private final double[] epsilons;
    private final int layers;

    PropagatePage(
            Job job,
            SourceOptions source,
            SourcePropagation response,
            SourcePropagation control,
            SourcePropagation.Settings settings,
            PropagateTables tables) {
        this.job = job;
        this.source = source;
        this.response = response;
        this.control = control;
        this.settings = settings;
        this.tables = tables;
        this.epsilons = response.amplitudes();
        this.layers = response.tangent().depths() - 1;
    }

    private Chart map(String title, String caption, double[][] norms) {
        return new HeatMap(
                title,
                caption,
                Sites.levels(norms.length, false),
                job.labels(),
                Reports.blankOutside(
                        norms, response.site().depth(), response.site().token()),
                HeatMap.Scale.LOG,
                "|dR|",
                "response");
    }

    private int largest() {
        int largest = 0;
        for (int i = 1; i < epsilons.length; i++) {
            largest = Math.abs(epsilons[i]) > Math.abs(epsilons[largest]) ? i : largest;
        }
        return largest;
    }

    void write(Decoding words) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Site", tables.place());
        source.describe(facts);
        facts.put("|R| at the site", Numbers.format("%.4g", response.sourceNorm()));
        int i = largest();
        ReportPage page = Reports.page(
                        job, "Propagation", "How the response to a source at " + tables.place() + " spreads", facts)
                .chart(
                        "first-order",
                        map(
                                "Response to first order",
                                "Norm of the tangent dR[l'][t'] to a source of length 1. Sites outside of the source's causal cone are"
                                        + " blank: they are exactly zero.",
                                response.tangent().norms()))
                .chart(
                        "measured",
                        map(
                                "Measured change for each unit of the source, at epsilon = "
                                        + Numbers.format("%.3g", epsilons[i]),
                                "Norm of the whole change of the stream when epsilon |R| u is added, divided by |epsilon| |R|, the length of"
                                        + " that source. It differs from first order by "
                                        + Numbers.format("%.2g", response.nonlinearity(i))
                                        + " of its length over all sites but the source's.",
                                eachUnit(
                                        response.measured().get(i).norms(),
                                        Math.abs(epsilons[i]) * response.sourceNorm())));
        if (settings.randoms() > 0) {
            page.chart(
                    "random",
                    map(
                            "Random directions at the same site",
                            "Root mean square over " + settings.randoms()
                                    + " random directions of the norm of the tangent, for sources of length 1.",
                            meanRandom()));
        }
        if (control != null) {
            page.chart(
                    "untrained",
                    map(
                            "The untrained control",
                            "Norm of the tangent to the same unit vector at the same site in the same configuration with random weights,"
                                    + " seed " + job.seed() + ".",
                            control.tangent().norms()));
        }
        if (response.site().depth() < layers) {
            page.chart(
                    "token-share",
                    overDepth(Measure.TOKEN_SHARE, "The part of |dR|^2 that has left the source's token."));
            page.chart(
                    "displacement",
                    overDepth(
                            Measure.DISPLACEMENT,
                            "Mean number of tokens that the response has moved, weighted by |dR|^2."));
            page.chart(
                    "participation",
                    overDepth(
                            Measure.PARTICIPATION,
                            "Effective number of tokens that share |dR|^2: 1 for one, all if spread evenly."));
            List<List<String>> rows = tables.table();
            page.table(
                    "Source / mean of the random directions" + (control == null ? "." : " / untrained control."),
                    PropagateTables.header(),
                    Tables.tail(rows));
        }
        List<List<String>> rows = tables.nonlinearity();
        page.table("How far measured changes are from first order.", PropagateTables.NONLINEARITY, Tables.tail(rows));
        words.addTo(page);
        job.report(page);
    }

    private static double[][] eachUnit(double[][] norms, double length) {
        return Arrays.stream(norms)
                .map(row -> Arrays.stream(row).map(v -> v / length).toArray())
                .toArray(double[][]::new);
    }

    private double[][] meanRandom() {
        double[][][] random = response.randomNorms();
        double[][] mean = new double[layers + 1][random[0][0].length];
        for (int l = 0; l <= layers; l++) {
            for (int t = 0; t < mean[l].length; t++) {
                double sum = 0;
                for (double[][] one : random) {
                    sum += one[l][t] * one[l][t];
                }
                mean[l][t] = Math.sqrt(sum / random.length);
            }
        }
        return mean;
    }

    private Chart overDepth(Measure measure, String caption) {
        int first = response.site().depth() + 1;
        int count = layers + 1 - first;
        double[] depth = new double[count];
        double[][] values = new double[5][count];
        for (int j = 0; j < count; j++) {
            depth[j] = first + j;
            Compared compared = response.compared(measure, first + j);
            values[0][j] = compared.value();
            values[1][j] = compared.random().value();
            values[2][j] = compared.random().low();
            values[3][j] = compared.random().high();
            values[4][j] = control == null ? Double.NaN : control.tangent(measure, first + j);
        }
        List<LineChart.Series> series = new ArrayList<>();
        series.add(new LineChart.Series(source.direction(), depth, values[0]));
        if (settings.randoms() > 0) {
            series.add(new LineChart.Series("random directions, mean", depth, values[1]));
            series.add(new LineChart.Series("95 % interval, low", depth, values[2], 1));
            series.add(new LineChart.Series("95 % interval, high", depth, values[3], 1));
        }
        if (control != null) {
            series.add(new LineChart.Series("untrained control", depth, values[4]));
        }
        String name = PropagateTables.name(measure).replace('_', ' ');
        return new LineChart(
                Character.toUpperCase(name.charAt(0)) + name.substring(1) + " by depth",
                caption
                        + (settings.randoms() > 0
                                ? " The interval is a percentile bootstrap interval of the mean over the random directions."
                                : ""),
                "depth",
                name,
                false,
                false,
                series);
    }
}
