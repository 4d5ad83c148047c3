package dev.greenfield.engine;

import dev.greenfield.failure.MemoryBudgetException;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Java's heap, asked before the work and not after it: what is made for results is checked against what is free, and its size is
 * multiplied out in 64 bits.
 */
public final class HostMemory {
    /** The longest array that every Java machine can make. */
    private static final long LONGEST = Integer.MAX_VALUE - 8;

    private HostMemory() {}

    /**
     * An array of the product of the extents.
     *
     * @param what it is for, for the message
     * @throws MemoryBudgetException if no array is so long, or the heap has no room for it
     */
    public static double[] doubles(String what, long... extents) {
        long elements = elements(what, extents);
        require(what, 8 * elements);
        return new double[(int) elements];
    }

    /**
     * The product of the extents, as the length of an array.
     *
     * @throws MemoryBudgetException if no array is so long
     */
    public static int elements(String what, long... extents) {
        long elements = 1;
        for (long extent : extents) {
            elements = extent == 0 || elements <= LONGEST / extent ? elements * extent : LONGEST + 1;
        }
        if (elements > LONGEST) {
            throw new MemoryBudgetException(what + " would have "
                    + Arrays.stream(extents).mapToObj(Long::toString).collect(Collectors.joining(" x "))
                    + " numbers, an array of Java has at most " + LONGEST + ": ask for less, such as a shorter prompt");
        }
        return (int) elements;
    }

    /**
     * Checks that the heap has room for so many bytes beside what is in it.
     *
     * @throws MemoryBudgetException if it has not
     */
    public static void require(String what, long bytes) {
        if (!fits(bytes)) {
            throw new MemoryBudgetException(what + " would take " + MemoryBudgetException.amount(bytes)
                    + ", Java's heap has " + MemoryBudgetException.amount(free())
                    + " left: give Java more with -Xmx, or ask for less, such as a shorter prompt");
        }
    }

    /** Whether the heap has room for so many bytes beside what is in it. */
    public static boolean fits(long bytes) {
        if (bytes > free()) {
            System.gc(); // what looks taken may be garbage
        }
        return bytes <= free();
    }

    /** Bytes that the heap can still give. */
    public static long free() {
        Runtime java = Runtime.getRuntime();
        return java.maxMemory() - (java.totalMemory() - java.freeMemory());
    }
}
