package dev.greenfield.benchmarks;

import java.util.Arrays;
import java.util.List;

/**
 * Times of one thing done again and again, in seconds.
 *
 * @param median the middle one
 * @param low the 5 % point
 * @param high the 95 % point
 * @param repeats how many there were
 */
record TimeSpread(double median, double low, double high, int repeats) {
    private static final int FEWEST = 5;
    private static final int MOST = 1000;

    /** Work that takes so many times as long as was asked for is done twice, and the second time counts. */
    private static final double ONCE = 8;

    /**
     * Measures work that ends with the device done. It is warmed up first for half of the time, since the host's code is compiled as
     * it runs.
     *
     * @param seconds about how long to measure
     */
    static TimeSpread measure(double seconds, Runnable work) {
        double[] first = times(1, 0, work);
        if (first[0] > ONCE * seconds) {
            return of(times(1, 0, work));
        }
        double[] warm = times(2, seconds / 2, work);
        // A warm-up of two runs that took far longer than asked is all that there is time for.
        return of(times(warm.length == 2 ? 3 : FEWEST, seconds, work));
    }

    private static double[] times(int fewest, double seconds, Runnable work) {
        double[] times = new double[MOST];
        int n = 0;
        double sum = 0;
        while (n < fewest || (n < MOST && sum < seconds)) {
            long start = System.nanoTime();
            work.run();
            times[n] = (System.nanoTime() - start) / 1e9;
            sum += times[n++];
        }
        return Arrays.copyOf(times, n);
    }

    private static TimeSpread of(double[] times) {
        Arrays.sort(times);
        int last = times.length - 1;
        double median = (times[last / 2] + times[(last + 1) / 2]) / 2;
        return new TimeSpread(median, times[(int) (0.05 * last)], times[(int) Math.ceil(0.95 * last)], times.length);
    }

    /** Of times, or of other numbers, that are there already. */
    static TimeSpread ofAll(List<Double> values) {
        return of(values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** The same per part of work that had several. */
    TimeSpread per(int parts) {
        return new TimeSpread(median / parts, low / parts, high / parts, repeats);
    }
}
