package dev.greenfield.statistics;

/**
 * Sums over pairs of a predicted and a measured number, centred, so that sets of pairs can be joined exactly as if they had been one
 * (Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983).
 *
 * <p>How far predictions p say measurements m is told by three numbers together: {@link #rSquared}, {@link #slope} and {@link
 * #relativeError}, the share of m that p misses. {@link #pearson} alone would not tell: it is 1 also where every p is half of its m.
 */
public final class PairMoments {
    private long count;
    private double meanPredicted;
    private double meanMeasured;
    private double varyPredicted; // sum of (p - mean)^2
    private double varyMeasured;
    private double varyBoth; // sum of (p - mean) (m - mean)
    private double residual; // sum of (p - m)^2

    /** The sums of two arrays of equal length. */
    public static PairMoments of(double[] predicted, double[] measured) {
        PairMoments sums = new PairMoments();
        for (int i = 0; i < predicted.length; i++) {
            sums.count++;
            double p = predicted[i] - sums.meanPredicted;
            double m = measured[i] - sums.meanMeasured;
            sums.meanPredicted += p / sums.count;
            sums.meanMeasured += m / sums.count;
            sums.varyPredicted += p * (predicted[i] - sums.meanPredicted);
            sums.varyMeasured += m * (measured[i] - sums.meanMeasured);
            sums.varyBoth += p * (measured[i] - sums.meanMeasured);
            sums.residual += (predicted[i] - measured[i]) * (predicted[i] - measured[i]);
        }
        return sums;
    }

    /** Joins other pairs to these. */
    public void add(PairMoments other) {
        if (other.count == 0) {
            return;
        }
        long both = count + other.count;
        double p = other.meanPredicted - meanPredicted;
        double m = other.meanMeasured - meanMeasured;
        double weight = (double) count * other.count / both;
        varyPredicted += other.varyPredicted + p * p * weight;
        varyMeasured += other.varyMeasured + m * m * weight;
        varyBoth += other.varyBoth + p * m * weight;
        meanPredicted += p * other.count / both;
        meanMeasured += m * other.count / both;
        residual += other.residual;
        count = both;
    }

    public long count() {
        return count;
    }

    /** Pearson's correlation; NaN for fewer than two pairs, or where either number is the same in all of them. */
    public double pearson() {
        if (count < 2 || varyPredicted <= 0 || varyMeasured <= 0) {
            return Double.NaN;
        }
        double r = varyBoth / (Math.sqrt(varyPredicted) * Math.sqrt(varyMeasured));
        return Math.max(-1, Math.min(1, r));
    }

    /** 1 - sum of (p - m)^2 / sum of (m - mean)^2, against the line p = m: not above 1, below 0 where the mean of m does better; NaN
     * where all m are the same. */
    public double rSquared() {
        return count < 2 || varyMeasured <= 0 ? Double.NaN : 1 - residual / varyMeasured;
    }

    /** The slope of the line of least squares m = a + slope p; NaN where all p are the same. */
    public double slope() {
        return count < 2 || varyPredicted <= 0 ? Double.NaN : varyBoth / varyPredicted;
    }

    /**
     * The share missed, |m - p| / |m| = sqrt(sum of (m - p)^2 / sum of m^2) over all pairs together: 0 where p = m, 1 where p = 0 would
     * be as close; NaN where all m are zero.
     */
    public double relativeError() {
        double squares = varyMeasured + count * meanMeasured * meanMeasured;
        return squares > 0 ? Math.sqrt(residual / squares) : Double.NaN;
    }
}
