package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Copies between host and GPU through one block of page-locked memory. Uploads are queued on the stream and do not wait: each
 * takes the next part of the block, and only when the block is used up does the host wait for the device. Downloads take their
 * part likewise, and are read from it when the host has waited: at once, or with whatever waits next. Not safe for several threads:
 * the backend's lock guards it.
 */
final class Transfers {
    /** Bytes of page-locked memory; larger transfers go in pieces of at most half of it. */
    private static final int BYTES = 8 << 20;

    private static final int PIECE = BYTES / 2;
    private static final int ALIGN = 16;

    private static final int THREADS = 256;

    private final CUstream stream;
    private final WorkQueue queue;
    private final Launcher launcher;
    private final int copyBytes;
    private final HostBlock pinned = new HostBlock(BYTES, "copies");
    private final ByteBuffer staging;
    private final IntBuffer stagedInts; // the same memory
    private final FloatBuffer stagedFloats;
    private final float[] floats = new float[1024]; // numbers on their way between precisions
    private final List<Arrival> arriving = new ArrayList<>();
    private int used;
    private boolean failed; // something that was to arrive never will

    /** Elements from the i-th on that a download puts into the staging memory at a byte position. */
    private record Arrival(Reader reader, int at, int i, int count) {}

    /**
     * @param copyBytes up to which a kernel copies
     */
    Transfers(CUstream stream, WorkQueue queue, Launcher launcher, int copyBytes) {
        this.copyBytes = copyBytes;
        this.launcher = launcher;
        this.stream = stream;
        this.queue = queue;
        staging = pinned.bytes();
        stagedInts = staging.asIntBuffer();
        stagedFloats = staging.asFloatBuffer();
    }

    /** Puts element {@code i} of what is uploaded to a place in the staging memory. */
    interface Writer {
        void write(ByteBuffer staging, int at, int i, int count);
    }

    /** Takes elements, from the i-th on, from a place in the staging memory. */
    interface Reader {
        void read(ByteBuffer staging, int at, int i, int count);
    }

    /**
     * Uploads {@code count} elements.
     *
     * @param elementBytes bytes an element takes on the device
     * @param writer puts a run of elements, from the i-th on, into the staging memory at a byte position
     */
    void upload(DevicePointer to, int elementBytes, int count, String what, Writer writer) {
        int most = PIECE / elementBytes;
        for (int done = 0; done < count; done += most) {
            int n = Math.min(most, count - done);
            int bytes = n * elementBytes;
            int at = reserve(bytes, what);
            writer.write(staging, at, done, n);
            send(to, (long) done * elementBytes, at, bytes, what);
        }
    }

    /** Uploads float32 numbers from an array of double precision. */
    void uploadRounded(DevicePointer to, double[] values, int at, int count, String what) {
        upload(to, Float.BYTES, count, what, (memory, place, i, n) -> {
            for (int done = 0; done < n; done += floats.length) {
                int m = Math.min(floats.length, n - done);
                for (int e = 0; e < m; e++) {
                    floats[e] = (float) values[at + i + done + e];
                }
                stagedFloats.put(place / Float.BYTES + done, floats, 0, m);
            }
        });
    }

    /** Reads float32 numbers into an array of double precision. */
    Reader widening(double[] into, int at) {
        return (memory, place, i, n) -> {
            for (int done = 0; done < n; done += floats.length) {
                int m = Math.min(floats.length, n - done);
                stagedFloats.get(place / Float.BYTES + done, floats, 0, m);
                for (int e = 0; e < m; e++) {
                    into[at + i + done + e] = floats[e];
                }
            }
        };
    }

    /** Uploads whole numbers. */
    void upload(DevicePointer to, int[] values, String what) {
        int most = PIECE / Integer.BYTES;
        for (int done = 0; done < values.length; done += most) {
            int n = Math.min(most, values.length - done);
            int at = reserve(n * Integer.BYTES, what);
            stagedInts.put(at / Integer.BYTES, values, done, n);
            send(to, (long) done * Integer.BYTES, at, n * Integer.BYTES, what);
        }
    }

