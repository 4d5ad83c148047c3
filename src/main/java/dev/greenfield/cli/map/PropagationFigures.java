package dev.greenfield.cli.map;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.propagation.Decay;
import dev.greenfield.propagation.DistanceProfile;
import dev.greenfield.propagation.MapMeasures;
import dev.greenfield.propagation.MapMeasures.AtDistance;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.LineFit;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The part of the map's page that shows how responses propagate, with the untrained control dashed beside the model. */
final class PropagationFigures {
    private final MapMeasures measures;
    private final MapMeasures later; // without the first token, or null
    private final MapMeasures control; // or null
    private final MapMeasures.Settings settings;
    private final int levelsADepth;

    PropagationFigures(
            MapMeasures measures,
            MapMeasures later,
            MapMeasures control,
            MapMeasures.Settings settings,
            int levelsADepth) {
        this.measures = measures;
        this.later = later;
        this.control = control;
        this.settings = settings;
        this.levelsADepth = levelsADepth;
    }

    void addTo(ReportPage page) {
        page.section("How responses propagate", introduction());
        if (measures.profile().moved() > 0) {
            page.chart("decay", decay());
        }
        if (measures.distances().stream().anyMatch(at -> at.rows() > 0)) {
            page.chart(
                    "spread",
                    overDepth(
                            "How far and how widely responses move along tokens",
                            "displacement is the mean token distance weighted by |G|^2; participation, the effective number of tokens that"
                                    + " share |G|^2, is 1 for one token",
                            "tokens",
                            List.of(
                                    new Named("displacement", AtDistance::displacement),
                                    new Named("participation", AtDistance::participation)),
                            null));
            page.chart(
                    "front",
                    overDepth(
                            "The front",
                            "the farthest token distance at which |G| is at least "
                                    + Numbers.percent(settings.front())
                                    + " of the largest that the source causes at any later depth; room is how far it could be at"
                                    + " most, the mean number of tokens after the source",
                            "tokens",
                            List.of(new Named("front", AtDistance::front)),
                            curve("room", measures, AtDistance::room, -1)));
            table(page, "", measures);
            if (later != null) {
                table(page, "Without the first token. ", later);
            }
            if (control != null) {
                table(page, "The untrained control. ", control);
            }
        }
    }

    private record Named(String name, Function<AtDistance, Estimate> measure) {
        double value(AtDistance at) {
            return measure.apply(at).value();
        }
    }

    private String introduction() {
        String text = "The median of |G| over all pairs at least one depth apart falls with the token distance r as"
                + " r to the power of minus the exponent: " + describe(measures, settings) + ".";
        if (later != null) {
            text += "\n\nWithout the first token, which attention treats apart in trained models: "
                    + describe(later, settings) + ".";
        }
        if (control != null) {
            text +=
                    "\n\nThe untrained control has the model's configuration and GPT-2's random initialization, one draw: "
                            + describe(control, settings) + ".";
        }
        if (measures.sources() < measures.allSources()) {
            text += "\n\nMeasures are " + sample(measures) + ".";
        }
        return text;
    }

    /** Of how many sources the measures are, for people. */
    static String sample(MapMeasures measures) {
        return "of " + measures.sources() + " of the " + measures.allSources()
                + " sources, evenly spaced: all would be too many";
    }

    private String intervals() {
        return measures.resamples() == 0
                ? " No intervals: there are too few sources to resample."
                : " Intervals are " + Numbers.percent(settings.confidence())
                        + " percentile bootstrap intervals, " + measures.resamples() + " resamples of the "
                        + measures.sources() + " sources of this prompt"
                        + (measures.exponentResamples() < measures.resamples()
                                ? " (for exponents " + measures.exponentResamples() + ")"
                                : "")
                        + ".";
    }

    private LineChart decay() {
        DistanceProfile profile = measures.profile();
        int last = profile.levels() - 1;
        List<LineChart.Series> series = new ArrayList<>();
        List<String> counts = new ArrayList<>();
        for (int d : new TreeSet<>(List.of(1, (1 + last) / 2, last))) {
            if (profile.moved(d) == 0) {
                continue;
            }
            String name = "depth distance " + distance(d, levelsADepth);
            int partner = series.size();
            series.add(medians(name, profile, d, -1));
            if (control != null) {
                series.add(medians(name + ", control", control.profile(), d, partner));
            }
            Estimate exponent = measures.distances().get(d - 1).exponent();
            counts.add("n = " + profile.moved(d) + " at " + name + " (exponent " + interval(exponent)
                    + (control == null
                            ? ""
                            : ", control "
                                    + interval(control.distances().get(d - 1).exponent()))
                    + ")");
        }
        return new LineChart(
                "Decay of the response with token distance",
                "Median Frobenius norm of the Green operator over the pairs of sites at each token distance. Pairs: "
                        + String.join("; ", counts)
                        + ". A power law is a straight line here. The largest distances rest on the first tokens alone."
                        + intervals(),
                "token distance",
                "median |G|",
                true,
                true,
                series);
    }

