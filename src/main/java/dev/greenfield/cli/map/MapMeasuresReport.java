package dev.greenfield.cli.map;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.MeasureOptions;
import dev.greenfield.cli.job.TokenSkip;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.propagation.DistanceProfile;
import dev.greenfield.propagation.MapMeasures;
import dev.greenfield.propagation.MapMeasures.AtDistance;
import dev.greenfield.report.ReportPage;
import dev.greenfield.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/** What the map command says about propagation: its measures, and beside them those of the untrained control. */
public final class MapMeasuresReport {
    private final Job job;
    private final MapMeasures measures;
    private final MapMeasures later; // without the first token; null where that is no difference
    private final MapMeasures control; // null unless asked for
    private final MapMeasures.Settings settings;
    private final int levelsADepth;

    private MapMeasuresReport(
            Job job,
            MapMeasures measures,
            MapMeasures later,
            MapMeasures control,
            MapMeasures.Settings settings,
            int levelsADepth) {
        this.job = job;
        this.measures = measures;
        this.later = later;
        this.control = control;
        this.settings = settings;
        this.levelsADepth = levelsADepth;
    }

    /**
     * Measures a map, and the control's where it is asked for; adds both to the job's results and tensors.
     *
     * @param skip tokens that the map leaves out, and its measures with it
     * @param tensors of the map, which the control's join
     * @param same computes of another run the map that was asked for
     */
    static MapMeasuresReport of(
            Job job,
            MeasureOptions options,
            TokenSkip skip,
            ResponseMap map,
            MapTensors tensors,
            Function<Run, ResponseMap> same) {
        MapMeasures.Settings settings = options.settings(job.seed());
        int levelsADepth = map.halfDepths() ? 2 : 1;
        MapMeasures measures = job.timed("measures", () -> measured(map, settings, skip));
        MapMeasures later = job.timed("measures", () -> later(map, settings, skip));
        Map<String, Object> fields = MeasureFields.of(measures, settings, levelsADepth);
        fields.put("without_first_token", later == null ? null : MeasureFields.of(later, settings, levelsADepth));
        job.result("measures", fields);
        profiles(job, "map", measures.profile(), map.tokens());
        MapMeasures control = options.control() ? control(job, skip, tensors, same, settings, levelsADepth) : null;
        return new MapMeasuresReport(job, measures, later, control, settings, levelsADepth);
    }

    private static MapMeasures control(
            Job job,
            TokenSkip skip,
            MapTensors tensors,
            Function<Run, ResponseMap> same,
            MapMeasures.Settings settings,
            int levelsADepth) {
        job.terminal().progress("the same map of the untrained control, seed " + job.seed());
        ResponseMap map = job.timed("control", () -> {
            try (Model untrained = job.model().untrained(job.seed())) {
                return same.apply(untrained.run(job.run().tokens()));
            }
        });
        MapMeasures control = job.timed("measures", () -> measured(map, settings, skip));
        MapMeasures later = later(map, settings, skip);
        Map<String, Object> fields = MeasureFields.of(control, settings, levelsADepth);
        fields.put("seed", job.seed());
        fields.put("without_first_token", later == null ? null : MeasureFields.of(later, settings, levelsADepth));
        job.result("control", fields);
        tensors.add("control.frobenius", map::frobenius);
        if (!map.exact()) {
            tensors.add("control.stderr", map::standardErrors);
        }
        profiles(job, "control", control.profile(), map.tokens());
        return control;
    }

    private static MapMeasures measured(ResponseMap map, MapMeasures.Settings settings, TokenSkip skip) {
        return MapMeasures.of(map, settings, skip.first(0), map.tokens() - skip.last());
    }

    /** Without the first token, which attention treats apart in trained models; null where it is left out anyway or is the only one. */
    private static MapMeasures later(ResponseMap map, MapMeasures.Settings settings, TokenSkip skip) {
        int until = map.tokens() - skip.last();
        return skip.first(0) > 0 || until < 2 ? null : MapMeasures.of(map, settings, 1, until);
    }

    /** Of all token distances of the prompt; those that skipped tokens leave out have no pairs. */
    private static void profiles(Job job, String name, DistanceProfile profile, int tokens) {
        double[][] mean = new double[profile.levels()][tokens];
        double[][] median = new double[profile.levels()][tokens];
        double[][] count = new double[profile.levels()][tokens];
        for (int d = 0; d < profile.levels(); d++) {
            Arrays.fill(mean[d], Double.NaN);
            Arrays.fill(median[d], Double.NaN);
            double[] medians = profile.medians(d);
            for (int r = 0; r < profile.tokens(); r++) {
                median[d][r] = medians[r];
                mean[d][r] = profile.mean(d, r);
                count[d][r] = profile.count(d, r);
            }
        }
        job.tensors().add(name + ".profile.mean", mean);
        job.tensors().add(name + ".profile.median", median);
        job.tensors().add(name + ".profile.count", count);
    }

    /** The figures and tables of the page. */
    void addTo(ReportPage page) {
        new PropagationFigures(measures, later, control, settings, levelsADepth).addTo(page);
    }

    /** A short table and the decay. */
    void print() {
        if (measures.sources() < measures.allSources()) {
            job.terminal().line("");
            job.terminal().line("measures of propagation: " + PropagationFigures.sample(measures));
        }
        List<AtDistance> shown = shown(measures.distances());
        String both = control == null ? "" : " (model / untrained control)";
        if (shown.isEmpty()) {
            job.terminal().line("");
            job.terminal()
                    .line("spread over tokens: not measured, no source has a later token with all the tokens of a later"
                            + " depth among the targets");
        } else {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of(
                    "depth distance",
                    "rows",
                    "token share",
                    "displacement",
                    "front",
                    "room",
                    "participation",
                    "exponent"));
            for (AtDistance at : shown) {
                rows.add(List.of(
                        PropagationFigures.distance(at.levels(), levelsADepth),
                        Integer.toString(at.rows()),
                        pair(at, AtDistance::tokenShare),
                        pair(at, AtDistance::displacement),
                        pair(at, AtDistance::front),
                        Numbers.three(at.room()),
                        pair(at, AtDistance::participation),
                        pair(at, AtDistance::exponent)));
            }
            Tables.print(job.terminal(), "spread of responses over tokens" + both, rows);
        }
        job.terminal().line("");
        job.terminal()
                .line("decay of the median |G| with token distance: "
                        + PropagationFigures.describe(measures, settings));
        if (later != null) {
            job.terminal().line("the same without the first token: " + PropagationFigures.describe(later, settings));
        }
        if (control != null) {
            job.terminal()
                    .line("the same for the untrained control: " + PropagationFigures.describe(control, settings));
        }
    }

    /** Depth distances 1, 2, 4 and so on, and the largest, of those that have rows. */
    private static List<AtDistance> shown(List<AtDistance> all) {
        List<AtDistance> measured = all.stream().filter(at -> at.rows() > 0).toList();
        return measured.stream()
                .filter(at -> Integer.bitCount(at.levels()) == 1
                        || at.levels() == measured.get(measured.size() - 1).levels())
                .toList();
    }

    private String pair(AtDistance at, Function<AtDistance, Estimate> measure) {
        Stream<AtDistance> both = control == null
                ? Stream.of(at)
                : Stream.of(at, control.distances().get(at.levels() - 1));
        return String.join(
                " / ", both.map(measure).map(e -> Numbers.three(e.value())).toList());
    }
}
