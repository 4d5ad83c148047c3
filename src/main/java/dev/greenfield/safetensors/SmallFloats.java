package dev.greenfield.safetensors;

/**
 * The two floating-point formats of 16 bits. Narrowing rounds once, to the nearest value and to even on a tie, from double
 * straight to the format: by way of float it would round twice and be wrong on some ties.
 */
final class SmallFloats {
    private static final int F16_FRACTION = 10;
    private static final int F16_LEAST_EXPONENT = -14;
    private static final int BF16_FRACTION = 7;
    private static final int BF16_LEAST_EXPONENT = -126;

    private SmallFloats() {}

    /** Returns the nearest binary16; beyond 65504 by half a step or more it is infinite. */
    static short toF16(double value) {
        return narrow(value, F16_FRACTION, F16_LEAST_EXPONENT);
    }

    /** Returns the nearest bfloat16. */
    static short toBf16(double value) {
        return narrow(value, BF16_FRACTION, BF16_LEAST_EXPONENT);
    }

    /** Returns the value of a binary16, exactly. */
    static float fromF16(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = half >> F16_FRACTION & 0x1f;
        int fraction = half & 0x3ff;
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f; // exact: a subnormal is this many steps of the least size
            return sign == 0 ? magnitude : -magnitude;
        }
        int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
    }

    /** Returns the value of a bfloat16, exactly. */
    static float fromBf16(short half) {
        return Float.intBitsToFloat(half << 16);
    }

    /**
     * Rounds to a format of 16 bits with the given number of fraction bits and the given exponent of its least normal value.
     *
     * <p>The significand, its leading one included, is shifted down to the step of the format at this magnitude and rounded
     * as an integer. Added to the exponent field rather than put beside it, that leading one and any carry land where the
     * encoding wants them, for subnormal results as for normal ones and up to infinity.
     */
    private static short narrow(double value, int fractionBits, int leastExponent) {
        long bits = Double.doubleToRawLongBits(value);
        int sign = (int) (bits >>> 48) & 0x8000;
        int infinity = 0x7fff >> fractionBits << fractionBits;
        if (Double.isNaN(value)) {
            // The upper bits of the payload are kept, and the quiet bit set so that none of them can make an infinity.
            int payload = (int) ((bits & 0xfffffffffffffL) >>> (52 - fractionBits));
            return (short) (sign | infinity | 1 << (fractionBits - 1) | payload);
        }
        int exponent = Math.getExponent(value);
        if (exponent > 1 - leastExponent) {
            return (short) (sign | infinity);
        }
        long significand = (bits & 0xfffffffffffffL) | 1L << 52;
        int shift = 52 - fractionBits + Math.max(0, leastExponent - exponent);
        if (shift > 53) {
            return (short) sign; // below half of the least step; zero and every subnormal double are among these
        }
        long rounded = significand >>> shift;
        long rest = significand & ((1L << shift) - 1);
        long half = 1L << (shift - 1);
        if (rest > half || (rest == half && (rounded & 1) == 1)) {
            rounded++;
        }
        int field = Math.max(0, exponent - leastExponent) << fractionBits;
        return (short) (sign | field + (int) rounded);
    }
}
