package dev.greenfield.map;

import dev.greenfield.failure.InputException;
import java.util.stream.IntStream;

/**
 * The part of {@link MapStatistics} whose sources are on one level, to the bit, so that levels can be shared among machines.
 *
 * <p>Not for several threads at a time.
 */
public final class SourceLevelStatistics {
    private final int levels;
    private final int tokens;
    private final int pairs;
    private final Moments moments; // [T, levels, T]
    private long count;

    /**
     * Statistics of no map.
     *
     * @param levels of the maps: L + 1, or 2 L + 1 with half depths
     * @param tokens T of the maps
     */
    public SourceLevelStatistics(int levels, int tokens) {
        this.levels = levels;
        this.tokens = tokens;
        this.pairs = Math.multiplyExact(Math.multiplyExact(levels, tokens), tokens);
        this.moments = new Moments(pairs);
    }

    /**
     * Adds the norms of a map from the sources of the level.
     *
     * @param norms [T, levels, T]; not kept
     * @throws InputException if there is another number of them
     */
    public void add(double[] norms) {
        if (norms.length != pairs) {
            throw new InputException("found " + norms.length + " pairs of one source level, expected " + pairs
                    + ", those of " + levels + " levels and " + tokens + " tokens");
        }
        count++;
        for (int i = 0; i < norms.length; i++) {
            moments.add(i, norms[i], count);
        }
    }

    /** Number of maps added. */
    public long count() {
        return count;
    }

    /**
     * The mean norms, [T, levels, T].
     *
     * @throws IllegalStateException if no map was added
     */
    public double[] mean() {
        if (count == 0) {
            throw new IllegalStateException("no map was added: a mean needs at least one");
        }
        return numbers(moments.mean(), 1);
    }

    /**
     * The unbiased variances of the norms over prompts, [T, levels, T]: sums of squared deviations over count - 1.
     *
     * @throws IllegalStateException if fewer than two maps were added
     */
    public double[] variance() {
        if (count < 2) {
            throw new IllegalStateException(count + " maps were added: a variance needs at least two");
        }
        return numbers(moments.squares(), count - 1);
    }

    private double[] numbers(PairValues values, long divisor) {
        return IntStream.range(0, pairs)
                .mapToDouble(at -> values.get(at) / divisor)
                .toArray();
    }
}
