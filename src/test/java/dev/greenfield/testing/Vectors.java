package dev.greenfield.testing;

import java.util.Random;

/** Seeded random vectors and what is done with vectors in tests. */
public final class Vectors {
    private Vectors() {}

    /** Normal numbers that are float32 values, so that every backend gets the very same ones. */
    public static double[] normal(long seed, int count) {
        Random random = new Random(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** x + factor d. */
    public static double[] plus(double[] x, double factor, double[] d) {
        double[] sum = x.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * d[i];
        }
        return sum;
    }

    public static double[] minus(double[] a, double[] b) {
        return plus(a, -1, b);
    }

    public static double dot(double[] a, double[] b) {
        if (a.length != b.length) {
            throw new AssertionError(a.length + " values and " + b.length + " have no inner product");
        }
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    public static double norm(double[] a) {
        return Math.sqrt(dot(a, a));
    }

    /** One after another. */
    public static double[] concat(double[]... parts) {
        int length = 0;
        for (double[] part : parts) {
            length += part.length;
        }
        double[] all = new double[length];
        int at = 0;
        for (double[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
