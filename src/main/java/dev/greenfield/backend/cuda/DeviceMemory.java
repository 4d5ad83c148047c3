package dev.greenfield.backend.cuda;

import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.MemoryBudgetException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * Memory of the GPU. Blocks that are given back are kept for the next request of about their size: asking the driver takes as
 * long as a small kernel and freeing waits for the device. All work of a backend runs in order on one stream, so a block may be
 * used again at once. Of blocks that fit alike the one with the lowest address is taken: what asks for the same blocks in the same order
 * gets the same ones, and its work can be done as a graph. Not safe for several threads: the backend's lock guards it.
 */
final class DeviceMemory {
    /** Set to {@code off} so that every block is an allocation of its own, for memory checkers. */
    static final String CACHE = "greenfield.cuda.cache";

    /** Sizes are rounded up to this, which is what the driver aligns to; not with the cache off. */
    private static final long GRAIN = 512;

    private final Runnable beforeFreeing;
    private final boolean cached = cached();
    private final List<Block> idle = new ArrayList<>(); // oldest first
    private final Set<Block> lent = new HashSet<>();
    private long idleBytes;
    private long lentBytes;
    private long mostBytes = Long.MAX_VALUE;

    /** Memory that is lent. */
    static final class Block extends DevicePointer {
        private long bytes;

        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /**
     * @param beforeFreeing what is to be done before memory goes back to the driver, where work may be waiting that needs it
     */
    DeviceMemory(Runnable beforeFreeing) {
        this.beforeFreeing = beforeFreeing;
    }

    /** Whether blocks are kept, so that addresses come again. */
    static boolean cached() {
        return !"off".equals(System.getProperty(CACHE));
    }

    /** Sets the most bytes that may be held, kept blocks included. */
    void keepWithin(long bytes) {
        mostBytes = bytes;
        evict(0);
    }

    /**
     * A block of at least {@code bytes} bytes with arbitrary contents.
     *
     * @param label what it is for, for messages
     * @throws DeviceMemoryException when the device has no such block, even after all kept ones were freed
     */
    Block allocate(String label, long bytes) {
        long size = cached ? Math.max(1, (bytes + GRAIN - 1) / GRAIN) * GRAIN : Math.max(4, bytes);
        Block block = take(size);
        if (block == null) {
            evict(size);
            block = new Block();
            block.bytes = size;
            int result = JCudaDriver.cuMemAlloc(block, size);
            if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
                freeIdle();
                result = JCudaDriver.cuMemAlloc(block, size);
            }
            if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
                throw new DeviceMemoryException("the GPU has no " + MemoryBudgetException.amount(size) + " for '"
                        + label
                        + "': " + MemoryBudgetException.amount(freeBytes()) + " are free and this model holds "
                        + MemoryBudgetException.amount(lentBytes)
                        + "; close other programs on the GPU, or use a smaller model or a shorter prompt");
            }
            Cuda.check(result, "allocating " + MemoryBudgetException.amount(size) + " for '" + label + "'");
        }
        lent.add(block);
        lentBytes += block.bytes;
        return block;
    }

    /** Gives a block back. */
    void free(Block block) {
        if (!lent.remove(block)) {
            return; // given back before, or freed when the backend closed
        }
        lentBytes -= block.bytes;
        if (!cached || lentBytes + idleBytes + block.bytes > mostBytes) {
            release(block);
        } else {
            idle.add(block);
            idleBytes += block.bytes;
        }
    }

    /** Bytes that are held of the device: those lent and those kept for the next request. */
    long heldBytes() {
        return lentBytes + idleBytes;
    }

    /** Bytes that the device can still give to this. */
    long roomBytes() {
        return idleBytes + freeBytes();
    }

    /** Bytes that the device has free now, for anyone. */
    static long freeBytes() {
        long[] free = {0};
        long[] total = {0};
        Cuda.check(JCudaDriver.cuMemGetInfo(free, total), "asking for the free memory");
        return free[0];
    }

    /** The smallest kept block that is large enough and wastes at most a quarter. */
    private Block take(long bytes) {
        int best = -1;
        for (int i = 0; i < idle.size(); i++) {
            long found = idle.get(i).bytes;
            boolean fits = found >= bytes && found <= bytes + bytes / 4;
            if (fits && (best < 0 || before(idle.get(i), idle.get(best)))) {
                best = i;
            }
        }
        if (best < 0) {
            return null;
        }
        Block block = idle.remove(best);
        idleBytes -= block.bytes;
        return block;
    }

    private static boolean before(Block a, Block b) {
        return a.bytes < b.bytes || (a.bytes == b.bytes && a.address() < b.address());
    }

    /** Frees the blocks that were kept longest until {@code bytes} more fit. */
    private void evict(long bytes) {
        while (!idle.isEmpty() && lentBytes + idleBytes + bytes > mostBytes) {
            Block oldest = idle.remove(0);
            idleBytes -= oldest.bytes;
            release(oldest);
        }
    }

    private void freeIdle() {
        List<Block> blocks = new ArrayList<>(idle);
        idle.clear();
        idleBytes = 0;
        blocks.forEach(this::release);
    }

    private void release(Block block) {
        beforeFreeing.run();
        int result = JCudaDriver.cuMemFree(block);
        // Blocks are given back on the way out of failures too: a broken device must not hide what broke it.
        if (!Cuda.broken(result)) {
            Cuda.check(result, "freeing " + MemoryBudgetException.amount(block.bytes));
        }
    }

    /**
     * Frees everything, also what is still lent: its owners find it gone. After an error on the device freeing fails too, and there
     * is nothing left to do about it.
     */
    void close() {
        idle.forEach(JCudaDriver::cuMemFree);
        lent.forEach(JCudaDriver::cuMemFree);
        idle.clear();
        lent.clear();
        idleBytes = 0;
        lentBytes = 0;
    }
}
