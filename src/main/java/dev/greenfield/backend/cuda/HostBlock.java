package dev.greenfield.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Page-locked memory of the host, which the device reads and writes under the same address. */
final class HostBlock extends Pointer {
    private final long bytes;

    /**
     * @param what it is for, for messages
     */
    HostBlock(long bytes, String what) {
        this.bytes = bytes;
        Cuda.check(JCudaDriver.cuMemAllocHost(this, bytes), "locking host memory for " + what);
    }

    long address() {
        return getNativePointer();
    }

    /** All of it. */
    ByteBuffer bytes() {
        return getByteBuffer(0, bytes).order(ByteOrder.nativeOrder());
    }

    void free() {
        JCudaDriver.cuMemFreeHost(this);
    }
}
