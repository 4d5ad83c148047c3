package dev.greenfield.statistics;

import java.util.Arrays;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * A number with a confidence interval.
 *
 * @param value the number; NaN where it is not defined
 * @param low lower end of the interval; NaN where there is none
 * @param high upper end of the interval; NaN where there is none
 */
public record Estimate(double value, double low, double high) {
    /** Of fewer resamples than this half, too few are left to speak of their quantiles. */
    private static final double LEAST_DEFINED = 0.5;

    /** A number without an interval. */
    public static Estimate without(double value) {
        return new Estimate(value, Double.NaN, Double.NaN);
    }

    /**
     * A number with its percentile bootstrap interval (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
     *
     * @param value the number from all the data
     * @param resampled the number from each resample, NaN where it was not defined; in a resample without, say, most token
     *     distances it may not be. No interval where that is so for more than half
     * @param confidence coverage of the interval, such as 0.95
     */
    public static Estimate bootstrap(double value, double[] resampled, double confidence) {
        double[] defined =
                Arrays.stream(resampled).filter(x -> !Double.isNaN(x)).toArray();
        if (Double.isNaN(value) || defined.length == 0 || defined.length < LEAST_DEFINED * resampled.length) {
            return without(value);
        }
        double[] ends =
                Quantile.withDefaults().evaluate(defined, new double[] {(1 - confidence) / 2, (1 + confidence) / 2});
        return new Estimate(value, ends[0], ends[1]);
    }

    /** Whether there is an interval. */
    public boolean hasInterval() {
        return !Double.isNaN(low) && !Double.isNaN(high);
    }
}
