package dev.greenfield.regime;

import java.util.Locale;

/**
 * The amplitude up to which first order holds within a tolerance, as far as it could be found: it lies between two bounds, which allow for
 * rounding.
 *
 * @param low it is at least this; 0 where no amplitude was seen to be within the tolerance for certain
 * @param high it is at most this; infinite where no amplitude was seen to be off for certain
 * @param likely where it is taken to be between two bounds above 0; NaN where there are no such bounds
 */
public record Radius(double low, double high, double likely) {
    /** Nothing could be measured. */
    static final Radius UNKNOWN = bounded(0, Double.POSITIVE_INFINITY);

    /** How much is known. */
    public enum Kind {
        /** Between two bounds above 0. They are a few thousandths apart where rounding allows. */
        FOUND,
        /** It is larger than the largest amplitude. */
        ABOVE,
        /** First order is off already at the least amplitude that could be measured. */
        BELOW,
        /** No change was large enough to be measured. */
        UNKNOWN
    }

    /** A radius of which one bound is known, or none. */
    static Radius bounded(double low, double high) {
        return new Radius(low, high, Double.NaN);
    }

    /** How much is known. */
    public Kind kind() {
        if (high < Double.POSITIVE_INFINITY) {
            return low > 0 ? Kind.FOUND : Kind.BELOW;
        }
        return low > 0 ? Kind.ABOVE : Kind.UNKNOWN;
    }

    /** The radius where it was found, infinity where it is above, 0 where it is below, NaN where nothing is known. */
    public double value() {
        return switch (kind()) {
            case FOUND -> likely;
            case ABOVE -> Double.POSITIVE_INFINITY;
            case BELOW -> 0;
            case UNKNOWN -> Double.NaN;
        };
    }

    /** The smaller of two radii. */
    Radius min(Radius other) {
        double least = Math.min(low, other.low);
        double most = Math.min(high, other.high);
        if (least == 0 || most == Double.POSITIVE_INFINITY) {
            return bounded(least, most);
        }
        double one = Double.isNaN(likely) ? Double.POSITIVE_INFINITY : likely;
        double two = Double.isNaN(other.likely) ? Double.POSITIVE_INFINITY : other.likely;
        return new Radius(least, most, Math.max(least, Math.min(most, Math.min(one, two))));
    }

    /** Whether a predicted radius agrees within a factor of at least 1: times or divided by it, it meets what is known. */
    public boolean agrees(double predicted, double factor) {
        boolean found = kind() == Kind.FOUND;
        return predicted * factor >= (found ? likely : low) && predicted / factor <= (found ? likely : high);
    }

    @Override
    public String toString() {
        return switch (kind()) {
            case FOUND -> String.format(Locale.ROOT, "%.4g", likely);
            case ABOVE -> String.format(Locale.ROOT, "above %.4g", low);
            case BELOW -> String.format(Locale.ROOT, "below %.4g", high);
            case UNKNOWN -> "unknown";
        };
    }
}
