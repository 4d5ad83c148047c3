package dev.greenfield.cli.map;

import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.report.ResponseMapChart;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** The tokens of a map that its page shows: all, or of a long prompt every second, third and so on, so that a page stays one. */
final class ShownTokens {
    /** Sites of a figure. */
    static final int MOST_SITES = 1 << 16;

    private final int tokens;
    private final int step;

    /** The tokens of a map of so many levels. */
    ShownTokens(int levels, int tokens) {
        this(levels, tokens, MOST_SITES);
    }

    /** With another limit. */
    ShownTokens(int levels, int tokens, int mostSites) {
        this.tokens = tokens;
        int most = Math.max(1, mostSites / levels);
        this.step = (tokens + most - 1) / most;
    }

    /** How many are shown. */
    int count() {
        return (tokens + step - 1) / step;
    }

    /** The shown ones of one thing for each token. */
    <T> List<T> of(List<T> all) {
        List<T> shown = new ArrayList<>();
        for (int t = 0; t < tokens; t += step) {
            shown.add(all.get(t));
        }
        return shown;
    }

    /** Likewise of each row of numbers. */
    double[][] of(double[][] rows) {
        double[][] shown = new double[rows.length][];
        for (int r = 0; r < rows.length; r++) {
            shown[r] = thinned(rows[r]);
        }
        return shown;
    }

    /** Every {@link #step}th number of each row of T. */
    private double[] thinned(double[] rows) {
        if (step == 1) {
            return rows;
        }
        int count = count();
        double[] shown = new double[rows.length / tokens * count];
        for (int i = 0; i < shown.length; i++) {
            shown[i] = rows[i / count * tokens + i % count * step];
        }
        return shown;
    }

    /** The rows of a map as a chart takes them. */
    ResponseMapChart.Rows rows(ResponseMap map, Function<Site, double[]> row) {
        Set<Site> sources = new HashSet<>(map.sources());
        return (level, token) -> {
            Site site = Site.at(HalfDepth.numbered(level, map.halfDepths()), token * step);
            return sources.contains(site) ? thinned(row.apply(site)) : null;
        };
    }

    /** A sentence on what is left out; empty where nothing is. */
    String note() {
        return step == 1
                ? ""
                : " Of the " + tokens + " tokens " + count() + " are shown, one in " + step
                        + ": all would make the page too large.";
    }
}
