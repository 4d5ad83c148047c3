package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Matrix;
import java.util.HashMap;
import java.util.Map;

/**
 * The factors of matrix products as cuBLAS gets them. Those that many products share, the weights, are kept a second time in the form
 * that is multiplied fastest: as bf16 where products have bf16 factors, else transposed where {@link CudaTuning#weights}
 * says so. Other factors are rounded to bf16 into memory that the next product uses again. Not safe for several threads: the
 * backend's lock guards it.
 */
final class CudaFactors {
    /** Rows of bf16 begin at multiples of 16 bytes, which is what tensor cores' loads want. */
    private static final int GRAIN = 8;

    private static final int REAL_32F = 0; // CUDA_R_32F
    private static final int REAL_16BF = 14; // CUDA_R_16BF

    /** A square tile of {@code transpose} in {@code factors.cu}. */
    private static final int TILE = 32;

    private static final int THREADS = 256;

    private final CudaBackend owner;
    private final Launcher launcher;
    private final DeviceMemory memory;
    private final boolean half;
    private final CudaTuning.Weights weights;
    private boolean transposed; // whether what is kept from now on is kept transposed
    private final DeviceMemory.Block staging; // null where factors are float32
    private final long stagingBytes;
    private final Map<DeviceMemory.Block, Copy> copies = new HashMap<>();

    /**
     * @param half whether products have bf16 factors
     */
    CudaFactors(CudaBackend owner, Launcher launcher, DeviceMemory memory, boolean half, CudaTuning tuning) {
        this.owner = owner;
        this.launcher = launcher;
        this.memory = memory;
        this.half = half;
        this.weights = tuning.weights();
        this.transposed = !half && weights != CudaTuning.Weights.NN;
        this.stagingBytes = tuning.stagingBytes();
        this.staging = half ? memory.allocate("rows as bf16", stagingBytes) : null;
    }

    /** A second form of a matrix: bf16 of the same shape, or float32 of the transposed one. */
    private record Copy(Matrix original, CudaBuffer buffer) {}

    /**
     * A factor as cuBLAS takes it.
     *
     * @param type its elements' cudaDataType
     * @param leading elements from one of our rows to the next
     * @param turned whether this is the transpose of what was asked for
     * @param temporary to be freed after the product is queued, or null
     */
    record Operand(DevicePointer pointer, int type, int leading, boolean turned, DeviceMemory.Block temporary) {}

    /** Whether products have bf16 factors. */
    boolean half() {
        return half;
    }

    /** Bytes that {@link #keep} takes for an element and cannot do without. */
    int bytesPerElement() {
        return half ? Short.BYTES : weights == CudaTuning.Weights.TN ? Float.BYTES : 0;
    }

    /**
     * Weights of so many elements come next.
     *
     * @param roomBytes for them and all else
     */
    void expect(long elements, long roomBytes) {
        if (!half && weights == CudaTuning.Weights.AUTO) {
            // Both forms may take half of the room; runs and sweeps need the rest.
            transposed = 2 * Float.BYTES * elements <= roomBytes / 2;
        }
    }

    /** Makes the second form of a matrix that will not change, to be forgotten with its buffer. */
    void keep(Matrix m) {
        if (!half && !transposed) {
            return;
        }
        long elements = half ? ((long) m.rows() * stride(m) + 1) / 2 : (long) m.rows() * m.columns();
        String label = m.buffer().label() + (half ? " as bf16" : " transposed");
        CudaBuffer buffer = (CudaBuffer) owner.allocate(label, elements);
        if (half) {
            round(m, buffer.address());
        } else {
            launcher.kernel("transpose")
                    .matrix(m)
                    .address(buffer.address())
                    .number(m.rows())
                    .size(m);
            launcher.launch(tiles(m.columns()), tiles(m.rows()), 1, THREADS, 0);
        }
        Copy before = copies.put(CudaBuffer.of(m.buffer(), owner).block(), new Copy(m, buffer));
        if (before != null) {
            before.buffer.close();
        }
    }

    private static int tiles(int length) {
        return (length + TILE - 1) / TILE;
    }

    /** The owner frees a block: its second form goes too. */
    void forget(DeviceMemory.Block block) {
        Copy copy = copies.remove(block);
        if (copy != null) {
            copy.buffer.close();
        }
    }

    private CudaBuffer copyOf(Matrix m) {
        Copy copy = copies.isEmpty()
                ? null
                : copies.get(CudaBuffer.of(m.buffer(), owner).block());
        return copy == null || !copy.original.equals(m) ? null : copy.buffer;
    }

    /** The transpose of a kept matrix [m, n] as [n, m]; null where there is none. */
    Matrix transposeOf(Matrix m) {
        CudaBuffer copy = half ? null : copyOf(m);
        return copy == null ? null : Matrix.of(copy, m.columns(), m.rows());
    }

    /** The right factor of a product, which may be a kept one. */
    Operand right(Matrix m, boolean transpose) {
        CudaBuffer copy = copyOf(m);
        if (half) {
            return copy == null ? temporary(m) : new Operand(copy.pointer(0), REAL_16BF, stride(m), false, null);
        }
        return copy == null || transpose
                ? plain(m)
                : new Operand(copy.pointer(0), REAL_32F, Math.max(1, m.rows()), true, null);
    }

    /** Rows of a left factor that can be staged at once. */
    int rowsAtOnce(Matrix m) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, stagingBytes / (Short.BYTES * (long) stride(m))));
    }

    /** The left factor of a product. With bf16 it is in the staging memory where it fits, until the next one is asked for. */
    Operand left(Matrix m) {
        if (!half) {
            return plain(m);
        }
        if (m.rows() > rowsAtOnce(m)) {
            return temporary(m);
        }
        round(m, staging.address());
        return new Operand(staging, REAL_16BF, stride(m), false, null);
    }

    private Operand plain(Matrix m) {
        DevicePointer pointer = CudaBuffer.of(m.buffer(), owner).pointer(m.offset());
        return new Operand(pointer, REAL_32F, Math.max(1, m.stride()), false, null);
    }

    private Operand temporary(Matrix m) {
        DeviceMemory.Block block = memory.allocate("a factor as bf16", Short.BYTES * (long) m.rows() * stride(m));
        round(m, block.address());
        return new Operand(block, REAL_16BF, stride(m), false, block);
    }

    private void round(Matrix m, long to) {
        launcher.kernel("to_bf16")
                .matrix(m)
                .address(to)
                .number(stride(m))
                .size(m)
                .launchElements(m);
    }

    private static int stride(Matrix m) {
        return Math.max(1, (m.columns() + GRAIN - 1) / GRAIN) * GRAIN;
    }

    /** Gives back what a product's factor took, once the product is queued. */
    void done(Operand operand) {
        if (operand.temporary() != null) {
            memory.free(operand.temporary());
        }
    }
}
