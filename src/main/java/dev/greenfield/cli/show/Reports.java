package dev.greenfield.cli.show;

import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.ModelJob;
import dev.greenfield.report.Chart;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ScatterChart;
import dev.greenfield.report.SiteCharts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The pages and figures that commands share. */
public final class Reports {
    private Reports() {}

    /** A page that says where its numbers come from. */
    public static ReportPage page(ModelJob job, String title, String subtitle, Map<String, String> more) {
        Map<String, String> facts = job.facts();
        facts.putAll(more);
        return new ReportPage(title, subtitle).named(job.command()).facts(facts);
    }

    /** A map over depths (upward) and the prompt's tokens. */
    public static Chart overSites(
            Job job, String title, String caption, double[][] values, HeatMap.Scale scale, String valueName) {
        return new HeatMap(title, caption, Sites.depths(values.length), job.labels(), values, scale, valueName);
    }

    /** Likewise one of several maps of signed changes that are to be compared: those that share the name of their values. */
    public static Chart compared(Job job, String title, String caption, double[][] values, String valueName) {
        return new HeatMap(
                title,
                caption,
                Sites.depths(values.length),
                job.labels(),
                values,
                HeatMap.Scale.DIVERGING,
                valueName,
                valueName);
    }

    /** The map with cells that are zero by structure left blank: depths below {@code depth}, tokens before {@code token}. */
    public static double[][] blankOutside(double[][] values, int depth, int token) {
        double[][] blanked = new double[values.length][];
        for (int l = 0; l < values.length; l++) {
            blanked[l] = values[l].clone();
            for (int t = 0; t < blanked[l].length; t++) {
                if (l < depth || t < token) {
                    blanked[l][t] = Double.NaN;
                }
            }
        }
        return blanked;
    }

    /** Predicted against measured changes, one point for each site where either is not zero. */
    public static Chart predictedAgainstMeasured(Job job, double[][] predicted, double[][] measured, String caption) {
        return predictedAgainstMeasured(job, Sites.depths(predicted.length), predicted, measured, caption);
    }

    /** Likewise of rows that are no depths. */
    public static Chart predictedAgainstMeasured(
            Job job, List<String> rows, double[][] predicted, double[][] measured, String caption) {
        return points(job, "First-order prediction against measurement", rows, predicted, measured, caption);
    }

    /** Likewise under another title. */
    public static Chart predictedAgainstMeasured(
            Job job, String title, double[][] predicted, double[][] measured, String caption) {
        return points(job, title, Sites.depths(predicted.length), predicted, measured, caption);
    }

    private static Chart points(
            Job job, String title, List<String> rows, double[][] predicted, double[][] measured, String caption) {
        List<String> tokens = job.labels();
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        for (int l = 0; l < predicted.length; l++) {
            for (int t = 0; t < predicted[l].length; t++) {
                if (predicted[l][t] != 0 || measured[l][t] != 0) {
                    x.add(predicted[l][t]);
                    y.add(measured[l][t]);
                    labels.add(rows.get(l) + ", token " + tokens.get(t));
                }
            }
        }
        return new ScatterChart(
                title,
                caption,
                "predicted change of F",
                "measured change of F",
                x.stream().mapToDouble(Double::doubleValue).toArray(),
                y.stream().mapToDouble(Double::doubleValue).toArray(),
                labels,
                true);
    }

    /** The fraction of an operator's energy that its leading singular values hold. */
    public static Chart energy(double[] curve, String caption) {
        // Rank 0 captures nothing: the curve begins where its axis does.
        double[] rank = new double[curve.length + 1];
        double[] captured = new double[curve.length + 1];
        for (int k = 1; k < rank.length; k++) {
            rank[k] = k;
            captured[k] = curve[k - 1];
        }
        return new LineChart(
                "Energy of the leading directions",
                caption,
                "rank k",
                "captured fraction",
                false,
                false,
                List.of(new LineChart.Series("captured by rank k", rank, captured)));
    }

    /** The map of the norms of a sensitivity. */
    public static Chart sensitivity(Job job, double[][] norms) {
        return SiteCharts.sensitivity(Sites.depths(norms.length), job.labels(), norms);
    }
}
