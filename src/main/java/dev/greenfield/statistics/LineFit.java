package dev.greenfield.statistics;

import java.util.OptionalDouble;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * A straight line y = intercept + slope x through points, by ordinary least squares.
 *
 * @param slope the slope
 * @param intercept y at x = 0
 * @param rSquared the part of the variance of y that the line explains; NaN where y does not vary
 * @param low lower end of the confidence interval of the slope (Student's t with points - 2 degrees of freedom)
 * @param high its upper end
 * @param points how many points, at least 3
 */
public record LineFit(double slope, double intercept, double rSquared, double low, double high, int points) {
    /** Two points always lie on a line: only from three on the residuals say how well the slope is known. */
    public static final int LEAST = 3;

    /**
     * Fits a line.
     *
     * @param x abscissae, [n] with n of at least 3, not all equal
     * @param y ordinates, [n]
     * @param confidence coverage of the interval, such as 0.95; it holds for independent normal errors of equal variance
     * @throws IllegalArgumentException if there are too few points
     */
    public static LineFit of(double[] x, double[] y, double confidence) {
        int n = x.length;
        if (n < LEAST || y.length != n) {
            throw new IllegalArgumentException(
                    "found " + n + " abscissae and " + y.length + " ordinates, expected as many of both, 3 or more");
        }
        double slope =
                slope(x, y).orElseThrow(() -> new IllegalArgumentException("found abscissae that are all equal"));
        double meanX = mean(x);
        double meanY = mean(y);
        double residuals = 0;
        double total = 0;
        double spread = 0;
        for (int i = 0; i < n; i++) {
            double off = y[i] - meanY - slope * (x[i] - meanX);
            residuals += off * off;
            total += (y[i] - meanY) * (y[i] - meanY);
            spread += (x[i] - meanX) * (x[i] - meanX);
        }
        double error = Math.sqrt(residuals / (n - 2) / spread);
        double half = error * TDistribution.of(n - 2.0).inverseCumulativeProbability((1 + confidence) / 2);
        double explained = total == 0 ? Double.NaN : Math.max(0, 1 - residuals / total);
        return new LineFit(slope, meanY - slope * meanX, explained, slope - half, slope + half, n);
    }

    /** The slope alone; nothing for fewer than two points or abscissae that are all equal. */
    public static OptionalDouble slope(double[] x, double[] y) {
        if (x.length < 2) {
            return OptionalDouble.empty();
        }
        double meanX = mean(x);
        double meanY = mean(y);
        double products = 0;
        double squares = 0;
        for (int i = 0; i < x.length; i++) {
            products += (x[i] - meanX) * (y[i] - meanY);
            squares += (x[i] - meanX) * (x[i] - meanX);
        }
        return squares == 0 ? OptionalDouble.empty() : OptionalDouble.of(products / squares);
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
