package dev.greenfield.backend;

import java.util.Locale;

/** The arithmetic a backend computes in. */
public enum Precision {
    /** IEEE 754 binary64. */
    FP64(8),
    /** IEEE 754 binary32. */
    FP32(4),
    /** binary32 storage, matrix products with operands rounded to 10 mantissa bits (NVIDIA tensor cores). */
    TF32(4);

    private final int bytes;

    Precision(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes that one stored element takes. */
    public int bytes() {
        return bytes;
    }

    /** The name used on the command line and in result files: {@code fp64}, {@code fp32} or {@code tf32}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
