package dev.greenfield.map;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Mean and variance of response maps of one shape over many prompts, pair of sites by pair of sites, in one pass (Welford, Technometrics
 * 4, 1962). Prompts of one length are aligned token by token; prompts of other lengths need statistics of their own. What is held is
 * two float64 numbers for each pair whose target is at or after its source in depth and in token. A pair that is NaN in one of the maps
 * is NaN in mean and variance.
 *
 * <p>The result depends on the order of the maps in the last digits only; the same maps in the same order give the same bits.
 */
public final class MapStatistics implements Serializable {
    private static final long serialVersionUID = 1;

    private final int levels;
    private final int tokens;
    private final int places;
    private final transient List<Site> sites;
    private final transient MapPairs pairs;
    private final transient Moments moments; // of the pairs, and after them of each site to itself
    private final transient BitSet[] unknown; // by source: targets before it that are NaN; null where there are none
    private long count;

    /**
     * Statistics of no map yet.
     *
     * @param levels of the maps: L + 1, or 2 L + 1 with half depths
     * @param tokens T of the maps
     * @throws MemoryBudgetException if Java's heap has no room for them
     */
    public MapStatistics(int levels, int tokens) {
        this.levels = levels;
        this.tokens = tokens;
        this.places = HostMemory.elements("a map", levels, tokens);
        this.sites = ResponseMap.all(levels - 1, tokens, false); // half depths reach no more than whole ones do
        Cone cone = new Cone(true, levels, tokens, false, sites, site -> 1);
        this.pairs = new MapPairs(cone, false, sites, sites, site -> 1);
        long numbers = pairs.count() + places;
        HostMemory.require("mean and variance of maps of " + places + " sites", 2 * PairValues.bytes(numbers, true));
        this.moments = new Moments(numbers);
        this.unknown = new BitSet[places];
    }

    /** Bytes of Java's heap that statistics of such maps take, in floating point, since they may be very many. */
    public static double bytes(int levels, int tokens) {
        return 2.0 * Double.BYTES * pairs(levels, tokens);
    }

    /** How many pairs of sites the statistics of such maps hold: about a quarter of all. */
    public static double pairs(int levels, int tokens) {
        return levels * (levels - 1.0) / 2 * tokens * (tokens + 1.0) / 2 + (double) levels * tokens;
    }

    /**
     * Adds the norms of a map.
     *
     * @throws InputException if it has other levels or another number of tokens
     */
    public void add(ResponseMap map) {
        requireShape(map.levels(), map.tokens());
        add(source -> map.frobenius(map.places().get(source)));
    }

    /**
     * Adds a map that is given by its norms, such as one that was written before.
     *
     * @param norms [levels, T, levels, T]; not kept
     * @throws InputException if there is another number of them, or a target before its source responds
     */
    public void add(double[] norms) {
        if (norms.length != (long) places * places) {
            throw new InputException("found a map of " + norms.length + " pairs, expected " + (long) places * places
                    + ", those of " + levels + " levels and " + tokens + " tokens");
        }
        add(source -> Arrays.copyOfRange(norms, source * places, (source + 1) * places));
    }

    /**
     * Adds a map source by source.
     *
     * @param rows gives of source l T + t, for level l and token t, the norms at all sites, [levels, T]; asked once for each, in order
     * @throws InputException if a target before its source responds
     */
    public void add(IntFunction<double[]> rows) {
        count++;
        for (int source = 0; source < places; source++) {
            double[] norms = rows.apply(source);
            moments.add(pairs.count() + source, norms[source], count);
            long at = pairs.start(source);
            for (int to = 0; to < places; to++) {
                if (reached(source, to)) {
                    moments.add(at++, norms[to], count);
                } else if (Double.isNaN(norms[to])) {
                    unknown(source).set(to);
                } else if (norms[to] != 0 && to != source) {
                    throw new InputException("found a map whose norm from " + sites.get(source) + " to " + sites.get(to)
                            + " is " + norms[to] + ", expected zero or NaN before the source: make the map again");
                }
            }
        }
    }

