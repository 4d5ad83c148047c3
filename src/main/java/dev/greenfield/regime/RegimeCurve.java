package dev.greenfield.regime;

import dev.greenfield.regime.LinearRegime.Verdict;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * The change of F over the amplitude of one source with one sign, at the amplitudes measured so far: where first order first is off,
 * and at which amplitude to measure next to find that more closely.
 */
final class RegimeCurve {
    /** A point counts as the radius when its relative error is this near to the tolerance, relative to it. */
    private static final double CLOSE = 1e-3;
    /** Bounds nearer to each other than this, relative to them, are near enough. */
    private static final double TIGHT = 4e-3;
    /** Likewise the factor between a bound and an amplitude at which rounding hides the answer. */
    private static final double EDGE = 1.25;
    /** A new point keeps this far, in parts of the logarithmic bracket, from its ends: one end alone must not creep. */
    private static final double MARGIN = 0.05;

    private final double slope; // with the sign
    private final RoundingNoise noise;
    private final TreeMap<Double, Double> changes = new TreeMap<>();

    RegimeCurve(double slope, RoundingNoise noise) {
        this.slope = slope;
        this.noise = noise;
    }

    void put(double amplitude, double change) {
        changes.put(amplitude, change);
    }

    double change(double amplitude) {
        return changes.get(amplitude);
    }

    private double off(double amplitude) {
        return LinearRegime.off(changes.get(amplitude), amplitude * slope);
    }

    /** The largest amplitude within the tolerance before the first that is off. */
    private Radius bracket(double tolerance) {
        double within = 0;
        for (Map.Entry<Double, Double> point : changes.entrySet()) {
            double amplitude = point.getKey();
            Verdict verdict = LinearRegime.verdict(point.getValue(), amplitude * slope, tolerance, noise);
            if (verdict == Verdict.OFF) {
                return Radius.bounded(within, amplitude);
            }
            if (verdict == Verdict.WITHIN) {
                within = amplitude;
            }
        }
        return Radius.bounded(within, Double.POSITIVE_INFINITY);
    }

    /** An end of the bracket that is as good as the radius. */
    private OptionalDouble hit(Radius bracket, double tolerance) {
        if (off(bracket.low()) >= tolerance * (1 - CLOSE)) {
            return OptionalDouble.of(bracket.low());
        }
        return off(bracket.high()) <= tolerance * (1 + CLOSE)
                ? OptionalDouble.of(bracket.high())
                : OptionalDouble.empty();
    }

    private static boolean open(Radius bracket) {
        return bracket.low() == 0 || bracket.high() == Double.POSITIVE_INFINITY;
    }

    /** The amplitude to measure next; empty where the radius is known, or cannot be known better. */
    OptionalDouble next(double tolerance, boolean halve) {
        Radius bracket = bracket(tolerance);
        if (open(bracket) || bracket.high() <= bracket.low() * (1 + TIGHT)) {
            return OptionalDouble.empty();
        }
        NavigableMap<Double, Double> doubtful = changes.subMap(bracket.low(), false, bracket.high(), false);
        if (!doubtful.isEmpty()) {
            return edge(bracket, doubtful);
        }
        OptionalDouble hit = hit(bracket, tolerance);
        if (hit.isPresent()) { // the other bound, near by
            return OptionalDouble.of(
                    hit.getAsDouble() == bracket.low()
                            ? bracket.low() * (1 + TIGHT / 2)
                            : bracket.high() / (1 + TIGHT / 2));
        }
        double part = halve ? 0.5 : Math.min(1 - MARGIN, Math.max(MARGIN, crossing(bracket, tolerance)));
        return OptionalDouble.of(between(bracket, part));
    }

    /** Where rounding hides the radius, the bounds still come near to what it hides. */
    private static OptionalDouble edge(Radius bracket, NavigableMap<Double, Double> doubtful) {
        Radius below = Radius.bounded(bracket.low(), doubtful.firstKey());
        Radius above = Radius.bounded(doubtful.lastKey(), bracket.high());
        if (below.high() > below.low() * EDGE) {
            return OptionalDouble.of(between(below, 0.5));
        }
        return above.high() > above.low() * EDGE ? OptionalDouble.of(between(above, 0.5)) : OptionalDouble.empty();
    }

    /** Where the relative error, a straight line in logarithms between the ends, reaches the tolerance: a part of the bracket. */
    private double crossing(Radius bracket, double tolerance) {
        double low = Math.log(off(bracket.low()));
        double high = Math.log(off(bracket.high()));
        return Double.isInfinite(low) || Double.isInfinite(high) ? 0.5 : (Math.log(tolerance) - low) / (high - low);
    }

    private static double between(Radius bracket, double part) {
        return bracket.low() * Math.pow(bracket.high() / bracket.low(), part);
    }

    /** The radius as far as it is known. */
    Radius radius(double tolerance) {
        Radius bracket = bracket(tolerance);
        if (open(bracket)) {
            return bracket;
        }
        double likely = hit(bracket, tolerance)
                .orElseGet(() -> between(bracket, Math.min(1, Math.max(0, crossing(bracket, tolerance)))));
        return new Radius(bracket.low(), bracket.high(), likely);
    }

    /** What was measured at a grid's amplitudes, and the radii at its tolerances. */
    LinearRegime.Side over(RegimeGrid grid) {
        return new LinearRegime.Side(
                Arrays.stream(grid.amplitudes()).map(this::change).toArray(),
                Arrays.stream(grid.tolerances()).mapToObj(this::radius).toArray(Radius[]::new));
    }
}
