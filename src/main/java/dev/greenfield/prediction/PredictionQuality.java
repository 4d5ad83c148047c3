package dev.greenfield.prediction;

import dev.greenfield.failure.InputException;
import dev.greenfield.statistics.PairMoments;
import dev.greenfield.statistics.RankCorrelation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.commons.statistics.descriptive.Median;

/**
 * How well predicted changes agree with measured ones, over the interventions on one prompt. What is not defined is NaN. Leave
 * out interventions that change nothing: they would agree whatever the prediction.
 */
public final class PredictionQuality {
    /** How many of the largest changes {@link #topOverlap} compares. */
    public static final int TOP = 5;

    /** Relative errors of single interventions are of those with at least this fraction of the largest measured change. */
    public static final double FLOOR = 0.01;

    /** The relative errors beyond which interventions are counted. */
    static final List<Double> ERRORS = List.of(0.1, 0.2, 0.5);

    private final double[] predicted;
    private final double[] measured;
    private final PairMoments moments;
    private final double spearman;
    private final double topOverlap;
    private final int signed;
    private final int sameSign;
    private final int compared;
    private final int[] beyond = new int[ERRORS.size()];
    private final double medianRelativeError;

    private PredictionQuality(double[] predicted, double[] measured) {
        this.predicted = predicted;
        this.measured = measured;
        this.moments = PairMoments.of(predicted, measured);
        this.spearman = RankCorrelation.spearman(predicted, measured);
        this.topOverlap = topOverlap(predicted, measured, TOP);
        this.signed = (int) IntStream.range(0, measured.length)
                .filter(i -> measured[i] != 0)
                .count();
        this.sameSign = (int) IntStream.range(0, measured.length)
                .filter(i -> measured[i] != 0 && Math.signum(measured[i]) == Math.signum(predicted[i]))
                .count();
        double floor = 0;
        for (double m : measured) {
            floor = Math.max(floor, FLOOR * Math.abs(m));
        }
        double least = floor;
        double[] errors = IntStream.range(0, measured.length)
                .filter(i -> measured[i] != 0 && Math.abs(measured[i]) >= least)
                .mapToDouble(i -> Math.abs(predicted[i] - measured[i]) / Math.abs(measured[i]))
                .toArray();
        this.compared = errors.length;
        for (int e = 0; e < beyond.length; e++) {
            for (double error : errors) {
                beyond[e] += error > ERRORS.get(e) ? 1 : 0;
            }
        }
        this.medianRelativeError =
                errors.length == 0 ? Double.NaN : Median.withDefaults().evaluate(errors);
    }

    /**
     * Compares two arrays.
     *
     * @param predicted [n]
     * @param measured [n]
     * @throws InputException if the lengths differ, or a number is not finite
     */
    public static PredictionQuality of(double[] predicted, double[] measured) {
        if (predicted.length != measured.length) {
            throw new InputException("found " + predicted.length + " predicted and " + measured.length
                    + " measured changes, expected as many of both");
        }
        for (int i = 0; i < predicted.length; i++) {
            if (!Double.isFinite(predicted[i]) || !Double.isFinite(measured[i])) {
                throw new InputException("change " + i + " is predicted as " + predicted[i] + " and measured as "
                        + measured[i] + ", expected finite numbers");
            }
        }
        return new PredictionQuality(predicted.clone(), measured.clone());
    }

    private static double topOverlap(double[] predicted, double[] measured, int k) {
        if (measured.length <= k) {
            return Double.NaN;
        }
        Set<Integer> both = new HashSet<>(largest(predicted, k));
        both.retainAll(largest(measured, k));
        return (double) both.size() / k;
    }

    /** The indices of the k largest magnitudes; of equal ones the first come first. */
    private static List<Integer> largest(double[] values, int k) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, values.length).boxed().toList());
        order.sort(Comparator.comparingDouble((Integer i) -> -Math.abs(values[i])));
        return order.subList(0, k);
    }

    /** As given, [n]; not to be changed. */
    double[] predicted() {
        return predicted;
    }

    /** As given, [n]; not to be changed. */
    double[] measured() {
        return measured;
    }

    PairMoments moments() {
        return moments;
    }

    /** n. */
    public long count() {
        return moments.count();
    }

    /** Pearson's correlation; NaN for n below 2, or where all predicted or all measured changes are the same. */
    public double pearson() {
        return moments.pearson();
    }

    /** Spearman's correlation: Pearson's of the ranks, equal numbers sharing the mean of theirs; NaN as {@link #pearson}. */
    public double spearman() {
        return spearman;
    }

    /**
     * R squared against the identity line, 1 - sum (p - m)^2 / sum (m - mean m)^2: 1 if exact, 0 if no better than the mean of the
     * measured changes, without a lower bound; NaN for n below 2, or where all measured changes are the same.
     */
    public double rSquared() {
        return moments.rSquared();
    }

    /** sqrt(sum (p - m)^2 / sum m^2); NaN where all measured changes are 0. */
    public double relativeError() {
        return moments.relativeError();
    }

    /** The fraction of changes whose sign is predicted, of those measured as other than 0; NaN if there are none. */
    public double signAgreement() {
        return signed == 0 ? Double.NaN : (double) sameSign / signed;
    }

    /** The fraction of the {@link #TOP} largest measured magnitudes that are among the largest predicted ones; NaN for n up to TOP. */
    public double topOverlap() {
        return topOverlap;
    }

    /** Median of |p - m| / |m| over the changes of at least {@link #FLOOR} of the largest; NaN if there is none. */
    public double medianRelativeError() {
        return medianRelativeError;
    }

    /** How many changes the relative errors are of. */
    public int compared() {
        return compared;
    }

    /** Of these, how many have |p - m| / |m| above 0.1, 0.2 and 0.5, [3]. */
    public int[] beyond() {
        return beyond.clone();
    }

    int signed() {
        return signed;
    }

    int sameSign() {
        return sameSign;
    }
}
