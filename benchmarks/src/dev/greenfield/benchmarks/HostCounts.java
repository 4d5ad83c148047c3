package dev.greenfield.benchmarks;

/**
 * What was asked of the driver that does nothing (folder {@code native/idle-driver}), since it was loaded or between two readings.
 * Without that driver in the process reading is an {@link UnsatisfiedLinkError}.
 */
final class HostCounts {
    /** The driver counts in this order. */
    enum Kind {
        LAUNCHES("launches"),
        PRODUCTS("products"),
        UPLOADS("uploads"),
        DOWNLOADS("downloads"),
        DEVICE_COPIES("copies on the device"),
        WAITS("waits"),
        ALLOCATIONS("allocations"),
        BYTES_UP("bytes up"),
        BYTES_DOWN("bytes down"),
        GRAPHS("graphs");

        final String label;

        Kind(String label) {
            this.label = label;
        }
    }

    private final long[] counts;

    private HostCounts(long[] counts) {
        this.counts = counts;
    }

    static HostCounts now() {
        long[] counts = new long[Kind.values().length];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = count(i);
        }
        return new HostCounts(counts);
    }

    HostCounts since(HostCounts before) {
        long[] difference = new long[counts.length];
        for (int i = 0; i < difference.length; i++) {
            difference[i] = counts[i] - before.counts[i];
        }
        return new HostCounts(difference);
    }

    long of(Kind kind) {
        return counts[kind.ordinal()];
    }

    private static native long count(int kind);
}
