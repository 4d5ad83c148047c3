package dev.greenfield.safetensors;

import java.util.Arrays;

/**
 * The element types of the format; each name is the one that a safetensors header uses. All can be listed; those whose numbers are
 * {@link #readable} can be read and written.
 */
public enum DType {
    /** IEEE 754 binary64. */
    F64(64, true, true),
    /** IEEE 754 binary32. */
    F32(32, true, true),
    /** IEEE 754 binary16: 5 exponent bits, 10 fraction bits. */
    F16(16, true, true),
    /** The upper half of a binary32: 8 exponent bits, 7 fraction bits. */
    BF16(16, true, true),
    /** Signed integer of 64 bits. */
    I64(64, false, true),
    /** Signed integer of 32 bits. */
    I32(32, false, true),
    /** Signed integer of 16 bits. */
    I16(16, false, true),
    /** Signed integer of 8 bits. */
    I8(8, false, true),
    /** Unsigned integer of 8 bits. */
    U8(8, false, true),
    /** A byte, 0 for false and anything else for true; written as 0 or 1. */
    BOOL(8, false, true),
    /** Unsigned integer of 16 bits. */
    U16(16, false, true),
    /** Unsigned integer of 32 bits. */
    U32(32, false, true),
    /** Unsigned integer of 64 bits. */
    U64(64, false, false),
    /** A complex number of two binary32. */
    C64(64, false, false),
    /** A float of 8 bits with 4 exponent bits. */
    F8_E4M3(8, true, false),
    /** A float of 8 bits with 5 exponent bits. */
    F8_E5M2(8, true, false),
    /** {@link #F8_E4M3} with neither infinities nor a negative zero. */
    F8_E4M3FNUZ(8, true, false),
    /** {@link #F8_E5M2} with neither infinities nor a negative zero. */
    F8_E5M2FNUZ(8, true, false),
    /** A power of two, as scales of blocks are. */
    F8_E8M0(8, true, false),
    /** A float of 6 bits with 2 exponent bits; four take three bytes. */
    F6_E2M3(6, true, false),
    /** A float of 6 bits with 3 exponent bits; four take three bytes. */
    F6_E3M2(6, true, false),
    /** A float of 4 bits; two take a byte. */
    F4(4, true, false);

    private final int bits;
    private final boolean floating;
    private final boolean readable;

    DType(int bits, boolean floating, boolean readable) {
        this.bits = bits;
        this.floating = floating;
        this.readable = readable;
    }

    /** Returns the size of one element in bytes: 1, 2, 4 or 8; 1 for the types of less than 8 bits, which are not {@link #readable}. */
    public int bytes() {
        return Math.max(1, bits / 8);
    }

    /** Returns the size of one element in bits. */
    int bits() {
        return bits;
    }

    /** Returns whether elements are floating-point numbers; the others are integers, {@link #BOOL} among them, or complex. */
    public boolean floating() {
        return floating;
    }

    /** Returns whether elements can be read as numbers and written. A tensor of another type is listed, and refuses to be read. */
    public boolean readable() {
        return readable;
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
