package dev.greenfield.cli.source;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.lattice.Site;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.Radius;
import dev.greenfield.report.Chart;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntFunction;

/** What the regime command writes and shows of one source. */
final class RegimeReport {
    private final Job job;
    private final SourceOptions source;
    private final Site site;
    private final LinearRegime regime;
    private final double[] epsilons; // as asked for, of either sign

    RegimeReport(Job job, SourceOptions source, Site site, LinearRegime regime, double[] epsilons) {
        this.job = job;
        this.source = source;
        this.site = site;
        this.regime = regime;
        this.epsilons = epsilons;
    }

    void write(Decoding words) {
        double[] vector = regime.source().vectors().get(site);
        double[] measured = at(epsilons);
        double[] opposite = at(Arrays.stream(epsilons).map(e -> -e).toArray());
        job.tensors().add("sweep.epsilon", epsilons, epsilons.length);
        job.tensors().add("sweep.measured", measured, epsilons.length);
        job.tensors().add("sweep.opposite", opposite, epsilons.length);
        job.tensors().add("sweep.predicted", map(regime::predicted), epsilons.length);
        job.tensors().add("sweep.second_order", map(regime::secondOrder), epsilons.length);
        job.tensors().add("sweep.source", vector, vector.length);
        job.result("slope", regime.slope());
        job.result("curvature", regime.curvature());
        job.result("noise_floor", regime.noise());
        radii("radius", regime::radius);
        radii("radius_positive", regime::positiveRadius);
        radii("radius_negative", regime::negativeRadius);
        Map<String, Object> predicted = new LinkedHashMap<>();
        for (double q : regime.grid().tolerances()) {
            predicted.put(Double.toString(q), regime.predictedRadius(q));
        }
        job.result("predicted_radius", predicted);
        print(measured);
        words.print();
        if (job.writes()) {
            page(words);
        }
    }

    private double[] map(DoubleUnaryOperator f) {
        return Arrays.stream(epsilons).map(f).toArray();
    }

    /** The relative error of first order; NaN where rounding may have made it. */
    private double error(double measured, double predicted) {
        double error = Math.abs(measured - predicted);
        return error < regime.noise() ? Double.NaN : error / Math.abs(measured);
    }

    private static String percent(double error) {
        return Double.isNaN(error) ? "-" : Numbers.format(error < 1 ? "%.2g %%" : "%.0f %%", 100 * error);
    }

    /** The measured changes at amplitudes of either sign. */
    private double[] at(double[] signed) {
        double[] grid = regime.grid().amplitudes();
        return Arrays.stream(signed)
                .map(e -> (e > 0 ? regime.measured() : regime.opposite())[Arrays.binarySearch(grid, Math.abs(e))])
                .toArray();
    }

    private void radii(String name, IntFunction<Radius> radius) {
        Map<String, Object> values = new LinkedHashMap<>();
        Map<String, Object> bounds = new LinkedHashMap<>();
        double[] tolerances = regime.grid().tolerances();
        for (int i = 0; i < tolerances.length; i++) {
            Radius r = radius.apply(i);
            values.put(Double.toString(tolerances[i]), r.kind() == Radius.Kind.FOUND ? r.value() : null);
            Map<String, Object> known = new LinkedHashMap<>();
            known.put("kind", r.kind().name().toLowerCase(Locale.ROOT));
            known.put("low", r.low());
            known.put("high", r.high());
            bounds.put(Double.toString(tolerances[i]), known);
        }
        job.result(name, values);
        job.result(name + "_bounds", bounds);
    }

    /** A radius in words: a number, or the bound that is known. */
    static String words(Radius radius) {
        return switch (radius.kind()) {
            case FOUND -> Numbers.format("%.3g", radius.value());
            case ABOVE -> "> " + Numbers.format("%.3g", radius.low());
            case BELOW -> "< " + Numbers.format("%.3g", radius.high());
            case UNKNOWN -> "-";
        };
    }

    private String place() {
        return Sites.named(site, job.labels());
    }

