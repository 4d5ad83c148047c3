package dev.greenfield.propagation;

import java.util.Arrays;

/** Norms in order, each with the number of the source that it is of: medians of resampled sources take one pass. */
final class SortedNorms {
    private final double[] values; // ascending
    private final int[] sources; // of each value

    /** Sorts copies; {@code sources[i]} is the source of {@code values[i]}. */
    SortedNorms(double[] values, int[] sources) {
        this.values = values.clone();
        this.sources = new int[sources.length];
        Arrays.sort(this.values);
        // The sources follow by rank: equal values may take each other's places.
        int[] taken = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            int first = first(values[i]);
            this.sources[first + taken[first]++] = sources[i];
        }
    }

    private int first(double value) {
        int low = 0;
        int high = values.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (values[middle] < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    int count() {
        return values.length;
    }

    double mean() {
        return Arrays.stream(values).average().orElse(Double.NaN);
    }

    /** The median; NaN of nothing. */
    double median() {
        int n = values.length;
        return n == 0 ? Double.NaN : between(values[(n - 1) / 2], values[n / 2]);
    }

    /** The median when each source counts as often as {@code times} says; NaN if none does. */
    double median(int[] times) {
        long total = 0;
        for (int source : sources) {
            total += times[source];
        }
        if (total == 0) {
            return Double.NaN;
        }
        double lower = Double.NaN;
        long passed = 0;
        for (int i = 0; i < values.length; i++) {
            passed += times[sources[i]];
            if (Double.isNaN(lower) && passed > (total - 1) / 2) {
                lower = values[i];
            }
            if (passed > total / 2) {
                return between(lower, values[i]);
            }
        }
        throw new AssertionError("the middle lies within the whole");
    }

    /** Equal middles stay what they are to the bit. */
    private static double between(double lower, double upper) {
        return lower + (upper - lower) / 2;
    }
}
