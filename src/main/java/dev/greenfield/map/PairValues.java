package dev.greenfield.map;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Numbers of pairs of sites, zero at first, as many as memory holds: indices are 64-bit. They are kept as float32, or as float64 where
 * that is what the map is computed in, on Java's heap or in a file ({@link OverflowFile}).
 */
final class PairValues {
    private static final int SHIFT = 22;
    private static final int CHUNK = 1 << SHIFT; // numbers
    private static final int MASK = CHUNK - 1;

    private final long count;
    private final FloatBuffer[] floats; // null where wide
    private final DoubleBuffer[] doubles; // null where not

    /**
     * @param what they are, for the message
     * @param wide whether float64
     * @throws MemoryBudgetException if there are more than a map can ever have
     */
    PairValues(String what, long count, boolean wide) {
        this(what, count, wide, null);
    }

    /** Likewise in a file of a directory, unless that is null. */
    PairValues(String what, long count, boolean wide, Path directory) {
        this.count = count;
        long chunks = (count + MASK) >> SHIFT;
        if (chunks > Integer.MAX_VALUE - 8) {
            throw new MemoryBudgetException(what + " has " + count + " pairs of sites, expected at most "
                    + ((long) (Integer.MAX_VALUE - 8) << SHIFT) + ": ask for fewer sources or targets");
        }
        floats = wide ? null : new FloatBuffer[(int) chunks];
        doubles = wide ? new DoubleBuffer[(int) chunks] : null;
        ByteBuffer[] file = directory == null
                ? null
                : OverflowFile.of(directory, what, bytes(count, wide), (int) bytes(CHUNK, wide));
        for (int c = 0; c < chunks; c++) {
            int length = (int) Math.min(CHUNK, count - ((long) c << SHIFT));
            if (wide) {
                doubles[c] = file == null ? DoubleBuffer.allocate(length) : file[c].asDoubleBuffer();
            } else {
                floats[c] = file == null ? FloatBuffer.allocate(length) : file[c].asFloatBuffer();
            }
        }
    }

    /** Bytes that so many numbers take. */
    static long bytes(long count, boolean wide) {
        return count * (wide ? Double.BYTES : Float.BYTES);
    }

    long count() {
        return count;
    }

    double get(long at) {
        int chunk = (int) (at >> SHIFT);
        int place = (int) (at & MASK);
        return floats == null ? doubles[chunk].get(place) : floats[chunk].get(place);
    }

    /** All numbers, in arrays of equal lengths but the last. */
    double[][] all() {
        double[][] all = new double[(int) ((count + MASK) >> SHIFT)][];
        for (int c = 0; c < all.length; c++) {
            all[c] = new double[(int) Math.min(CHUNK, count - ((long) c << SHIFT))];
            for (int i = 0; i < all[c].length; i++) {
                all[c][i] = get(((long) c << SHIFT) + i);
            }
        }
        return all;
    }

    /** Sets all to what {@link #all} gave. */
    void setAll(double[][] all) {
        long at = 0;
        for (double[] numbers : all) {
            for (double number : numbers) {
                set(at++, number);
            }
        }
    }

    /** Sets a number, rounded to nearest where that is kept as float32. */
    void set(long at, double value) {
        int chunk = (int) (at >> SHIFT);
        int place = (int) (at & MASK);
        if (floats == null) {
            doubles[chunk].put(place, value);
        } else {
            floats[chunk].put(place, (float) value);
        }
    }

    /**
     * The rows of all sites in one array.
     *
     * @throws MemoryBudgetException if no array is so long, or the heap has no room for it
     */
    static double[] dense(String what, List<Site> sites, Function<Site, double[]> row) {
        int count = sites.size();
        double[] all = HostMemory.doubles(what, count, count);
        for (int s = 0; s < count; s++) {
            System.arraycopy(row.apply(sites.get(s)), 0, all, s * count, count);
        }
        return all;
    }
}
