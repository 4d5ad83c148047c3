package dev.greenfield.cli.transfer;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lattice.Site;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.transfer.AmplitudeCurves;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What {@code transfer} prints and draws. */
final class TransferFigures {
    private static final int SHOWN = 10;
    private static final int CURVES = 6;

    private final Job job;
    private final DisplacementTransfer transfer;
    private final AmplitudeCurves curves;
    private final double[] alphas;
    private final int at; // the amplitude that maps and tables are of
    private final String amplitude;
    private final double[][] sites;

    TransferFigures(Job job, DisplacementTransfer transfer, AmplitudeCurves curves) {
        this.job = job;
        this.transfer = transfer;
        this.curves = curves;
        this.alphas = curves.alphas();
        this.at = curves.nearestToOne();
        this.amplitude = "alpha = " + plain(alphas[at]);
        this.sites = curves.sites()[at];
    }

    void show(String corrupt) {
        String change = Numbers.format("%.4f", transfer.fullChange());
        Summary.heatMap(
                job,
                "achieved fraction of the full change by single sites, " + amplitude,
                sites,
                HeatMap.Scale.DIVERGING);
        List<List<String>> strongest = siteRows();
        List<List<String>> together = topRows();
        Tables.print(
                job.terminal(),
                "single sites that achieve most, " + amplitude + "; the full change is " + change,
                strongest);
        Tables.print(
                job.terminal(),
                "the n leading sites between the first and the last depth together, " + amplitude,
                together);
        Tables.print(job.terminal(), "all tokens of a depth together, fraction at each alpha", sliceRows());
        if (!job.writes()) {
            return;
        }
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Corrupt prompt", corrupt);
        facts.put("Full change of F", change);
        job.report(Reports.page(
                        job,
                        "Displacement transfer",
                        "How much of the way to the other prompt's answer parts of the displacement go",
                        facts)
                .chart(
                        "sites",
                        Reports.overSites(
                                job,
                                "Achieved fraction by single sites",
                                "The change of F with the residual at one site replaced by own + alpha (donor - own), "
                                        + amplitude
                                        + ", as a fraction of the full change F(corrupt) - F(prompt). 1 is the corrupt prompt's F.",
                                sites,
                                HeatMap.Scale.DIVERGING,
                                "fraction"))
                .chart(
                        "sites-by-amplitude",
                        overAlpha(
                                "Single sites by amplitude",
                                "The " + CURVES + " sites that achieve most at " + amplitude
                                        + ". A straight line is first order.",
                                siteCurves()))
                .chart(
                        "depths-by-amplitude",
                        overAlpha(
                                "Whole depths by amplitude",
                                "All tokens of a depth together. At alpha = 1 that is the corrupt prompt's run from there on, so that"
                                        + " every curve goes through (0, 0) and (1, 1).",
                                sliceCurves()))
                .chart(
                        "tokens-by-amplitude",
                        overAlpha(
                                "Tokens at all depths by amplitude",
                                "A token's residuals at every depth replaced together, at the tokens that achieve most at "
                                        + amplitude
                                        + ". The token where F is read reaches 1 at alpha = 1, since F is read there.",
                                columnCurves()))
                .chart(
                        "leading-sites",
                        new LineChart(
                                "The leading sites together",
                                "The n leading sites between the first and the last depth, by predicted change and by"
                                        + " sensitivity, replaced in one run, " + amplitude
                                        + ".",
                                "number of sites n",
                                "achieved fraction",
                                false,
                                false,
                                List.of(
                                        topCurve("by predicted change", Ranking.PREDICTED),
                                        topCurve("by sensitivity", Ranking.SENSITIVITY))))
                .table(
                        "The single sites that achieve most, " + amplitude + ".",
                        strongest.get(0),
                        Tables.tail(strongest))
                .table("The n leading sites together, " + amplitude + ".", together.get(0), Tables.tail(together)));
    }

    private static String plain(double alpha) {
        return BigDecimal.valueOf(alpha).stripTrailingZeros().toPlainString();
    }

