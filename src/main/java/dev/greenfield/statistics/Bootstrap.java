package dev.greenfield.statistics;

import dev.greenfield.failure.Task;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Percentile bootstrap intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13) of numbers that are
 * computed from items drawn independently, such as the prompts of a suite.
 */
public final class Bootstrap {
    private static final double CONFIDENCE = 0.95;

    /** Of fewer items than this a resample says too little of how they vary: no interval. */
    public static final int LEAST = 5;

    /** As many as is usual for intervals at 95 %. */
    public static final int RESAMPLES = 1000;

    private final int resamples;
    private final long seed;

    /**
     * Intervals from so many resamples.
     *
     * @param seed the same seed draws the same resamples
     */
    public Bootstrap(int resamples, long seed) {
        this.resamples = resamples;
        this.seed = seed;
    }

    /**
     * A number with its 95 % interval; without one where there are fewer than {@value #LEAST} items.
     *
     * @param items how many items there are
     * @param statistic the number from chosen items, given by their indices, some of them repeatedly; NaN where it is not defined
     */
    public Estimate of(int items, ToDoubleFunction<int[]> statistic) {
        int[] all = new int[items];
        for (int i = 0; i < items; i++) {
            all[i] = i;
        }
        double value = items == 0 ? Double.NaN : statistic.applyAsDouble(all);
        if (items < LEAST) {
            return Estimate.without(value);
        }
        UniformRandomProvider random = RandomStreams.of(seed, Purpose.RESAMPLES);
        double[] resampled = new double[resamples];
        int[] drawn = new int[items];
        Task.run("bootstrap", "resamples", resamples, task -> {
            for (int r = 0; r < resamples; r++) {
                task.to(r);
                for (int i = 0; i < items; i++) {
                    drawn[i] = random.nextInt(items);
                }
                resampled[r] = statistic.applyAsDouble(drawn);
            }
        });
        return Estimate.bootstrap(value, resampled, CONFIDENCE);
    }

    /** The seed of the resamples. */
    public long seed() {
        return seed;
    }

    /** The mean of one value an item with its interval; values that are NaN are left out. */
    public Estimate mean(double[] values) {
        double[] defined = Arrays.stream(values).filter(v -> !Double.isNaN(v)).toArray();
        return of(defined.length, drawn -> {
            double sum = 0;
            for (int i : drawn) {
                sum += defined[i];
            }
            return sum / drawn.length;
        });
    }
}
