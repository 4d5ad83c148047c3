package dev.greenfield.backend.reference;

/**
 * What the reference loops round to. {@link #SINGLE} and {@link #TF32} run the same mathematics in the terms of another
 * precision: the errors that they make against {@link #DOUBLE} are the yardsticks that other backends are held to.
 */
public enum Arithmetic {
    /** float64, the oracle. */
    DOUBLE(false, false),

    /** Each operation rounded to float32. */
    SINGLE(true, false),

    /** As {@link #SINGLE}, and the factors of matrix products and of attention's products rounded to ten bits of mantissa first. */
    TF32(true, true);

    /** Bits of a float32 mantissa that tf32 does not have. */
    private static final int DROPPED_BITS = 13;

    // Fields rather than overridden methods: with three of those in a process the compiler would inline none.
    private final boolean single;
    private final boolean tf32;

    Arithmetic(boolean single, boolean tf32) {
        this.single = single;
        this.tf32 = tf32;
    }

    /** The result of one operation. */
    double round(double x) {
        return single ? (float) x : x;
    }

    /** A number as a factor of a product: to nearest, ties to even. */
    double factor(double x) {
        if (!tf32 || !Double.isFinite(x)) {
            return x;
        }
        int bits = Float.floatToRawIntBits((float) x);
        int tie = (bits >>> DROPPED_BITS) & 1;
        int half = (1 << (DROPPED_BITS - 1)) - 1;
        return Float.intBitsToFloat(((bits + half + tie) >> DROPPED_BITS) << DROPPED_BITS);
    }
}