    private void print(double[] measured) {
        List<List<String>> sweep = new ArrayList<>();
        sweep.add(List.of("epsilon", "measured", "first order", "second order", "off by"));
        for (int i = 0; i < epsilons.length; i++) {
            double first = regime.predicted(epsilons[i]);
            sweep.add(List.of(
                    Numbers.format("%.3g", epsilons[i]),
                    Numbers.format("%.5g", measured[i]),
                    Numbers.format("%.5g", first),
                    Numbers.format("%.5g", regime.secondOrder(epsilons[i])),
                    percent(error(measured[i], first))));
        }
        Tables.print(
                job.terminal(),
                "change of F by a source at " + place() + " along " + source.direction()
                        + "; epsilon is its length as a part of |R| = "
                        + Numbers.format("%.4g", regime.source().norm()),
                sweep);
        Tables.print(job.terminal(), "first order is off by more than q from the amplitude (of either sign)", table());
        job.terminal().line("");
        job.terminal()
                .line("changes below " + Numbers.format("%.2g", regime.noise())
                        + " may be rounding; --backend reference computes in float64");
    }

    private static final List<String> HEADER =
            List.of("q", "measured", "positive", "negative", "predicted by second order");

    private List<List<String>> table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADER);
        double[] tolerances = regime.grid().tolerances();
        for (int i = 0; i < tolerances.length; i++) {
            rows.add(List.of(
                    Numbers.percent(tolerances[i]),
                    words(regime.radius(i)),
                    words(regime.positiveRadius(i)),
                    words(regime.negativeRadius(i)),
                    Numbers.three(regime.predictedRadius(tolerances[i]))));
        }
        return rows;
    }

    private void page(Decoding words) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Site", place());
        source.describe(facts);
        facts.put("|R| at the site", Numbers.format("%.4g", regime.source().norm()));
        facts.put("Noise floor of changes of F", Numbers.format("%.2g", regime.noise()));
        List<List<String>> rows = table();
        ReportPage page = Reports.page(
                        job, "Linear regime", "How far first order holds for a source at " + place(), facts)
                .chart("changes", changes())
                .chart("error", error())
                .table(
                        "The amplitude from which on first order is off by more than q of the measured change: of the sign"
                                + " that comes first, of each sign, and as F' and F'' predict it before anything is measured.",
                        HEADER,
                        Tables.tail(rows));
        words.addTo(page);
        job.report(page);
    }

    private Chart changes() {
        double[] a = regime.grid().amplitudes();
        List<LineChart.Series> series = List.of(
                new LineChart.Series("measured, +epsilon", a, absolute(regime.measured())),
                new LineChart.Series("measured, -epsilon", a, absolute(regime.opposite())),
                new LineChart.Series("second order, +epsilon", a, curve(regime::secondOrder, 1), 0),
                new LineChart.Series("second order, -epsilon", a, curve(regime::secondOrder, -1), 1),
                new LineChart.Series("first order", a, curve(regime::predicted, 1)));
        return new LineChart(
                "Change of F over the amplitude",
                "Absolute change of F when epsilon |R| u is added at the site, u the unit vector along the direction: measured with"
                        + " both signs, to second order (dashed), and to first order, a straight line. Slope "
                        + Numbers.format("%.4g", regime.slope()) + ", curvature "
                        + Numbers.format("%.4g", regime.curvature()) + ".",
                "epsilon",
                "|change of F|",
                true,
                true,
                series);
    }

    private double[] curve(DoubleUnaryOperator f, double sign) {
        return Arrays.stream(regime.grid().amplitudes())
                .map(a -> Math.abs(f.applyAsDouble(sign * a)))
                .toArray();
    }

    private static double[] absolute(double[] values) {
        return Arrays.stream(values).map(Math::abs).toArray();
    }

    private Chart error() {
        double[] a = regime.grid().amplitudes();
        return new LineChart(
                "Relative error of first order",
                "|measured - epsilon F'| / |measured|, left out where the difference is below the noise floor.",
                "epsilon",
                "relative error",
                true,
                true,
                List.of(
                        new LineChart.Series("+epsilon", a, errors(regime.measured(), 1)),
                        new LineChart.Series("-epsilon", a, errors(regime.opposite(), -1))));
    }

    private double[] errors(double[] measured, double sign) {
        double[] a = regime.grid().amplitudes();
        double[] errors = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            errors[i] = error(measured[i], regime.predicted(sign * a[i]));
        }
        return errors;
    }
}
