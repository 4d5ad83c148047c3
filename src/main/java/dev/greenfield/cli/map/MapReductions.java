package dev.greenfield.cli.map;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.DepthSpectra;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.Projections;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ResponseMapChart;
import dev.greenfield.response.SensitivityField;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** What the map command reduces beside norms: the gain on F through each target, and singular values between levels. */
final class MapReductions {
    private static final double CONFIDENCE = 0.95;

    @Option(
            names = "--through",
            description = "Also how much of the gain on F passes through each target; needs --answer.",
            order = -1)
    private boolean through;

    @Option(
            names = "--spectra",
            paramLabel = "K",
            description = "Also the K leading singular values between every two depths.",
            order = -1)
    private String spectra;

    private int rank;
    private SensitivityField sensitivity;
    private DepthSpectra found;
    private double[][] energy; // [levels, levels]
    private ResponseMap map;
    private Projections gain; // null unless asked for

    /** Refuses what can be seen to be wrong without a model. */
    void check(CommonOptions common) {
        if (through && common.answer == null) {
            throw new InputException("--through without --answer: give the answer whose gain is meant");
        }
        rank = spectra == null
                ? 0
                : Quantities.atLeast("--spectra", spectra, 1, "a number of singular values, at least 1");
    }

    /** Refuses to be asked of every prompt of a suite. */
    void refuseSuite() {
        if (through || spectra != null) {
            throw new InputException("both --suite and " + (through ? "--through" : "--spectra")
                    + " are given: that is of one prompt, give --prompt instead of --suite");
        }
    }

    /** Says what they came to. */
    void options(Job job) {
        job.option("through", through);
        job.option("spectra", rank == 0 ? null : rank);
    }

    /** Pairs of depths whose singular values had not settled. */
    private List<Map<String, Number>> unsettled() {
        int halves = map.halfDepths() ? 1 : 2;
        return found.unsettled().stream()
                .map(pair -> {
                    Map<String, Number> depths = new LinkedHashMap<>();
                    depths.put("from_depth", Numbers.half(halves * pair[0]));
                    depths.put("to_depth", Numbers.half(halves * pair[1]));
                    return depths;
                })
                .toList();
    }

    /** The sensitivity of F to every site, computed once; null without an answer. */
    SensitivityField sensitivity(Job job) {
        if (sensitivity == null && job.observable() != null) {
            sensitivity = job.timed("sensitivity", () -> job.run().sensitivity(job.observable()));
        }
        return sensitivity;
    }

    /** Asks for what the map itself has to carry. */
    void ask(Job job, MapRequest request) {
        if (rank > 0) {
            Quantities.between(
                    "--spectra",
                    spectra,
                    1,
                    request.mostSingularValues(),
                    "the smaller side of the smallest operator between two depths");
        }
        if (through) {
            request.gain(sensitivity(job));
        }
    }

    /** Takes from the map, and computes beside it, what was asked for: tensors and results. */
    void add(Job job, MapRequest request, ResponseMap computed, MapTensors tensors) {
        map = computed;
        if (through) {
            Projections read = map.gain();
            gain = read;
            job.result("through_exact", read.exact());
            tensors.add("map.through", source -> read.norms(source, 0));
            if (!read.exact()) {
                tensors.add("map.through.stderr", source -> read.standardErrors(source, 0));
                tensors.add("map.through.low", source -> read.lows(source, 0, CONFIDENCE));
                tensors.add("map.through.high", source -> read.highs(source, 0, CONFIDENCE));
            }
        }
        if (rank > 0) {
            int levels = map.levels();
            job.terminal().progress(rank + " leading singular values between every two depths");
            found = job.timed("spectra", () -> request.spectra(rank));
            energy = energy(found, map);
            job.result("spectra_energy", List.of(energy)); // one list a source level
            job.result("spectra_unsettled", unsettled());
            int pairs = found.levels() * (found.levels() - 1) / 2;
            Summary.unsettled(job.terminal(), found.unsettled().size(), pairs);
            job.tensors().add("map.spectra", found.all(), levels, levels, rank);
        }
    }

    /**
     * The fraction of the squared norm that the leading singular values hold, [levels, levels]; NaN between levels whose operator
     * is zero or was not asked for.
     *
     * @param map whose squared norms sum to that of the operator between levels
     */
    static double[][] energy(DepthSpectra spectra, ResponseMap map) {
        int levels = spectra.levels();
        double[][] whole = new double[levels][levels];
        for (Site source : map.sources()) {
            double[] norms = map.frobenius(source);
            double[] from = whole[source.halfDepth().number(map.halfDepths())];
            for (int i = 0; i < norms.length; i++) {
                if (!Double.isNaN(norms[i])) {
                    from[i / map.tokens()] += norms[i] * norms[i];
                }
            }
        }
        double[][] energy = new double[levels][levels];
        for (int from = 0; from < levels; from++) {
            for (int to = 0; to < levels; to++) {
                double captured = 0;
                for (double s : spectra.from(from, to)) {
                    captured += s * s;
                }
                // Where the norm is estimated it may come out below what is known to be in it.
                energy[from][to] = whole[from][to] == 0 ? Double.NaN : Math.min(1, captured / whole[from][to]);
            }
        }
        return energy;
    }

    /** Adds the figures of what was asked for. */
    void charts(ReportPage page, List<String> levels, ShownTokens shown, List<String> tokens) {
        if (gain != null) {
            page.chart(
                    "through-targets",
                    new ResponseMapChart(
                            "Gain on F through every target",
                            "Length of the part of F's gradient at the selected source that passes through each target. Through all "
                                    + "tokens of a level the parts sum, as vectors, to the whole gradient."
                                    + shown.note(),
                            levels,
                            tokens,
                            shown.rows(map, source -> gain.norms(source, 0)),
                            "|G'S|"));
        }
        if (found == null) {
            return;
        }
        int last = lastTarget();
        List<LineChart.Series> curves = new ArrayList<>();
        double[] ranks = new double[rank];
        for (int k = 0; k < rank; k++) {
            ranks[k] = k + 1;
        }
        for (int from = 0; from < last; from++) {
            double[] s = found.from(from, last);
            if (!Double.isNaN(s[0])) {
                curves.add(new LineChart.Series("from " + levels.get(from), ranks, s));
            }
        }
        page.chart(
                "singular-values",
                new LineChart(
                        "Singular values to " + levels.get(last),
                        "Leading singular values of the Green operator from all sources of a level to all targets of "
                                + levels.get(last) + ".",
                        "number",
                        "singular value",
                        false,
                        true,
                        curves));
        double[][] heat = new double[found.levels()][found.levels()];
        for (int from = 0; from < heat.length; from++) {
            for (int to = 0; to < heat.length; to++) {
                heat[to][from] = energy[from][to];
            }
        }
        page.chart(
                "energy",
                new HeatMap(
                        "Energy of the leading singular values",
                        "Fraction of the squared norm of the Green operator from one level (columns) to another (rows) that its "
                                + rank
                                + (rank == 1 ? " leading singular value holds." : " leading singular values hold."),
                        levels,
                        levels,
                        heat,
                        HeatMap.Scale.SEQUENTIAL,
                        "fraction"));
    }

    /** The highest level that has targets below which there are sources; the last where none has. */
    private int lastTarget() {
        for (int to = found.levels() - 1; to > 0; to--) {
            for (int from = 0; from < to; from++) {
                if (!Double.isNaN(found.from(from, to)[0])) {
                    return to;
                }
            }
        }
        return found.levels() - 1;
    }
}
