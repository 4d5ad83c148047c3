package dev.greenfield.testing;

import java.util.Arrays;

/** Measures of how far numbers are from what they should be. */
public final class Errors {
    private Errors() {}

    /** The largest absolute error over the largest magnitude. */
    public static double relative(double[] actual, double[] expected) {
        if (actual.length != expected.length) {
            throw new AssertionError(actual.length + " values, expected " + expected.length);
        }
        double error = 0;
        double magnitude = 0;
        for (int i = 0; i < actual.length; i++) {
            if (Double.isNaN(actual[i])) {
                return Double.NaN;
            }
            error = Math.max(error, Math.abs(actual[i] - expected[i]));
            magnitude = Math.max(magnitude, Math.abs(expected[i]));
        }
        return magnitude == 0 ? error : error / magnitude;
    }

    /** All rows one after another. */
    public static double[] flat(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }
}