    private boolean reached(int source, int to) {
        return to / tokens > source / tokens && to % tokens >= source % tokens;
    }

    private BitSet unknown(int source) {
        if (unknown[source] == null) {
            unknown[source] = new BitSet(places);
        }
        return unknown[source];
    }

    /**
     * Adds all maps of other statistics at once (Chan, Golub and LeVeque, 1979).
     *
     * @throws InputException if those are of other levels or another number of tokens
     */
    public void combine(MapStatistics other) {
        requireShape(other.levels, other.tokens);
        if (other.count == 0) {
            return;
        }
        moments.combine(other.moments, count, other.count);
        for (int source = 0; source < places; source++) {
            if (other.unknown[source] != null) {
                unknown(source).or(other.unknown[source]);
            }
        }
        count += other.count;
    }

    private void requireShape(int otherLevels, int otherTokens) {
        if (otherLevels != levels || otherTokens != tokens) {
            throw new InputException("found a map of " + otherLevels + " levels and " + otherTokens
                    + " tokens, expected " + levels + " levels and " + tokens
                    + " tokens: maps of other shapes need statistics of their own");
        }
    }

    /** Number of maps added. */
    public long count() {
        return count;
    }

    /**
     * The mean norms, [levels, T, levels, T].
     *
     * @throws IllegalStateException if no map was added
     * @throws MemoryBudgetException if no array is so long, or the heap has no room for it
     */
    public double[] mean() {
        return PairValues.dense("the mean of maps", sites, site -> mean(place(site)));
    }

    /**
     * The mean norms of source l T + t, for level l and token t, at all sites, [levels, T].
     *
     * @throws IllegalStateException if no map was added
     */
    public double[] mean(int source) {
        if (count == 0) {
            throw new IllegalStateException("no map was added: a mean needs at least one");
        }
        return row(source, moments.mean(), 1);
    }

    /**
     * The unbiased variances of the norms over prompts, [levels, T, levels, T]: sums of squared deviations over count - 1.
     *
     * @throws IllegalStateException if fewer than two maps were added
     * @throws MemoryBudgetException if no array is so long, or the heap has no room for it
     */
    public double[] variance() {
        return PairValues.dense("the variance of maps", sites, site -> variance(place(site)));
    }

    /**
     * Likewise of one source, [levels, T], as of {@link #mean(int)}.
     *
     * @throws IllegalStateException if fewer than two maps were added
     */
    public double[] variance(int source) {
        if (count < 2) {
            throw new IllegalStateException(count + " maps were added: a variance needs at least two");
        }
        return row(source, moments.squares(), count - 1);
    }

    private int place(Site site) {
        return site.depth() * tokens + site.token();
    }

    private double[] row(int source, PairValues values, long divisor) {
        double[] row = new double[places];
        long at = pairs.start(source);
        for (int to = 0; to < places; to++) {
            if (reached(source, to)) {
                row[to] = values.get(at++) / divisor;
            } else if (unknown[source] != null && unknown[source].get(to)) {
                row[to] = Double.NaN;
            }
        }
        row[source] = values.get(pairs.count() + source) / divisor;
        return row;
    }

    /** What is written of statistics: their numbers without those of where they stand. */
    private record Stored(int levels, int tokens, long count, double[][] mean, double[][] squares, BitSet[] unknown)
            implements Serializable {
        private Object readResolve() {
            MapStatistics statistics = new MapStatistics(levels, tokens);
            statistics.count = count;
            statistics.moments.mean().setAll(mean);
            statistics.moments.squares().setAll(squares);
            System.arraycopy(unknown, 0, statistics.unknown, 0, unknown.length);
            return statistics;
        }
    }

    private Object writeReplace() {
        return new Stored(
                levels, tokens, count, moments.mean().all(), moments.squares().all(), unknown);
    }

    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("statistics of maps are read from their numbers");
    }
}
