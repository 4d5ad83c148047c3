package dev.greenfield.cli.source;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lattice.Field;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.propagation.SourcePropagation.Compared;
import dev.greenfield.propagation.SourcePropagation.Measure;
import dev.greenfield.report.Chart;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the propagate command writes and shows. */
final class PropagateReport {
    private final Job job;
    private final SourceOptions source;
    private final SourcePropagation response;
    private final SourcePropagation control; // or null
    private final SourcePropagation.Settings settings;
    private final double[] epsilons;
    private final int layers;

    PropagateReport(
            Job job,
            SourceOptions source,
            SourcePropagation response,
            SourcePropagation control,
            SourcePropagation.Settings settings) {
        this.job = job;
        this.source = source;
        this.response = response;
        this.control = control;
        this.settings = settings;
        this.epsilons = response.amplitudes();
        this.layers = response.tangent().depths() - 1;
    }

    void write(Decoding words) {
        tensors();
        job.result("field_norm", response.sourceNorm());
        job.result("front_fraction", settings.front());
        job.result("randoms", settings.randoms());
        job.result("cone_sites", response.coneSites());
        job.result("outside_cone", response.outsideCone());
        List<Object> depths = new ArrayList<>();
        for (int l = response.site().depth() + 1; l <= layers; l++) {
            depths.add(depth(l));
        }
        job.result("depths", depths);
        List<Object> measured = new ArrayList<>();
        for (int i = 0; i < epsilons.length; i++) {
            measured.add(amplitude(i));
        }
        job.result("measured", measured);
        if (control != null) {
            Map<String, Object> untrained = new LinkedHashMap<>();
            untrained.put("seed", job.seed());
            untrained.put("depths", controlDepths(control));
            job.result("control", untrained);
        }
        print();
        words.print();
        if (job.writes()) {
            page(words);
        }
    }

    private void tensors() {
        Field tangent = response.tangent();
        int tokens = tangent.tokens();
        int width = tangent.width();
        job.tensors().add("response", tangent.toArray(), layers + 1, tokens, width);
        job.tensors().add("response.norm", tangent.norms());
        job.tensors().add("response.epsilon", epsilons, epsilons.length);
        int size = (layers + 1) * tokens;
        double[] measured = new double[Math.multiplyExact(epsilons.length, size * width)];
        double[] norms = new double[epsilons.length * size];
        for (int i = 0; i < epsilons.length; i++) {
            Field change = response.measured().get(i);
            System.arraycopy(change.toArray(), 0, measured, i * size * width, size * width);
            copy(change.norms(), norms, i * size);
        }
        job.tensors().add("response.measured", measured, epsilons.length, layers + 1, tokens, width);
        job.tensors().add("response.measured.norm", norms, epsilons.length, layers + 1, tokens);
        double[][][] random = response.randomNorms();
        double[] all = new double[random.length * size];
        for (int k = 0; k < random.length; k++) {
            copy(random[k], all, k * size);
        }
        if (random.length > 0) {
            job.tensors().add("random.norm", all, random.length, layers + 1, tokens);
        }
        if (control != null) {
            job.tensors().add("control.norm", control.tangent().norms());
        }
    }

    private static void copy(double[][] from, double[] to, int at) {
        for (int l = 0; l < from.length; l++) {
            System.arraycopy(from[l], 0, to, at + l * from[l].length, from[l].length);
        }
    }

    /** A front of one source is a number of tokens. */
    private static Number number(Measure measure, double value) {
        if (measure == Measure.FRONT && Double.isFinite(value)) {
            return Math.round(value);
        }
        return value;
    }

    private static String name(Measure measure) {
        return measure.name().toLowerCase(Locale.ROOT);
    }

