package dev.greenfield.backend.reference;

/**
 * What the reference loops round to. {@link #SINGLE} and {@link #TF32} run the same mathematics in the terms of another
 * precision: the errors that they make against {@link #DOUBLE} are the yardsticks that other backends are held to.
 */
public enum Arithmetic {
    /** float64, the oracle. */
    DOUBLE(false, Factors.WHOLE),

    /** Each operation rounded to float32. */
    SINGLE(true, Factors.WHOLE),

    /**
     * As {@link #SINGLE}, and the factors of matrix products and of attention's products rounded to ten bits of mantissa first, to
     * nearest, ties to even.
     */
    TF32(true, Factors.ROUNDED),

    /** As {@link #TF32}, but further bits are cut off, as tensor cores do to factors that nobody rounded. */
    TF32_CUT(true, Factors.CUT);

    private enum Factors {
        WHOLE,
        ROUNDED,
        CUT
    }

    /** Bits of a float32 mantissa that tf32 does not have. */
    private static final int DROPPED_BITS = 13;

    // Fields rather than overridden methods: with three of those in a process the compiler would inline none.
    private final boolean single;
    private final Factors factors;

    Arithmetic(boolean single, Factors factors) {
        this.single = single;
        this.factors = factors;
    }

    /** The result of one operation. */
    double round(double x) {
        return single ? (float) x : x;
    }

    /** A number as a factor of a product. */
    double factor(double x) {
        if (factors == Factors.WHOLE || !Double.isFinite(x)) {
            return x;
        }
        int bits = Float.floatToRawIntBits((float) x);
        if (factors == Factors.ROUNDED) {
            int tie = (bits >>> DROPPED_BITS) & 1;
            bits += (1 << (DROPPED_BITS - 1)) - 1 + tie;
        }
        return Float.intBitsToFloat((bits >> DROPPED_BITS) << DROPPED_BITS);
    }
}
