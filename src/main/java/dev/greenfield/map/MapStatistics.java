package dev.greenfield.map;

import dev.greenfield.failure.InputException;
import java.io.Serializable;
import java.util.Arrays;

/**
 * Mean and variance of response maps of one shape over many prompts, pair of sites by pair of sites, in one pass (Welford, Technometrics
 * 4, 1962). Prompts of one length are aligned token by token; prompts of other lengths need statistics of their own. What is held is
 * two numbers a pair. A pair that is NaN in one of the maps is NaN in mean and variance.
 *
 * <p>The result depends on the order of the maps in the last digits only; the same maps in the same order give the same bits.
 */
public final class MapStatistics implements Serializable {
    private static final long serialVersionUID = 1;

    private final int levels;
    private final int tokens;
    private final int sourceLevels; // all, or one
    private final double[] mean; // [source levels, T, levels, T]
    private final double[] squares; // likewise, sums of squared deviations from the mean
    private long count;

    /**
     * Statistics of no map yet.
     *
     * @param levels of the maps: L + 1, or 2 L + 1 with half depths
     * @param tokens T of the maps
     */
    public MapStatistics(int levels, int tokens) {
        this(levels, tokens, levels);
    }

    private MapStatistics(int levels, int tokens, int sourceLevels) {
        this.levels = levels;
        this.tokens = tokens;
        this.sourceLevels = sourceLevels;
        int sites = Math.multiplyExact(levels, tokens);
        this.mean = new double[Math.multiplyExact(Math.multiplyExact(sourceLevels, tokens), sites)];
        this.squares = new double[mean.length];
    }

    /**
     * Statistics of the pairs whose source is on one level, of no map yet: what they find is that part of the statistics of whole maps, to
     * the bit, so that levels can be shared among machines. Arrays are [T, levels, T].
     *
     * @param levels of the maps
     * @param tokens T of the maps
     */
    public static MapStatistics ofOneSourceLevel(int levels, int tokens) {
        return new MapStatistics(levels, tokens, 1);
    }

    /**
     * Adds the norms of a map.
     *
     * @throws InputException if it has other levels or another number of tokens
     */
    public void add(ResponseMap map) {
        requireShape(map.levels(), map.tokens(), map.levels());
        add(map.frobenius());
    }

    /**
     * Adds a map that is given by its norms, such as one that was written before.
     *
     * @param norms [levels, T, levels, T], or of one source level [T, levels, T]; not kept
     * @throws InputException if there is another number of them
     */
    public void add(double[] norms) {
        if (norms.length != mean.length) {
            throw new InputException("found a map of " + norms.length + " pairs, expected " + mean.length
                    + ", those of " + shape(levels, tokens, sourceLevels));
        }
        count++;
        for (int i = 0; i < norms.length; i++) {
            double before = norms[i] - mean[i];
            mean[i] += before / count;
            squares[i] += before * (norms[i] - mean[i]);
        }
    }

    /**
     * Adds all maps of other statistics at once (Chan, Golub and LeVeque, 1979).
     *
     * @throws InputException if those are of other levels or another number of tokens
     */
    public void combine(MapStatistics other) {
        requireShape(other.levels, other.tokens, other.sourceLevels);
        if (other.count == 0) {
            return;
        }
        long both = count + other.count;
        for (int i = 0; i < mean.length; i++) {
            double apart = other.mean[i] - mean[i];
            mean[i] += apart * other.count / both;
            squares[i] += other.squares[i] + apart * apart * count * other.count / both;
        }
        count = both;
    }

    private void requireShape(int otherLevels, int otherTokens, int otherSourceLevels) {
        if (otherLevels != levels || otherTokens != tokens || otherSourceLevels != sourceLevels) {
            throw new InputException("found a map of " + shape(otherLevels, otherTokens, otherSourceLevels)
                    + ", expected " + shape(levels, tokens, sourceLevels)
                    + ": maps of other shapes need statistics of their own");
        }
    }

    private static String shape(int levels, int tokens, int sourceLevels) {
        return levels + " levels and " + tokens + " tokens" + (sourceLevels == levels ? "" : " from one source level");
    }

    /** Number of maps added. */
    public long count() {
        return count;
    }

    /**
     * The mean norms, [levels, T, levels, T].
     *
     * @throws IllegalStateException if no map was added
     */
    public double[] mean() {
        if (count == 0) {
            throw new IllegalStateException("no map was added: a mean needs at least one");
        }
        return mean.clone();
    }

    /**
     * The unbiased variances of the norms over prompts, [levels, T, levels, T]: sums of squared deviations over count - 1.
     *
     * @throws IllegalStateException if fewer than two maps were added
     */
    public double[] variance() {
        if (count < 2) {
            throw new IllegalStateException(count + " maps were added: a variance needs at least two");
        }
        return Arrays.stream(squares).map(sum -> sum / (count - 1)).toArray();
    }
}