    private void send(DevicePointer to, long offset, int at, int bytes, String what) {
        copy(true, offset == 0 ? to : to.withByteOffset(offset), at, bytes, what);
    }

    /** By a kernel where it is small and other work gathers with it; else by the device's copy engine. */
    private void copy(boolean up, DevicePointer there, int at, int bytes, String what) {
        if (bytes > copyBytes || bytes % Integer.BYTES != 0 || !queue.gathers()) {
            queue.add(new Copy(up, there, at, bytes, what));
            return;
        }
        long here = pinned.address() + at;
        int words = bytes / Integer.BYTES;
        launcher.kernel("copy_words")
                .address(up ? here : there.address())
                .address(up ? there.address() : here)
                .number(words)
                .work(bytes, 0)
                .launch(Math.min(64, (words + 4 * THREADS - 1) / (4 * THREADS)), 1, 1, threads(words), 0);
    }

    /** As many of a block as have something to do, four words each. */
    private static int threads(int words) {
        return Math.min(THREADS, (words + 127) / 128 * 32);
    }

    /** One copy between a part of the staging memory and the device, in one direction. */
    private final class Copy implements WorkQueue.Work {
        private final boolean up;
        private final DevicePointer there;
        private final int at;
        private final int bytes;
        private final String what;

        Copy(boolean up, DevicePointer there, int at, int bytes, String what) {
            this.up = up;
            this.there = there;
            this.at = at;
            this.bytes = bytes;
            this.what = what;
        }

        @Override
        public void issue() {
            Pointer here = pinned.withByteOffset(at);
            int result = up
                    ? JCudaDriver.cuMemcpyHtoDAsync(there, here, bytes, stream)
                    : JCudaDriver.cuMemcpyDtoHAsync(here, there, bytes, stream);
            if (result != 0) {
                Cuda.check(result, toString());
            }
        }

        @Override
        public void identify(WorkWords words) {
            words.add(up ? 1 : 0).add(there.address()).add(at).add(bytes);
        }

        @Override
        public String toString() {
            return what + ": " + (up ? "uploading " : "downloading ") + bytes + " bytes";
        }
    }

    /** The next part of the staging memory, as a byte position. */
    private int reserve(int bytes, String what) {
        if (used + bytes > BYTES) {
            synchronize(what);
        }
        int at = used;
        used = (used + bytes + ALIGN - 1) / ALIGN * ALIGN;
        return at;
    }

    /** Downloads {@code count} elements and hands them to {@code reader}. */
    void download(DevicePointer from, int elementBytes, int count, String what, Reader reader) {
        downloadLater(from, elementBytes, count, what, reader);
        synchronize(what);
    }

    /** Likewise, but they are handed over at the next {@link #synchronize}, whoever asks for it. */
    void downloadLater(DevicePointer from, int elementBytes, int count, String what, Reader reader) {
        int most = PIECE / elementBytes;
        for (int done = 0; done < count; done += most) {
            int n = Math.min(most, count - done);
            int bytes = n * elementBytes;
            int at = reserve(bytes, what);
            copy(false, from.withByteOffset((long) done * elementBytes), at, bytes, what);
            arriving.add(new Arrival(reader, at, done, n));
        }
    }

    /** Waits for downloads that nobody has waited for, if there are any. */
    void await(String what) {
        if (failed || !arriving.isEmpty()) {
            synchronize(what);
        }
    }

    /** Waits until the device has done all that was asked, and hands over what was downloaded; errors of earlier kernels come out here. */
    void synchronize(String what) {
        try {
            queue.flush();
            Cuda.check(JCudaDriver.cuStreamSynchronize(stream), what);
            queue.waited();
        } catch (RuntimeException e) {
            // Whoever waits for these must fail as well, not take what was in its array for an answer.
            failed |= !arriving.isEmpty();
            arriving.clear();
            throw e;
        }
        if (failed) {
            throw new BackendException(what
                    + ": an earlier copy from the device failed, and what it was to bring is lost:" + " start again");
        }
        for (Arrival arrival : arriving) {
            arrival.reader.read(staging, arrival.at, arrival.i, arrival.count);
        }
        arriving.clear();
        used = 0;
    }

    void close() {
        pinned.free();
    }
}
