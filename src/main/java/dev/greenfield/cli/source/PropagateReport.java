package dev.greenfield.cli.source;

import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lattice.Field;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.propagation.SourcePropagation.Compared;
import dev.greenfield.propagation.SourcePropagation.Measure;
import dev.greenfield.report.HeatMap;
import dev.greenfield.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
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
    private final PropagateTables tables;

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
        this.tables = new PropagateTables(job, response, control);
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
            new PropagatePage(job, source, response, control, settings, tables).write(words);
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
            fields.put(PropagateTables.name(measure), one);
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
                one.put(PropagateTables.name(measure), number(measure, response.measured(i, measure, l)));
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
                one.put(PropagateTables.name(measure), numbers);
            }
            depths.add(one);
        }
        return depths;
    }

    private void print() {
        Summary.heatMap(
                job,
                "|dR| at every site, to first order, for a source of length 1 at " + tables.place() + " along "
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
                tables.table());
        Tables.print(job.terminal(), "how far measured changes are from first order", tables.nonlinearity());
    }

    /** The norms with everything outside of the causal cone left blank. */
    private double[][] cone(double[][] norms) {
        int depth = response.site().depth();
        int token = response.site().token();
        double[][] cone = Reports.blankOutside(norms, depth, token);
        Arrays.fill(cone[depth], token + 1, cone[depth].length, Double.NaN);
        return cone;
    }
}
