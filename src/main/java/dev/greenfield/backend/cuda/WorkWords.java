package dev.greenfield.backend.cuda;

import java.util.Arrays;

/** What tells work on the device from all other: the numbers of its calls, one after another. */
final class WorkWords {
    private long[] values = new long[2048];
    private int count;

    WorkWords add(long value) {
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = value;
        return this;
    }

    void clear() {
        count = 0;
    }

    long[] copy() {
        return Arrays.copyOf(values, count);
    }

    /** Whether these are the same numbers. */
    boolean equal(long[] others) {
        return Arrays.equals(values, 0, count, others, 0, others.length);
    }

    /** 64 bits of a hash. */
    long hash() {
        long hash = count;
        for (int i = 0; i < count; i++) {
            hash = (hash ^ values[i]) * 0x9e3779b97f4a7c15L;
            hash ^= hash >>> 29;
        }
        return hash;
    }
}