    private Map<String, Object> depth(int l) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("depth", l);
        for (Measure measure : Measure.values()) {
            Compared compared = response.compared(measure, l);
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("value", number(measure, compared.value()));
            one.put("random_mean", compared.random().value());
            one.put("random_low", compared.random().low());
            one.put("random_high", compared.random().high());
            one.put("random_below", compared.below());
            fields.put(name(measure), one);
        }
        return fields;
    }

    private Map<String, Object> amplitude(int i) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("epsilon", epsilons[i]);
        fields.put("nonlinearity", response.nonlinearity(i));
        List<Object> depths = new ArrayList<>();
        for (int l = response.site().depth() + 1; l <= layers; l++) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("depth", l);
            for (Measure measure : Measure.values()) {
                one.put(name(measure), number(measure, response.measured(i, measure, l)));
            }
            depths.add(one);
        }
        fields.put("depths", depths);
        return fields;
    }

    /** Of the control its own response beside that of random directions there. */
    private List<Object> controlDepths(SourcePropagation of) {
        List<Object> depths = new ArrayList<>();
        for (int l = of.site().depth() + 1; l <= layers; l++) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("depth", l);
            for (Measure measure : Measure.values()) {
                Estimate random = of.compared(measure, l).random();
                Map<String, Object> numbers = new LinkedHashMap<>();
                numbers.put("value", number(measure, of.tangent(measure, l)));
                numbers.put("random_mean", random.value());
                numbers.put("random_low", random.low());
                numbers.put("random_high", random.high());
                one.put(name(measure), numbers);
            }
            depths.add(one);
        }
        return depths;
    }

    private String place() {
        return "(depth " + response.site().depth() + ", token "
                + job.labels().get(response.site().token()) + ")";
    }

    private void print() {
        Summary.heatMap(
                job,
                "|dR| at every site, to first order, for a source of length 1 at " + place() + " along "
                        + source.direction(),
                cone(response.tangent().norms()),
                HeatMap.Scale.LOG);
        if (response.site().depth() == layers) {
            job.terminal().line("");
            job.terminal().line("the source is at the last depth: there is nowhere to spread");
            return;
        }
        Tables.print(
                job.terminal(),
                "spread over tokens by depth: source / mean of " + settings.randoms() + " random directions"
                        + (control == null ? "" : " / untrained control"),
                table());
        Tables.print(job.terminal(), "how far measured changes are from first order", nonlinearity());
    }

    private static final List<Measure> SHOWN = List.of(
            Measure.NORM,
            Measure.TOKEN_SHARE,
            Measure.DISPLACEMENT,
            Measure.FRONT,
            Measure.NORMALIZED_ENTROPY,
            Measure.PARTICIPATION,
            Measure.DECAY_EXPONENT);

    private static List<String> header() {
        List<String> header = new ArrayList<>(List.of("depth"));
        SHOWN.forEach(measure -> header.add(name(measure).replace('_', ' ')));
        return header;
    }

    private List<List<String>> table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(header());
        for (int l = response.site().depth() + 1; l <= layers; l++) {
            List<String> row = new ArrayList<>(List.of(Integer.toString(l)));
            for (Measure measure : SHOWN) {
                Compared compared = response.compared(measure, l);
                row.add(Numbers.three(compared.value()) + " / "
                        + Numbers.three(compared.random().value())
                        + (control == null ? "" : " / " + Numbers.three(control.tangent(measure, l))));
            }
            rows.add(row);
        }
        return rows;
    }

    private static final List<String> NONLINEARITY = List.of("epsilon", "|measured - first order| / |measured|");

    private List<List<String>> nonlinearity() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(NONLINEARITY);
        for (int i = 0; i < epsilons.length; i++) {
            rows.add(List.of(Numbers.format("%.3g", epsilons[i]), Numbers.format("%.2g", response.nonlinearity(i))));
        }
        return rows;
    }

    /** The norms with everything outside of the causal cone left blank. */
    private double[][] cone(double[][] norms) {
        int depth = response.site().depth();
        int token = response.site().token();
        double[][] cone = Reports.blankOutside(norms, depth, token);
        Arrays.fill(cone[depth], token + 1, cone[depth].length, Double.NaN);
        return cone;
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

    private void page(Decoding words) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Site", place());
        source.describe(facts);
        facts.put("|R| at the site", Numbers.format("%.4g", response.sourceNorm()));
        int i = largest();
        ReportPage page = Reports.page(
                        job, "Propagation", "How the response to a source at " + place() + " spreads", facts)
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
            List<List<String>> rows = table();
            page.table(
                    "Source / mean of the random directions" + (control == null ? "." : " / untrained control."),
                    header(),
                    rows.subList(1, rows.size()));
        }
        List<List<String>> rows = nonlinearity();
        page.table("How far measured changes are from first order.", NONLINEARITY, rows.subList(1, rows.size()));
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
        String name = name(measure).replace('_', ' ');
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
