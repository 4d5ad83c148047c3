package dev.greenfield.model;

import java.util.Locale;

/** The arithmetic that a model is computed in. */
public enum Precision {
    /** IEEE 754 binary64. */
    FP64(8, 0x1p-53),
    /** IEEE 754 binary32. */
    FP32(4, 0x1p-24),
    /** binary32 storage, matrix products with factors rounded to 10 mantissa bits (NVIDIA tensor cores). */
    TF32(4, 0x1p-11),
    /** binary32 storage, matrix products with factors rounded to 7 mantissa bits, those within attention as in {@link #TF32}. */
    BF16(4, 0x1p-8);

    private final int bytes;
    private final double unitRoundoff;

    Precision(int bytes, double unitRoundoff) {
        this.bytes = bytes;
        this.unitRoundoff = unitRoundoff;
    }

    /** Bytes that one stored element takes. */
    public int bytes() {
        return bytes;
    }

    /**
     * The largest relative error of one rounding: half the distance of neighbouring numbers at 1. Of the numbers that are rounded most
     * coarsely, which in tf32 and bf16 are the factors of products.
     */
    public double unitRoundoff() {
        return unitRoundoff;
    }

    /** The name used on the command line and in result files, such as {@code fp32}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
