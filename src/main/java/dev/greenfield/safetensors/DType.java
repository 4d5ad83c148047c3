package dev.greenfield.safetensors;

import java.util.Arrays;

/** The element types that Greenfield reads and writes; each name is the one that a safetensors header uses. */
public enum DType {
    /** IEEE 754 binary64. */
    F64(8, true),
    /** IEEE 754 binary32. */
    F32(4, true),
    /** IEEE 754 binary16: 5 exponent bits, 10 fraction bits. */
    F16(2, true),
    /** The upper half of a binary32: 8 exponent bits, 7 fraction bits. */
    BF16(2, true),
    /** Signed integer of 64 bits. */
    I64(8, false),
    /** Signed integer of 32 bits. */
    I32(4, false),
    /** Signed integer of 16 bits. */
    I16(2, false),
    /** Signed integer of 8 bits. */
    I8(1, false),
    /** Unsigned integer of 8 bits. */
    U8(1, false),
    /** A byte, 0 for false and anything else for true; written as 0 or 1. */
    BOOL(1, false);

    private final int bytes;
    private final boolean floating;

    DType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** Returns the size of one element in bytes: 1, 2, 4 or 8. */
    public int bytes() {
        return bytes;
    }

    /** Returns whether elements are floating-point numbers; the others are integers, {@link #BOOL} among them. */
    public boolean floating() {
        return floating;
    }

    /**
     * Returns the type with a name, spelled exactly as in a header.
     *
     * @throws IllegalArgumentException if no type has that name; the message lists those that exist
     */
    public static DType of(String name) {
        for (DType dtype : values()) {
            if (dtype.name().equals(name)) {
                return dtype;
            }
        }
        throw new IllegalArgumentException("unknown dtype " + Text.quote(name) + "; expected one of "
                + Arrays.toString(values()) + ", so convert the tensor to one of these first");
    }
}
