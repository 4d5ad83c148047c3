package dev.greenfield.regime;

import dev.greenfield.lattice.Source;
import java.util.Locale;

/**
 * How far first order holds for one source J: the change of F when epsilon J is added, measured at amplitudes epsilon of both
 * signs, against epsilon F' and epsilon F' + epsilon^2 F'' / 2. First order is <em>off by q</em> where |measured - epsilon F'| is
 * more than q |measured|; the radius at q is the least amplitude from which on it is. Changes are measured up to rounding: an amplitude
 * at which that could turn the comparison says nothing about q.
 */
public final class LinearRegime {
    private final Source source;
    private final double slope;
    private final double curvature;
    private final RoundingNoise noise;
    private final RegimeGrid grid;
    private final double[] measured;
    private final double[] opposite;
    private final Radius[] radii; // per tolerance
    private final Radius[] oppositeRadii;

    /** What is seen at one amplitude. */
    public enum Verdict {
        /** First order is within the tolerance, with both signs. */
        WITHIN,
        /** First order is off by more than the tolerance, with either sign. */
        OFF,
        /** The change is too small to say. */
        NOT_MEASURABLE
    }

    LinearRegime(
            Source source,
            double slope,
            double curvature,
            RoundingNoise noise,
            RegimeGrid grid,
            Side forward,
            Side backward) {
        this.source = source;
        this.slope = slope;
        this.curvature = curvature;
        this.noise = noise;
        this.grid = grid;
        this.measured = forward.changes();
        this.opposite = backward.changes();
        this.radii = forward.radii();
        this.oppositeRadii = backward.radii();
    }

    /**
     * What was measured with one sign.
     *
     * @param changes of F at each amplitude of the grid
     * @param radii at each of its tolerances
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over once, never compared
    record Side(double[] changes, Radius[] radii) {}

    /** J: amplitudes are multiples of it. */
    public Source source() {
        return source;
    }

    /** F' = dF/d epsilon at 0, the sensitivity along J. */
    public double slope() {
        return slope;
    }

    /** F'' = d^2 F/d epsilon^2 at 0. */
    public double curvature() {
        return curvature;
    }

    /** How much rounding may move a small measured change of F; a large one {@link #noise(double) somewhat more}. */
    public double noise() {
        return noise.floor();
    }

    /** How much rounding may move a measured change of F of this size. */
    public double noise(double change) {
        return noise.about(change);
    }

    /** The amplitudes and tolerances. */
    public RegimeGrid grid() {
        return grid;
    }

    /** The change of F at each amplitude, [amplitudes]. */
    public double[] measured() {
        return measured.clone();
    }

    /** The change of F at minus each amplitude, [amplitudes]. */
    public double[] opposite() {
        return opposite.clone();
    }

    /** The first-order change at an amplitude of either sign. */
    public double predicted(double epsilon) {
        return epsilon * slope;
    }

    /** The change to second order at an amplitude of either sign. */
    public double secondOrder(double epsilon) {
        return epsilon * slope + epsilon * epsilon * curvature / 2;
    }

    /** The radius for both signs at tolerance number {@code i} of the grid: the smaller of theirs. */
    public Radius radius(int i) {
        return radii[i].min(oppositeRadii[i]);
    }

    /** The radius for positive amplitudes at tolerance number {@code i} of the grid. */
    public Radius positiveRadius(int i) {
        return radii[i];
    }

    /** The radius for negative amplitudes at tolerance number {@code i} of the grid. */
    public Radius negativeRadius(int i) {
        return oppositeRadii[i];
    }

    /**
     * The radius that first and second order predict before anything is measured. With F'' alone beyond F', first order is off by
     * |epsilon F'' / 2| of |epsilon F' + epsilon^2 F'' / 2|, which is q first where the two terms oppose each other:
     *
     * <pre>  radius(q) = 2 q/(1+q) |F'| / |F''|</pre>
     *
     * @return infinite where F'' is zero; NaN where F' is zero too, so that nothing is predicted
     */
    public double predictedRadius(double tolerance) {
        if (slope == 0 && curvature == 0) {
            return Double.NaN;
        }
        return 2 * tolerance / (1 + tolerance) * Math.abs(slope) / Math.abs(curvature);
    }

    /** The reliability flag: whether first order is predicted to be within a tolerance at an amplitude of either sign. */
    public boolean reliable(double amplitude, double tolerance) {
        return Math.abs(amplitude) <= predictedRadius(tolerance);
    }

    /** What was seen of a tolerance at amplitude number {@code i} of the grid, with both signs. */
    public Verdict verdict(int i, double tolerance) {
        double predicted = grid.amplitudes()[i] * slope;
        Verdict positive = verdict(measured[i], predicted, tolerance, noise);
        Verdict negative = verdict(opposite[i], -predicted, tolerance, noise);
        if (positive == Verdict.OFF || negative == Verdict.OFF) {
            return Verdict.OFF;
        }
        return positive == Verdict.WITHIN && negative == Verdict.WITHIN ? Verdict.WITHIN : Verdict.NOT_MEASURABLE;
    }

    /** What one measured change says of its prediction. */
    static Verdict verdict(double measured, double predicted, double tolerance, RoundingNoise noise) {
        if (measured == 0 && predicted == 0) {
            return Verdict.NOT_MEASURABLE;
        }
        // With the true change at most n away, both sides move by at most (1 + q) n towards each other.
        double doubt = (1 + tolerance) * noise.about(measured);
        double excess = Math.abs(measured - predicted) - tolerance * Math.abs(measured);
        if (excess > doubt) {
            return Verdict.OFF;
        }
        return excess <= -doubt ? Verdict.WITHIN : Verdict.NOT_MEASURABLE;
    }

    /** The relative error of first order, |measured - predicted| / |measured|; NaN where both are zero. */
    static double off(double measured, double predicted) {
        return Math.abs(measured - predicted) / Math.abs(measured);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s: F' = %.4g, F'' = %.4g, radius %s at tolerance %s",
                source,
                slope,
                curvature,
                radius(0),
                grid.tolerances()[0]);
    }
}