    private List<List<String>> siteRows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("depth", "token", "achieved", "predicted", "F", "flips"));
        double[][] predicted = transfer.predicted();
        for (Sites.Ranked site : Sites.largest(sites, SHOWN)) {
            double first = transfer.achieved(alphas[at] * predicted[site.depth()][site.token()]);
            rows.add(List.of(
                    Integer.toString(site.depth()),
                    job.labels().get(site.token()),
                    Numbers.format("%.4f", site.value()),
                    Numbers.format("%.4f", first),
                    Numbers.format("%.4f", transfer.value() + site.value() * transfer.fullChange()),
                    flips(site.value())));
        }
        return rows;
    }

    private String flips(double achieved) {
        return !transfer.hasAnswer() ? "-" : curves.flips(achieved) ? "yes" : "no";
    }

    private List<List<String>> topRows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("n", "site by prediction", "achieved", "flips", "site by sensitivity", "achieved", "flips"));
        double[] predicted = curves.top(Ranking.PREDICTED)[at];
        double[] sensitivity = curves.top(Ranking.SENSITIVITY)[at];
        for (int n = 0; n < Math.min(SHOWN, predicted.length); n++) {
            rows.add(List.of(
                    Integer.toString(n + 1),
                    name(curves.leading(Ranking.PREDICTED).get(n)),
                    Numbers.format("%.4f", predicted[n]),
                    flips(predicted[n]),
                    name(curves.leading(Ranking.SENSITIVITY).get(n)),
                    Numbers.format("%.4f", sensitivity[n]),
                    flips(sensitivity[n])));
        }
        return rows;
    }

    private List<List<String>> sliceRows() {
        List<List<String>> rows = new ArrayList<>();
        List<String> heading = new ArrayList<>(List.of("depth"));
        for (double alpha : alphas) {
            heading.add(plain(alpha));
        }
        rows.add(heading);
        double[][] slices = curves.slices();
        for (int l = 0; l < slices[0].length; l++) {
            List<String> row = new ArrayList<>(List.of(Integer.toString(l)));
            for (double[] slice : slices) {
                row.add(Numbers.format("%.4f", slice[l]));
            }
            rows.add(row);
        }
        return rows;
    }

    private String name(Site site) {
        return "depth " + site.depth() + ", " + job.labels().get(site.token());
    }

    private LineChart overAlpha(String title, String caption, List<LineChart.Series> series) {
        return new LineChart(title, caption, "amplitude alpha", "achieved fraction", false, false, series);
    }

    private List<LineChart.Series> siteCurves() {
        double[][][] all = curves.sites();
        return Sites.largest(sites, CURVES).stream()
                .map(s -> series(
                        name(Site.of(s.depth(), s.token())),
                        IntStream.range(0, alphas.length)
                                .mapToDouble(a -> all[a][s.depth()][s.token()])
                                .toArray()))
                .toList();
    }

    private List<LineChart.Series> sliceCurves() {
        double[][] slices = curves.slices();
        int depths = slices[0].length;
        // Of deep models every so-many-th depth: a dozen curves can still be told apart.
        int step = Math.max(1, (depths + CURVES - 1) / (2 * CURVES));
        return IntStream.range(0, depths)
                .filter(l -> l % step == 0 || l == depths - 1)
                .mapToObj(l -> series("depth " + l, part(slices, l)))
                .toList();
    }

    private List<LineChart.Series> columnCurves() {
        double[][] columns = curves.columns();
        return IntStream.range(0, columns[at].length)
                .boxed()
                .filter(t -> columns[at][t] != 0)
                .sorted(Comparator.comparingDouble(t -> -Math.abs(columns[at][t])))
                .limit(CURVES)
                .map(t -> series(job.labels().get(t), part(columns, t)))
                .toList();
    }

    private static double[] part(double[][] values, int index) {
        return IntStream.range(0, values.length)
                .mapToDouble(a -> values[a][index])
                .toArray();
    }

    /** A curve over amplitudes, drawn from the smallest up in whatever order they were given. */
    private LineChart.Series series(String name, double[] values) {
        int[] order = IntStream.range(0, alphas.length)
                .boxed()
                .sorted(Comparator.comparingDouble(a -> alphas[a]))
                .mapToInt(a -> a)
                .toArray();
        return new LineChart.Series(
                name,
                IntStream.of(order).mapToDouble(a -> alphas[a]).toArray(),
                IntStream.of(order).mapToDouble(a -> values[a]).toArray());
    }

    private LineChart.Series topCurve(String name, Ranking by) {
        double[] achieved = curves.top(by)[at];
        // No site achieves nothing: the curve begins where its axis does.
        double[] n = IntStream.rangeClosed(0, achieved.length).asDoubleStream().toArray();
        double[] from = new double[n.length];
        System.arraycopy(achieved, 0, from, 1, achieved.length);
        return new LineChart.Series(name, n, from);
    }
}
