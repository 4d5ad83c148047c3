package dev.greenfield.cli.source;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.regime.FlagAgreement;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.Radius;
import dev.greenfield.regime.RegimeMap;
import dev.greenfield.report.Chart;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ScatterChart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import org.apache.commons.statistics.descriptive.Median;

/** What the regime command writes and shows of all sites. */
final class RegimeMapReport {
    private static final String COMPARED = "radius"; // the maps that share their colours

    /** Predicted radii within this factor of the measured count as right. */
    private static final double FACTOR = 2;
    /** The tolerance that is drawn: 10 %, or the middle one of others. */
    private static final double SHOWN = 0.1;

    private final Job job;
    private final SourceOptions source;
    private final RegimeMap map;
    private final double[] tolerances;

    RegimeMapReport(Job job, SourceOptions source, RegimeMap map) {
        this.job = job;
        this.source = source;
        this.map = map;
        this.tolerances = map.grid().tolerances();
    }

    void write() {
        tensors();
        Map<String, Object> radii = new LinkedHashMap<>();
        Map<String, Object> flags = new LinkedHashMap<>();
        List<FlagAgreement> agreements = new ArrayList<>();
        for (int i = 0; i < tolerances.length; i++) {
            radii.put(Double.toString(tolerances[i]), distribution(i));
            FlagAgreement agreement = map.agreement(i, FACTOR);
            agreements.add(agreement);
            flags.put(Double.toString(tolerances[i]), fields(agreement));
        }
        job.result("sites", map.regimes().size());
        job.result("noise_floor", map.regimes().get(0).noise());
        job.result("radius", radii);
        job.result("flag", flags);
        print(agreements);
        if (job.writes()) {
            page(agreements);
        }
    }

    private void tensors() {
        double[] amplitudes = map.grid().amplitudes();
        stack("radius.map", tolerances.length, map::radius);
        stack("radius.predicted", tolerances.length, map::predictedRadius);
        stack("radius.low", tolerances.length, i -> map.values(r -> r.radius(i).low()));
        stack("radius.high", tolerances.length, i -> map.values(r -> r.radius(i).high()));
        job.tensors().add("regime.slope", map.values(LinearRegime::slope));
        job.tensors().add("regime.curvature", map.values(LinearRegime::curvature));
        job.tensors().add("sweep.epsilon", amplitudes, amplitudes.length);
        stack("sweep.measured", amplitudes.length, i -> map.values(r -> r.measured()[i]));
        stack("sweep.opposite", amplitudes.length, i -> map.values(r -> r.opposite()[i]));
        stack("sweep.predicted", amplitudes.length, i -> map.values(r -> r.predicted(amplitudes[i])));
    }

    /** Maps one after another, as [count, levels, T]. */
    private void stack(String name, int count, IntFunction<double[][]> maps) {
        int size = map.levels() * map.tokens();
        double[] values = new double[count * size];
        for (int i = 0; i < count; i++) {
            double[][] one = maps.apply(i);
            for (int l = 0; l < one.length; l++) {
                System.arraycopy(one[l], 0, values, i * size + l * map.tokens(), map.tokens());
            }
        }
        job.tensors().add(name, values, count, map.levels(), map.tokens());
    }

