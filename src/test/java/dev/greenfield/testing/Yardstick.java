package dev.greenfield.testing;

import java.util.Map;
import java.util.TreeMap;

/**
 * How far results in float32 or tf32 may be from exact ones. No bound is picked by hand: the same mathematics is also run with
 * each operation rounded to float32 (for tf32 the factors of products to ten bits besides), in plain order, and a backend may be three times as far from the truth as that (the rule of
 * FlashAttention's tests), plus a few units in the last place of the result's magnitude for results that plain order happens
 * to hit exactly. A backend that sums in another order stays well within; a wrong term or a lost digit does not.
 *
 * <p>With {@code -Dgreenfield.yardstick=print} the worst ratio of the two errors is printed per operation as it grows.
 */
public final class Yardstick {
    private static final double FACTOR = 3;

    /** What rounding makes of a result. */
    public enum Rounding {
        /** Each operation rounds by half a unit in the last place of float32 at most. */
        FLOAT32(0x1p-24, 4),

        /**
         * Factors of products round by half a unit in the last place of tf32 at most, and results by float32's. Only one unit: the
         * rounding of factors averages over sums, and several units would cover what the factor of three is to find.
         */
        TF32(0x1p-11, 1);

        private final double rounding;
        private final double units;

        Rounding(double rounding, double units) {
            this.rounding = rounding;
            this.units = units;
        }

        /**
         * The largest error that passes.
         *
         * @param yardstick what the same formulas miss by in terms of this rounding
         * @param magnitude of the result
         */
        public double bound(double yardstick, double magnitude) {
            return FACTOR * yardstick + units * rounding * magnitude;
        }
    }

    private static final boolean PRINT = "print".equals(System.getProperty("greenfield.yardstick"));
    private static final Map<String, Double> WORST = new TreeMap<>();

    private Yardstick() {}

    /**
     * Fails unless {@code actual} is as close to {@code exact} as float32 arithmetic lets one hope.
     *
     * @param what the operation, then perhaps a colon and the case
     * @param actual what the backend computed
     * @param exact the float64 result
     * @param single the result of the same formulas in float32 terms
     */
    public static void check(String what, double[] actual, double[] exact, double[] single) {
        check(what, distance(actual, exact), distance(single, exact), magnitude(exact));
    }

    /**
     * Fails unless an error is as small as float32 arithmetic lets one hope.
     *
     * @param error what the backend missed by
     * @param singleError what the same formulas in float32 terms miss by
     * @param magnitude of the result
     */
    public static void check(String what, double error, double singleError, double magnitude) {
        check(what, error, singleError, magnitude, Rounding.FLOAT32);
    }

    /** As {@link #check(String, double, double, double)} for another rounding, whose yardstick is {@code yardstick}. */
    public static void check(String what, double error, double yardstick, double magnitude, Rounding rounding) {
        if (PRINT) {
            print(what.split(":", 2)[0], error / Math.max(yardstick, rounding.rounding * magnitude));
        }
        double bound = rounding.bound(yardstick, magnitude);
        if (!(error <= bound)) {
            throw new AssertionError(what + ": error " + error + ", expected at most " + bound + " (in " + rounding
                    + " terms " + yardstick + ", largest magnitude " + magnitude + ")");
        }
    }

    private static synchronized void print(String operation, double ratio) {
        if (ratio > WORST.getOrDefault(operation, 0.0)) {
            WORST.put(operation, ratio);
            System.out.printf("yardstick %-50s %.2f%n", operation, ratio);
        }
    }

    /** The largest absolute difference; NaN if there is one anywhere, so that no comparison accepts it. */
    public static double distance(double[] a, double[] b) {
        if (a.length != b.length) {
            throw new AssertionError(a.length + " values, expected " + b.length);
        }
        double distance = 0;
        for (int i = 0; i < a.length; i++) {
            double d = Math.abs(a[i] - b[i]);
            if (Double.isNaN(d)) {
                return d;
            }
            distance = Math.max(distance, d);
        }
        return distance;
    }

    /** The largest absolute value. */
    public static double magnitude(double[] values) {
        double magnitude = 0;
        for (double value : values) {
            magnitude = Math.max(magnitude, Math.abs(value));
        }
        return magnitude;
    }
}
