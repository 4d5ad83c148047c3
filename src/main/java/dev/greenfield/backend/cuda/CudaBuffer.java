package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.Matrix;

/** A buffer of float32 in the GPU's memory. */
final class CudaBuffer extends Buffer {
    private final CudaBackend owner;
    private final DeviceMemory.Block block;

    CudaBuffer(String label, long length, CudaBackend owner, DeviceMemory.Block block, BufferLedger ledger) {
        super(label, length, Float.BYTES * length, ledger);
        this.owner = owner;
        this.block = block;
    }

    /** The buffer as one of a backend's, which it must be, and open. */
    static CudaBuffer of(Buffer buffer, CudaBackend owner) {
        if (!(buffer instanceof CudaBuffer mine) || mine.owner != owner) {
            throw new IllegalArgumentException("buffer '" + buffer.label() + "' belongs to another backend");
        }
        mine.requireOpen();
        return mine;
    }

    /** The memory that it is in. */
    DeviceMemory.Block block() {
        return block;
    }

    /** The device address of element 0. */
    long address() {
        return block.address();
    }

    /** The device address of a matrix's element (0, 0). */
    static long address(Matrix m, CudaBackend owner) {
        return of(m.buffer(), owner).address() + Float.BYTES * m.offset();
    }

    /** A pointer to an element, as JCuda's calls take it. */
    DevicePointer pointer(long element) {
        return element == 0 ? block : block.withByteOffset(Float.BYTES * element);
    }

    @Override
    protected void release() {
        owner.free(block);
    }
}