    /** How the radii of all sites lie: their number by kind, and the median with those above and below in their places. */
    private Map<String, Object> distribution(int i) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("median", median(i));
        for (Radius.Kind kind : Radius.Kind.values()) {
            fields.put(kind.name().toLowerCase(Locale.ROOT), count(i, kind));
        }
        return fields;
    }

    private long count(int i, Radius.Kind kind) {
        return map.regimes().stream().filter(r -> r.radius(i).kind() == kind).count();
    }

    /** Infinite, or 0, where half of the radii are above, or below, what was measured; NaN where none is known. */
    private double median(int i) {
        double[] known = map.regimes().stream()
                .mapToDouble(r -> r.radius(i).value())
                .filter(r -> !Double.isNaN(r))
                .toArray();
        return known.length == 0 ? Double.NaN : Median.withDefaults().evaluate(known);
    }

    private static Map<String, Object> fields(FlagAgreement flag) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("factor", flag.factor());
        fields.put("sites", flag.sources());
        fields.put("within_factor", flag.agree());
        fields.put("found", flag.found());
        fields.put("found_within_factor", flag.foundAgree());
        fields.put("median_ratio", flag.medianRatio());
        List<Object> verdicts = new ArrayList<>();
        for (FlagAgreement.AtAmplitude at : flag.amplitudes()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("epsilon", at.amplitude());
            one.put("sites", at.sources());
            one.put("reliable", at.reliable());
            one.put("agree", at.agree());
            one.put("falsely_reliable", at.falselyReliable());
            one.put("falsely_unreliable", at.falselyUnreliable());
            verdicts.add(one);
        }
        fields.put(
                "least_agreement",
                flag.worst().map(FlagAgreement.AtAmplitude::rate).orElse(Double.NaN));
        fields.put("verdicts", verdicts);
        return fields;
    }

    private int shown() {
        int i = Arrays.binarySearch(tolerances, SHOWN);
        return i >= 0 ? i : tolerances.length / 2;
    }

    private List<String> labels() {
        return Sites.levels(map.levels(), map.halfDepths());
    }

    private void print(List<FlagAgreement> agreements) {
        int i = shown();
        if (!map.halfDepths()) {
            Summary.heatMap(
                    job,
                    "amplitude (part of |R|) from which on first order is off by more than "
                            + Numbers.percent(tolerances[i]) + ", direction " + source.direction(),
                    map.radius(i),
                    HeatMap.Scale.LOG);
        }
        Tables.print(job.terminal(), "radii of " + map.regimes().size() + " sites", radii());
        Tables.print(
                job.terminal(),
                "the reliability flag: radii from F' and F'' against those measured, and its verdicts at all amplitudes",
                flags(agreements));
    }

    private static final List<String> RADII = List.of("q", "median", "found", "above", "below", "not measurable");

    private List<List<String>> radii() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(RADII);
        double[] amplitudes = map.grid().amplitudes();
        for (int i = 0; i < tolerances.length; i++) {
            double median = median(i);
            rows.add(List.of(
                    Numbers.percent(tolerances[i]),
                    Double.isInfinite(median)
                            ? "> " + Numbers.format("%.3g", amplitudes[amplitudes.length - 1])
                            : median == 0 ? "below" : Numbers.three(median),
                    Long.toString(count(i, Radius.Kind.FOUND)),
                    Long.toString(count(i, Radius.Kind.ABOVE)),
                    Long.toString(count(i, Radius.Kind.BELOW)),
                    Long.toString(count(i, Radius.Kind.UNKNOWN))));
        }
        return rows;
    }

    private static final List<String> FLAGS = List.of(
            "q",
            "radii found",
            "within a factor of 2",
            "median predicted / measured",
            "verdicts",
            "right",
            "falsely reliable",
            "right at worst");

    private static List<List<String>> flags(List<FlagAgreement> agreements) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(FLAGS);
        for (FlagAgreement flag : agreements) {
            int verdicts = flag.amplitudes().stream()
                    .mapToInt(FlagAgreement.AtAmplitude::sources)
                    .sum();
            int right = flag.amplitudes().stream()
                    .mapToInt(FlagAgreement.AtAmplitude::agree)
                    .sum();
            int falsely = flag.amplitudes().stream()
                    .mapToInt(FlagAgreement.AtAmplitude::falselyReliable)
                    .sum();
            rows.add(List.of(
                    Numbers.percent(flag.tolerance()),
                    Integer.toString(flag.found()),
                    Integer.toString(flag.foundAgree()),
                    Numbers.three(flag.medianRatio()),
                    Integer.toString(verdicts),
                    Integer.toString(right),
                    Integer.toString(falsely),
                    flag.worst()
                            .map(at -> at.agree() + " of " + at.sources() + " at "
                                    + Numbers.format("%.2g", at.amplitude()))
                            .orElse("-")));
        }
        return rows;
    }

    private void page(List<FlagAgreement> agreements) {
        Map<String, String> facts = new LinkedHashMap<>();
        source.describe(facts);
        facts.put(
                "Noise floor of changes of F",
                Numbers.format("%.2g", map.regimes().get(0).noise()));
        int i = shown();
        String q = Numbers.percent(tolerances[i]);
        List<List<String>> radii = radii();
        List<List<String>> flags = flags(agreements);
        ReportPage page = Reports.page(job, "Linear regime", "How far first order holds at every site", facts)
                .chart(
                        "radius",
                        new HeatMap(
                                "Radius of the linear regime at " + q,
                                "The amplitude, as a part of the stream's norm at the site, from which on first order is off by more than "
                                        + q
                                        + " of the measured change of F, whichever sign comes first. Zero: off at the least"
                                        + " amplitude that could be measured. Infinity: not off at the largest, "
                                        + Numbers.format("%.3g", largest())
                                        + ". Blank: F cannot see the site, or there is no direction.",
                                labels(),
                                job.labels(),
                                map.radius(i),
                                HeatMap.Scale.LOG,
                                "radius / |R|",
                                COMPARED))
                .chart(
                        "radius-predicted",
                        new HeatMap(
                                "The radius that first and second order predict",
                                "2 q/(1+q) |F'| / |F''|, before anything is measured.",
                                labels(),
                                job.labels(),
                                map.predictedRadius(i),
                                HeatMap.Scale.LOG,
                                "radius / |R|",
                                COMPARED))
                .chart("radius-predicted-and-measured", scatter(i))
                .chart("flag", verdicts(agreements))
                .table("Radii by tolerance.", RADII, radii.subList(1, radii.size()))
                .table(
                        "The reliability flag. Verdicts are those at all amplitudes and sites where the change could be measured;"
                                + " far from the radii any flag is right, and the last column is the amplitude where it is right"
                                + " least often.",
                        FLAGS,
                        flags.subList(1, flags.size()));
        job.report(page);
    }

    private double largest() {
        double[] amplitudes = map.grid().amplitudes();
        return amplitudes[amplitudes.length - 1];
    }

    private Chart scatter(int i) {
        double[][] measured = map.radius(i);
        double[][] predicted = map.predictedRadius(i);
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        for (int l = 0; l < measured.length; l++) {
            for (int t = 0; t < measured[l].length; t++) {
                boolean drawn = measured[l][t] > 0 && predicted[l][t] > 0;
                if (drawn && Double.isFinite(measured[l][t]) && Double.isFinite(predicted[l][t])) {
                    x.add(Math.log10(predicted[l][t]));
                    y.add(Math.log10(measured[l][t]));
                    labels.add(labels().get(l) + ", token " + job.labels().get(t));
                }
            }
        }
        double[] logPredicted = x.stream().mapToDouble(Double::doubleValue).toArray();
        double[] logMeasured = y.stream().mapToDouble(Double::doubleValue).toArray();
        return new ScatterChart(
                "Predicted against measured radius",
                "One point a site whose radius was found, on logarithmic axes. On the dashed line the second order says all. Of the"
                        + " logarithms p and m: " + Agreement.ofPoints(logPredicted, logMeasured) + ".",
                "log10 of the predicted radius",
                "log10 of the measured radius",
                logPredicted,
                logMeasured,
                labels,
                true);
    }

    private Chart verdicts(List<FlagAgreement> agreements) {
        List<LineChart.Series> series = new ArrayList<>();
        for (FlagAgreement flag : agreements) {
            series.add(new LineChart.Series(
                    "q = " + Numbers.percent(flag.tolerance()),
                    map.grid().amplitudes(),
                    flag.amplitudes().stream()
                            .mapToDouble(FlagAgreement.AtAmplitude::rate)
                            .toArray()));
        }
        return new LineChart(
                "How often the flag is right",
                "The part of the sites, of those whose change could be measured, where first order is predicted reliable and is, or"
                        + " predicted unreliable and is off, by amplitude.",
                "epsilon",
                "part of the sites",
                true,
                false,
                series);
    }
}
