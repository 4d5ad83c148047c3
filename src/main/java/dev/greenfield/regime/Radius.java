package dev.greenfield.regime;

import java.util.Locale;

/**
 * The amplitude up to which first order holds within a tolerance, as far as it could be found: it lies between two bounds.
 *
 * @param low it is at least this; 0 where no amplitude was seen to be within the tolerance
 * @param high it is at most this; infinite where no amplitude was seen to be off
 */
public record Radius(double low, double high) {
    /** Nothing could be measured. */
    static final Radius UNKNOWN = new Radius(0, Double.POSITIVE_INFINITY);

    /** How much is known. */
    public enum Kind {
        /** The radius itself. */
        FOUND,
        /** It is larger than the largest amplitude. */
        ABOVE,
        /** First order is off already at the least amplitude that could be measured. */
        BELOW,
        /** No change was large enough to be measured. */
        UNKNOWN
    }

    /** A radius that was found. */
    static Radius found(double value) {
        return new Radius(value, value);
    }

    /** How much is known. */
    public Kind kind() {
        if (high < Double.POSITIVE_INFINITY) {
            return low == high ? Kind.FOUND : Kind.BELOW;
        }
        return low > 0 ? Kind.ABOVE : Kind.UNKNOWN;
    }

    /** The radius where it was found, infinity where it is above, 0 where it is below, NaN where nothing is known. */
    public double value() {
        return switch (kind()) {
            case FOUND -> low;
            case ABOVE -> Double.POSITIVE_INFINITY;
            case BELOW -> 0;
            case UNKNOWN -> Double.NaN;
        };
    }

    /** The smaller of two radii. */
    Radius min(Radius other) {
        return new Radius(Math.min(low, other.low), Math.min(high, other.high));
    }

    /** Whether a predicted radius agrees within a factor of at least 1: times or divided by it, it is within the bounds. */
    public boolean agrees(double predicted, double factor) {
        return predicted * factor >= low && predicted / factor <= high;
    }

    @Override
    public String toString() {
        return switch (kind()) {
            case FOUND -> String.format(Locale.ROOT, "%.4g", low);
            case ABOVE -> String.format(Locale.ROOT, "above %.4g", low);
            case BELOW -> String.format(Locale.ROOT, "below %.4g", high);
            case UNKNOWN -> "unknown";
        };
    }
}
