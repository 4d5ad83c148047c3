package dev.greenfield.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Copies between host and GPU through one block of page-locked memory. Uploads are queued on the stream and do not wait: each
 * takes the next part of the block, and only when the block is used up does the host wait for the device. Downloads wait, since
 * their values are wanted. Not safe for several threads: the backend's lock guards it.
 */
final class Transfers {
    /** Bytes of page-locked memory; larger transfers go in pieces of at most half of it. */
    private static final int BYTES = 8 << 20;

    private static final int PIECE = BYTES / 2;
    private static final int ALIGN = 16;

    private final CUstream stream;
    private final Supplier<String> lastLaunch;
    private final Pointer pinned = new Pointer();
    private final ByteBuffer staging;
    private int used;

    /**
     * @param lastLaunch says what was launched last, for messages
     */
    Transfers(CUstream stream, Supplier<String> lastLaunch) {
        this.stream = stream;
        this.lastLaunch = lastLaunch;
        Cuda.check(
                JCudaDriver.cuMemAllocHost(pinned, BYTES),
                "locking " + (BYTES >> 20) + " MiB of host memory for copies");
        staging = pinned.getByteBuffer(0, BYTES).order(ByteOrder.nativeOrder());
    }

    /** Puts element {@code i} of what is uploaded to a place in the staging memory. */
    interface Writer {
        void write(ByteBuffer staging, int at, int i, int count);
    }

    /** Takes elements from the staging memory. */
    interface Reader {
        void read(ByteBuffer staging, int i, int count);
    }

    /**
     * Uploads {@code count} elements.
     *
     * @param elementBytes bytes an element takes on the device
     * @param writer puts a run of elements, from the i-th on, into the staging memory at a byte position
     */
    void upload(CUdeviceptr to, int elementBytes, int count, String what, Writer writer) {
        int most = PIECE / elementBytes;
        for (int done = 0; done < count; done += most) {
            int n = Math.min(most, count - done);
            int bytes = n * elementBytes;
            if (used + bytes > BYTES) {
                synchronize(what);
            }
            writer.write(staging, used, done, n);
            Cuda.check(
                    JCudaDriver.cuMemcpyHtoDAsync(
                            to.withByteOffset((long) done * elementBytes), pinned.withByteOffset(used), bytes, stream),
                    what + ": uploading " + bytes + " bytes");
            used = (used + bytes + ALIGN - 1) / ALIGN * ALIGN;
        }
    }

    /** Downloads {@code count} elements and hands them to {@code reader}, which finds them from byte 0 on. */
    void download(CUdeviceptr from, int elementBytes, int count, String what, Reader reader) {
        int most = PIECE / elementBytes;
        for (int done = 0; done < count; done += most) {
            int n = Math.min(most, count - done);
            // Uploads that still wait in the staging memory must have left it before it is written over.
            if (used > 0) {
                synchronize(what);
            }
            Cuda.check(
                    JCudaDriver.cuMemcpyDtoHAsync(
                            pinned, from.withByteOffset((long) done * elementBytes), (long) n * elementBytes, stream),
                    what + ": downloading " + (long) n * elementBytes + " bytes");
            synchronize(what);
            reader.read(staging, done, n);
        }
    }

    /** Waits until the device has done all that was asked; errors of earlier kernels come out here. */
    void synchronize(String what) {
        int result = JCudaDriver.cuStreamSynchronize(stream);
        if (result != 0) {
            Cuda.checkEarlier(result, what, lastLaunch.get());
        }
        used = 0;
    }

    void close() {
        JCudaDriver.cuMemFreeHost(pinned);
    }
}
