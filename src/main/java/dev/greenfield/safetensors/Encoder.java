package dev.greenfield.safetensors;

import java.nio.ByteBuffer;

/**
 * Java numbers turned into the elements of one tensor that is being written. Floating-point types round once, to nearest
 * and to even on a tie, and to infinity beyond their range. Integer types take a value exactly or refuse it. Every buffer
 * is little endian and has room for the elements.
 */
final class Encoder {
    private static final long EXACT = 1L << 53;

    private final String name;
    private final DType dtype;
    private final long elements;
    private long written;

    Encoder(String name, DType dtype, long elements) {
        this.name = name;
        this.dtype = dtype;
        this.elements = elements;
    }

    String name() {
        return name;
    }

    DType dtype() {
        return dtype;
    }

    long elements() {
        return elements;
    }

    long written() {
        return written;
    }

    /** Puts {@code count} values from index {@code at} on. */
    void put(double[] values, int at, int count, ByteBuffer into) {
        if (dtype == DType.F64) {
            into.asDoubleBuffer().put(values, at, count);
            into.position(into.position() + 8 * count);
            written += count;
            return;
        }
        for (int i = at; i < at + count; i++) {
            put(values[i], into);
        }
    }

    /** Puts {@code count} values from index {@code at} on. */
    void put(float[] values, int at, int count, ByteBuffer into) {
        if (dtype == DType.F32) {
            into.asFloatBuffer().put(values, at, count);
            into.position(into.position() + 4 * count);
            written += count;
            return;
        }
        for (int i = at; i < at + count; i++) {
            put((double) values[i], into);
        }
    }

    /** Puts {@code count} values from index {@code at} on. */
    void put(long[] values, int at, int count, ByteBuffer into) {
        for (int i = at; i < at + count; i++) {
            switch (dtype) {
                case F64 -> into.putDouble((double) values[i]);
                case F32 -> into.putFloat((float) values[i]);
                case F16 -> into.putShort(SmallFloats.toF16(roundedToOdd(values[i])));
                case BF16 -> into.putShort(SmallFloats.toBf16(roundedToOdd(values[i])));
                case I64, I32, I16, I8, U8, BOOL, U16, U32 -> putInteger(values[i], into);
                default -> throw new IllegalStateException("no tensor of type " + dtype + " can be declared");
            }
            written++;
        }
    }

    private void put(double value, ByteBuffer into) {
        switch (dtype) {
            case F64 -> into.putDouble(value);
            case F32 -> into.putFloat((float) value);
            case F16 -> into.putShort(SmallFloats.toF16(value));
            case BF16 -> into.putShort(SmallFloats.toBf16(value));
            case I64, I32, I16, I8, U8, BOOL, U16, U32 -> {
                // 2^63 itself would be cast to 2^63 - 1, which as a double is 2^63 again and would look exact.
                if (value != (double) (long) value || value == 0x1p63) {
                    throw refuse(Double.toString(value));
                }
                putInteger((long) value, into);
            }
            default -> throw new IllegalStateException("no tensor of type " + dtype + " can be declared");
        }
        written++;
    }

    private void putInteger(long value, ByteBuffer into) {
        long least = switch (dtype) {
            case I32 -> Integer.MIN_VALUE;
            case I16 -> Short.MIN_VALUE;
            case I8 -> Byte.MIN_VALUE;
            case U8, BOOL, U16, U32 -> 0;
            default -> Long.MIN_VALUE;
        };
        long greatest = switch (dtype) {
            case I32 -> Integer.MAX_VALUE;
            case I16 -> Short.MAX_VALUE;
            case I8 -> Byte.MAX_VALUE;
            case U8 -> 255;
            case U16 -> 0xffff;
            case U32 -> 0xffff_ffffL;
            case BOOL -> 1;
            default -> Long.MAX_VALUE;
        };
        if (value < least || value > greatest) {
            throw refuse(Long.toString(value));
        }
        switch (dtype.bytes()) {
            case 8 -> into.putLong(value);
            case 4 -> into.putInt((int) value);
            case 2 -> into.putShort((short) value);
            default -> into.put((byte) value);
        }
    }

    /** Keeps 53 bits, with the last of them set if any bit was lost: a later rounding to far fewer is then still right. */
    private static double roundedToOdd(long value) {
        if (value >= -EXACT && value <= EXACT) {
            return value;
        }
        long kept = value >> 11;
        return (double) (kept << 11 == value ? kept : kept | 1) * 0x1p11;
    }

    private IllegalArgumentException refuse(String value) {
        return new IllegalArgumentException("tensor " + Text.quote(name) + ": element " + written + " is " + value
                + ", which " + dtype + " cannot hold exactly; declare another dtype or write other values");
    }
}
