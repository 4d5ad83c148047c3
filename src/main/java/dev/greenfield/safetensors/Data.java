package dev.greenfield.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * The bytes of a whole file, in segments because one buffer holds less than 2 GiB. Each segment also covers the first bytes
 * of the next, as many as an element can need: an element that starts in a segment is whole there, so no caller ever has to
 * put an element together. Safe for use by several threads.
 */
final class Data {
    /** Bytes between the starts of two segments, unless a test asks for less. */
    static final int SEGMENT_BYTES = 1 << 30;
    /** An element of 8 bytes that starts at the last byte of a segment has this many in the next. */
    private static final int OVERLAP = 7;

    private final String origin;
    private final long size;
    private final int segmentBytes;
    private volatile ByteBuffer[] segments; // null once closed

    private Data(String origin, long size, int segmentBytes) {
        if (segmentBytes < 1 || segmentBytes > SEGMENT_BYTES) {
            throw new IllegalArgumentException(
                    "segments of " + segmentBytes + " bytes; expected 1 to " + SEGMENT_BYTES);
        }
        this.origin = origin;
        this.size = size;
        this.segmentBytes = segmentBytes;
    }

    /** Maps a file; the channel may be closed afterwards. */
    static Data map(FileChannel channel, String origin, int segmentBytes) throws IOException {
        Data data = new Data(origin, channel.size(), segmentBytes);
        ByteBuffer[] segments = new ByteBuffer[data.count()];
        for (int i = 0; i < segments.length; i++) {
            segments[i] = channel.map(FileChannel.MapMode.READ_ONLY, data.start(i), data.length(i));
        }
        data.segments = segments;
        return data;
    }

    /** Takes the remaining bytes of a buffer, which is not copied and whose position is left alone. */
    static Data of(ByteBuffer bytes, String origin, int segmentBytes) {
        ByteBuffer whole = bytes.slice().asReadOnlyBuffer();
        Data data = new Data(origin, whole.remaining(), segmentBytes);
        ByteBuffer[] segments = new ByteBuffer[data.count()];
        for (int i = 0; i < segments.length; i++) {
            segments[i] = whole.slice((int) data.start(i), data.length(i));
        }
        data.segments = segments;
        return data;
    }

    /** What a fault of the mapping means: the file has been cut short since it was mapped. */
    UncheckedIOException cut(InternalError fault) {
        UncheckedIOException cut = new UncheckedIOException(changed());
        cut.addSuppressed(fault);
        return cut;
    }

    /** That the file is not what it was. */
    SafetensorsException changed() {
        return new SafetensorsException(origin
                + ": the file was cut short or changed while it was in use, so what was read of it is not to be trusted; leave it"
                + " alone and run again");
    }

    private int count() {
        return Math.toIntExact((size + segmentBytes - 1) / segmentBytes);
    }

    private long start(int segment) {
        return (long) segment * segmentBytes;
    }

    private int length(int segment) {
        return (int) Math.min((long) segmentBytes + OVERLAP, size - start(segment));
    }

    long size() {
        return size;
    }

    /**
     * Returns, little endian, the elements from a position on that lie in one segment: at least one, at most {@code count}.
     *
     * @param position byte in the file; the caller has checked that all {@code count} elements lie in the file
     * @throws IllegalStateException if closed
     */
    ByteBuffer run(long position, int elementBytes, int count) {
        ByteBuffer[] open = segments;
        if (open == null) {
            throw new IllegalStateException(origin + " is closed; read its tensors before closing it");
        }
        int offset = (int) (position % segmentBytes);
        int starting = (segmentBytes - offset + elementBytes - 1) / elementBytes;
        int elements = Math.min(count, starting);
        return open[(int) (position / segmentBytes)]
                .slice(offset, elements * elementBytes)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Copies bytes of the file. */
    byte[] copy(long position, int count) {
        byte[] copy = new byte[count];
        for (int at = 0; at < count; ) {
            ByteBuffer run = run(position + at, 1, count - at);
            int length = run.remaining();
            try {
                run.get(copy, at, length);
            } catch (InternalError fault) {
                throw cut(fault);
            }
            at += length;
        }
        return copy;
    }

    /** The bytes of a range of the file, in order. */
    InputStream stream(long from, long count) {
        return new InputStream() {
            private long at;

            @Override
            public int read() {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] into, int offset, int length) {
                if (at == count) {
                    return -1;
                }
                ByteBuffer run = run(from + at, 1, (int) Math.min(length, count - at));
                int read = run.remaining();
                try {
                    run.get(into, offset, read);
                } catch (InternalError fault) {
                    throw cut(fault);
                }
                at += read;
                return read;
            }
        };
    }

    /** Drops the buffers; those in use by another thread stay valid until it is done. */
    void close() {
        segments = null;
    }
}
