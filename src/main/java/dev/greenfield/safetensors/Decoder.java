package dev.greenfield.safetensors;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Elements of any type turned into Java numbers. Every buffer is little endian and holds whole elements from its start. */
public final class Decoder {
    /** Floats widened at a time: a copy in bulk and a plain loop beat element by element reads of a buffer. */
    private static final int CHUNK = 2048;

    private Decoder() {}

    /** Converts elements to doubles; exact but for integers beyond 2^53, which are rounded. */
    public static void decode(DType dtype, ByteBuffer from, double[] into, int at, int count) {
        switch (dtype) {
            case F64 -> from.asDoubleBuffer().get(into, at, count);
            case F32 -> widen(from.asFloatBuffer(), into, at, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = SmallFloats.fromF16(from.getShort(2 * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = SmallFloats.fromBf16(from.getShort(2 * i));
                }
            }
            case I64, I32, I16, I8, U8, BOOL, U16, U32 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = integer(dtype, from, i);
                }
            }
            default -> throw unreadable(dtype);
        }
    }

    /** Converts elements to floats, rounding to the nearest where a float cannot hold the element. */
    static void decode(DType dtype, ByteBuffer from, float[] into, int at, int count) {
        switch (dtype) {
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = (float) from.getDouble(8 * i);
                }
            }
            case F32 -> from.asFloatBuffer().get(into, at, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = SmallFloats.fromF16(from.getShort(2 * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = SmallFloats.fromBf16(from.getShort(2 * i));
                }
            }
            case I64, I32, I16, I8, U8, BOOL, U16, U32 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = integer(dtype, from, i);
                }
            }
            default -> throw unreadable(dtype);
        }
    }

    /** Converts elements of an integer type to longs, exactly. */
    static void decode(DType dtype, ByteBuffer from, long[] into, int at, int count) {
        if (dtype == DType.I64) {
            from.asLongBuffer().get(into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = integer(dtype, from, i);
        }
    }

    private static UnsupportedOperationException unreadable(DType dtype) {
        return new UnsupportedOperationException("elements of type " + dtype + " cannot be read as numbers");
    }

    private static long integer(DType dtype, ByteBuffer from, int index) {
        return switch (dtype) {
            case I64 -> from.getLong(8 * index);
            case I32 -> from.getInt(4 * index);
            case I16 -> from.getShort(2 * index);
            case I8 -> from.get(index);
            case U8 -> Byte.toUnsignedLong(from.get(index));
            case BOOL -> from.get(index) == 0 ? 0 : 1;
            case U16 -> Short.toUnsignedLong(from.getShort(2 * index));
            case U32 -> Integer.toUnsignedLong(from.getInt(4 * index));
            default -> throw new IllegalArgumentException(dtype + " elements are no integers");
        };
    }

    private static void widen(FloatBuffer from, double[] into, int at, int count) {
        float[] chunk = new float[Math.min(CHUNK, count)];
        for (int done = 0; done < count; ) {
            int length = Math.min(chunk.length, count - done);
            from.get(chunk, 0, length);
            for (int i = 0; i < length; i++) {
                into[at + done + i] = chunk[i];
            }
            done += length;
        }
    }
}