    private static LineChart.Series medians(String name, DistanceProfile profile, int d, int partner) {
        int[] distances = IntStream.range(1, profile.tokens())
                .filter(r -> profile.count(d, r) > 0)
                .toArray();
        return new LineChart.Series(
                name,
                IntStream.of(distances).asDoubleStream().toArray(),
                IntStream.of(distances).mapToDouble(r -> profile.median(d, r)).toArray(),
                partner);
    }

    private LineChart overDepth(
            String title, String definition, String yName, List<Named> named, LineChart.Series bound) {
        List<LineChart.Series> series = new ArrayList<>();
        List<String> ends = new ArrayList<>();
        for (Named one : named) {
            int partner = series.size();
            series.add(curve(one.name(), measures, one::value, -1));
            AtDistance end = farthest(measures);
            String said = one.name() + " " + interval(one.measure().apply(end));
            if (control != null) {
                series.add(curve(one.name() + ", control", control, one::value, partner));
                said += ", control " + interval(one.measure().apply(farthest(control)));
            }
            ends.add(said);
        }
        if (bound != null) {
            series.add(bound);
        }
        AtDistance end = farthest(measures);
        return new LineChart(
                title,
                "Mean over sources: " + definition + ". At depth distance "
                        + distance(end.levels(), levelsADepth) + ", n = " + end.rows() + ": "
                        + String.join("; ", ends) + "." + intervals(),
                "depth distance",
                yName,
                false,
                false,
                series);
    }

    private AtDistance farthest(MapMeasures of) {
        return of.distances().stream()
                .filter(at -> at.rows() > 0)
                .reduce((before, after) -> after)
                .orElseGet(() -> of.distances().get(0));
    }

    private LineChart.Series curve(String name, MapMeasures of, ToDoubleFunction<AtDistance> value, int partner) {
        List<AtDistance> rows =
                of.distances().stream().filter(at -> at.rows() > 0).toList();
        return new LineChart.Series(
                name,
                rows.stream()
                        .mapToDouble(at -> at.levels() / (double) levelsADepth)
                        .toArray(),
                rows.stream().mapToDouble(value).toArray(),
                partner);
    }

    private void table(ReportPage page, String whose, MapMeasures of) {
        List<List<String>> rows = new ArrayList<>();
        for (AtDistance at : of.distances()) {
            rows.add(List.of(
                    distance(at.levels(), levelsADepth),
                    Integer.toString(at.rows()),
                    interval(at.tokenShare()),
                    interval(at.displacement()),
                    interval(at.front()),
                    interval(at.normalizedEntropy()),
                    interval(at.participation()),
                    interval(at.exponent())));
        }
        int incomplete =
                of.distances().stream().mapToInt(AtDistance::incomplete).sum();
        page.table(
                whose + "Propagation by depth distance, means over sources and the exponent of the decay of medians."
                        + " The token share is the part of |G|^2 that has left the source's own token; the entropy is that of"
                        + " |G|^2 over tokens as a fraction of the largest possible."
                        + (incomplete > 0
                                ? " Left out: " + incomplete + " rows of which not all tokens were asked for."
                                : "")
                        + intervals(),
                List.of(
                        "depth distance",
                        "n",
                        "token share",
                        "displacement",
                        "front",
                        "entropy",
                        "participation",
                        "exponent"),
                rows);
    }

    private static String interval(Estimate estimate) {
        return Numbers.interval(estimate, Numbers::three);
    }

    /** A depth distance in blocks. */
    static String distance(int levels, int levelsADepth) {
        return levels % levelsADepth == 0 ? Integer.toString(levels / levelsADepth) : levels / 2 + ".5";
    }

    /** The decay over all depth distances, in words. */
    static String describe(MapMeasures measures, MapMeasures.Settings settings) {
        Decay decay = measures.decay();
        if (!decay.defined()) {
            return "not defined, " + decay.undefined();
        }
        Estimate t = decay.exponent();
        Estimate bootstrap = measures.exponent();
        return "exponent " + Numbers.three(t.value()) + " (" + Numbers.percent(settings.confidence()) + ": "
                + Numbers.three(t.low()) + " to "
                + Numbers.three(t.high())
                + " by the fit"
                + (bootstrap.hasInterval()
                        ? ", " + Numbers.three(bootstrap.low()) + " to " + Numbers.three(bootstrap.high())
                                + " over sources"
                        : "")
                + "), R2 " + rSquared(decay.power()) + "; exponential "
                + (decay.length().value() > 0
                        ? "length " + Numbers.three(decay.length().value()) + " tokens"
                        : "does not fall")
                + ", R2 " + rSquared(decay.exponential()) + "; " + decay.distances() + " token distances"
                + (decay.zeros() > 0 ? ", " + decay.zeros() + " with a median of zero left out" : "");
    }

    private static String rSquared(LineFit fit) {
        return Numbers.three(fit.rSquared());
    }
}
