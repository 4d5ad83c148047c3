package dev.greenfield.propagation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The norms of a response map by how far apart source and target are: depth distance d in levels, token distance r. Only pairs whose
 * target is reachable from the source are counted, and of these only those that were asked for. At d = 0 that is r = 0 alone, the
 * identity. Sources at the last level, which has nothing above it, are left out.
 */
public final class DistanceProfile {
    private final int levels;
    private final int tokens;
    private final SortedNorms[][] groups; // [d][r]
    private final SortedNorms[] pooled; // [r], over all d of at least 1

    private DistanceProfile(int levels, int tokens, SortedNorms[][] groups, SortedNorms[] pooled) {
        this.levels = levels;
        this.tokens = tokens;
        this.groups = groups;
        this.pooled = pooled;
    }

    /** Collects the norms of all sources, numbered in the order of the list; {@code levelOf} has the level of each. */
    static DistanceProfile of(List<Propagation> sources, int[] levelOf, int levels, int tokens) {
        List<List<Bin>> bins = new ArrayList<>();
        for (int d = 0; d < levels; d++) {
            bins.add(bins(tokens));
        }
        List<Bin> all = bins(tokens);
        for (int s = 0; s < sources.size(); s++) {
            for (int d = 0; levelOf[s] + d < levels; d++) {
                double[] along = sources.get(s).along(levelOf[s] + d);
                for (int r = 0; r < along.length; r++) {
                    if (!Double.isNaN(along[r])) {
                        bins.get(d).get(r).add(along[r], s);
                        if (d > 0) {
                            all.get(r).add(along[r], s);
                        }
                    }
                }
            }
        }
        SortedNorms[][] groups = bins.stream().map(DistanceProfile::sorted).toArray(SortedNorms[][]::new);
        return new DistanceProfile(levels, tokens, groups, sorted(all));
    }

    private static List<Bin> bins(int tokens) {
        List<Bin> bins = new ArrayList<>();
        for (int r = 0; r < tokens; r++) {
            bins.add(new Bin());
        }
        return bins;
    }

    private static SortedNorms[] sorted(List<Bin> bins) {
        return bins.stream().map(Bin::sorted).toArray(SortedNorms[]::new);
    }

    /** Norms of one pair of distances while they are collected. */
    private static final class Bin {
        private double[] values = new double[8];
        private int[] sources = new int[8];
        private int size;

        void add(double value, int source) {
            if (size == values.length) {
                values = Arrays.copyOf(values, 2 * size);
                sources = Arrays.copyOf(sources, 2 * size);
            }
            values[size] = value;
            sources[size++] = source;
        }

        SortedNorms sorted() {
            return new SortedNorms(Arrays.copyOf(values, size), Arrays.copyOf(sources, size));
        }
    }

    /** The number of levels, and of depth distances. */
    public int levels() {
        return levels;
    }

    /** The number of tokens, and of token distances. */
    public int tokens() {
        return tokens;
    }

    /** How many pairs stand at these distances. */
    public int count(int depthDistance, int tokenDistance) {
        return groups[depthDistance][tokenDistance].count();
    }

    /** The mean norm at these distances; NaN without pairs. */
    public double mean(int depthDistance, int tokenDistance) {
        return groups[depthDistance][tokenDistance].mean();
    }

    /** The median norm at these distances; NaN without pairs. */
    public double median(int depthDistance, int tokenDistance) {
        return groups[depthDistance][tokenDistance].median();
    }

    /** The median norms at a depth distance by token distance, [T]. */
    public double[] medians(int depthDistance) {
        return Arrays.stream(groups[depthDistance])
                .mapToDouble(SortedNorms::median)
                .toArray();
    }

    /** The median norms over all depth distances of at least one level by token distance, [T]. */
    public double[] medians() {
        return Arrays.stream(pooled).mapToDouble(SortedNorms::median).toArray();
    }

    /** How many pairs are at a depth distance of at least one level and a token distance of at least one. */
    public long moved() {
        return Arrays.stream(pooled).skip(1).mapToLong(SortedNorms::count).sum();
    }

    /** How many pairs are at this depth distance and a token distance of at least one. */
    public long moved(int depthDistance) {
        return Arrays.stream(groups[depthDistance])
                .skip(1)
                .mapToLong(SortedNorms::count)
                .sum();
    }

    /** The exponent at a depth distance, 0 for all of at least 1, when each source counts as often as {@code times} says. */
    double exponent(int depthDistance, int[] times) {
        SortedNorms[] norms = depthDistance == 0 ? pooled : groups[depthDistance];
        double[] medians = new double[tokens];
        for (int r = 1; r < tokens; r++) {
            medians[r] = norms[r].median(times);
        }
        return Decay.exponent(medians);
    }
}
