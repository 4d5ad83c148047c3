package dev.greenfield.backend.cpu;

import java.nio.FloatBuffer;

/**
 * Floats in native memory by 64-bit indices. A buffer of Java has an index of 31 bits and at most 2 GiB; so the memory is seen through
 * several, one after the other, and a run that goes over a border is moved in pieces. All indices are absolute, so that threads may
 * share one.
 */
final class Floats {
    /** Floats of a segment, as a power of two: 1 GiB. */
    static final int SEGMENT_BITS = 28;

    private final FloatBuffer[] segments; // all but the last of the full length
    private final int bits;
    private final int mask;

    /** The floats of one segment after the other. */
    Floats(FloatBuffer... segments) {
        this(SEGMENT_BITS, segments);
    }

    /** Likewise with segments of another power of two. */
    Floats(int bits, FloatBuffer... segments) {
        this.bits = bits;
        this.mask = (1 << bits) - 1;
        this.segments = segments.clone();
    }

    /** Makes the segments of so many floats. */
    static Floats of(long floats, SegmentMaker maker) {
        int count = (int) Math.max(1, (floats + (1L << SEGMENT_BITS) - 1) >> SEGMENT_BITS);
        FloatBuffer[] segments = new FloatBuffer[count];
        for (int i = 0; i < count; i++) {
            long from = (long) i << SEGMENT_BITS;
            segments[i] = maker.segment(from, (int) Math.min(1L << SEGMENT_BITS, floats - from));
        }
        return new Floats(segments);
    }

    /** Makes the buffer of some floats. */
    interface SegmentMaker {
        FloatBuffer segment(long from, int floats);
    }

    /** The float at an index. */
    float get(long index) {
        return segments[(int) (index >> bits)].get((int) index & mask);
    }

    /** Sets the float at an index. */
    void put(long index, float value) {
        segments[(int) (index >> bits)].put((int) index & mask, value);
    }

    /** Copies {@code count} floats to an array. */
    void get(long index, float[] into, int at, int count) {
        for (int done = 0; done < count; ) {
            int n = inSegment(index + done, count - done);
            segments[(int) ((index + done) >> bits)].get((int) (index + done) & mask, into, at + done, n);
            done += n;
        }
    }

    /** Copies {@code count} floats from an array. */
    void put(long index, float[] from, int at, int count) {
        for (int done = 0; done < count; ) {
            int n = inSegment(index + done, count - done);
            segments[(int) ((index + done) >> bits)].put((int) (index + done) & mask, from, at + done, n);
            done += n;
        }
    }

    /** Copies {@code count} floats from other floats, which do not overlap these. */
    void put(long index, Floats from, long at, int count) {
        for (int done = 0; done < count; ) {
            long to = index + done;
            int n = Math.min(inSegment(to, count - done), from.inSegment(at + done, count - done));
            segments[(int) (to >> bits)].put(
                    (int) to & mask, from.segments[(int) ((at + done) >> from.bits)], (int) (at + done) & from.mask, n);
            done += n;
        }
    }

    /** How many of so many floats lie in the segment of the first. */
    private int inSegment(long index, int count) {
        return Math.min(count, mask + 1 - ((int) index & mask));
    }
}
