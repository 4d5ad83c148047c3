package dev.greenfield.propagation;

import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.LineFit;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How norms fall off with the token distance r = 1, 2, ...: as a power, norm = c r^(-exponent), and exponentially, norm = c
 * exp(-rate r). Both are straight lines in the logarithm of the norm, fitted by least squares with every distance counting
 * alike. The exponent is the primary figure; the R squared of both fits say which describes the norms better.
 *
 * @param power the line of log norm over log r, whose slope is minus the exponent; null where it cannot be fitted
 * @param exponential the line of log norm over r, whose slope is minus the rate; null where it cannot be fitted
 * @param distances how many token distances went into the fits: those with a norm above zero
 * @param zeros how many were left out because their norm is zero, which has no logarithm
 */
public record Decay(LineFit power, LineFit exponential, int distances, int zeros) {
    /**
     * Fits norms.
     *
     * @param norms by token distance, of which element 0 is not looked at; NaN where there is none
     * @param confidence coverage of the intervals, such as 0.95
     */
    public static Decay of(double[] norms, double confidence) {
        int[] usable = usable(norms);
        int zeros = (int)
                IntStream.range(1, norms.length).filter(r -> norms[r] == 0).count();
        if (usable.length < LineFit.LEAST) {
            return new Decay(null, null, usable.length, zeros);
        }
        double[] logs = logs(norms, usable);
        return new Decay(
                LineFit.of(logDistances(usable), logs, confidence),
                LineFit.of(Arrays.stream(usable).asDoubleStream().toArray(), logs, confidence),
                usable.length,
                zeros);
    }

    /** The exponent alone, NaN where it cannot be fitted. */
    static double exponent(double[] norms) {
        int[] usable = usable(norms);
        return usable.length < LineFit.LEAST
                ? Double.NaN
                : -LineFit.slope(logDistances(usable), logs(norms, usable)).orElse(Double.NaN);
    }

    private static int[] usable(double[] norms) {
        return IntStream.range(1, norms.length).filter(r -> norms[r] > 0).toArray();
    }

    private static double[] logDistances(int[] distances) {
        return Arrays.stream(distances).mapToDouble(Math::log).toArray();
    }

    private static double[] logs(double[] norms, int[] distances) {
        return Arrays.stream(distances).mapToDouble(r -> Math.log(norms[r])).toArray();
    }

    /** Whether there were enough distances for the fits. */
    public boolean defined() {
        return power != null;
    }

    /** Why there is no fit, in words; null where there is one. */
    public String undefined() {
        if (defined()) {
            return null;
        }
        return "found " + distances + " token distances with a norm above zero"
                + (zeros > 0 ? " and " + zeros + " with zero" : "") + ", a fit takes " + LineFit.LEAST;
    }

    /** The exponent of the power law with its interval; NaN where there is no fit. Positive where norms fall. */
    public Estimate exponent() {
        return falling(power);
    }

    /** The rate of the exponential a token with its interval; NaN where there is no fit. Positive where norms fall. */
    public Estimate rate() {
        return falling(exponential);
    }

    private static Estimate falling(LineFit fit) {
        return fit == null
                ? new Estimate(Double.NaN, Double.NaN, Double.NaN)
                : new Estimate(-fit.slope(), -fit.high(), -fit.low());
    }

    /**
     * The number of tokens over which the exponential falls by a factor of e: 1 / rate. An end of the interval is infinite where
     * the rate's reaches zero; all is NaN where the norms do not fall.
     */
    public Estimate length() {
        Estimate rate = rate();
        if (!(rate.value() > 0)) {
            return new Estimate(Double.NaN, Double.NaN, Double.NaN);
        }
        return new Estimate(
                1 / rate.value(), 1 / rate.high(), rate.low() > 0 ? 1 / rate.low() : Double.POSITIVE_INFINITY);
    }
}
