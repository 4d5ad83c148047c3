package dev.greenfield.backend.cpu;

import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Memory outside the Java heap. Blocks that are given back are kept for the next request of about their size, up to a limit:
 * every sweep asks for the same few blocks, and the system takes as long to map fresh pages as some of its operations take.
 */
final class NativeMemory implements CpuMemory {
    /** Floats kept at most, 512 MiB. */
    private static final long KEPT = 1L << 27;

    private final List<NativeBlock> idle = new ArrayList<>(); // oldest first
    private long idleFloats;
    private long lentFloats;
    private long mostFloats = Long.MAX_VALUE;
    private boolean closed;

    @Override
    public synchronized void keepWithin(long bytes) {
        mostFloats = bytes / 4;
        evict(0);
    }

    @Override
    public synchronized CpuMemory.Block allocate(long floats) {
        NativeBlock block = take(floats);
        if (block == null) {
            evict(floats);
            block = new NativeBlock(floats);
        }
        lentFloats += block.floats;
        return block;
    }

    /** Frees the blocks that were kept longest until {@code floats} more fit. */
    private void evict(long floats) {
        while (!idle.isEmpty() && lentFloats + idleFloats + floats > mostFloats) {
            NativeBlock oldest = idle.remove(0);
            idleFloats -= oldest.floats;
            oldest.pointer.deallocate();
        }
    }

    /** The smallest kept block that is large enough and wastes at most a quarter. */
    private NativeBlock take(long floats) {
        NativeBlock best = null;
        for (NativeBlock block : idle) {
            boolean fits = block.floats >= floats && block.floats <= floats + floats / 4;
            if (fits && (best == null || block.floats < best.floats)) {
                best = block;
            }
        }
        if (best != null) {
            idle.remove(best);
            idleFloats -= best.floats;
        }
        return best;
    }

    private synchronized void give(NativeBlock block) {
        lentFloats -= block.floats;
        if (closed || idleFloats + block.floats > KEPT || lentFloats + idleFloats + block.floats > mostFloats) {
            block.pointer.deallocate();
        } else {
            idle.add(block);
            idleFloats += block.floats;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        idle.forEach(block -> block.pointer.deallocate());
        idle.clear();
        idleFloats = 0;
    }

    /** A block that OpenBLAS reads in place. */
    final class NativeBlock implements CpuMemory.Block {
        private final long floats;
        private final FloatPointer pointer;
        private final long address;
        private final Floats view;

        private NativeBlock(long floats) {
            this.floats = floats;
            try {
                pointer = new FloatPointer(Math.max(floats, 1));
            } catch (OutOfMemoryError e) {
                throw new MemoryBudgetException(
                        "the system gave no " + MemoryBudgetException.amount(Float.BYTES * floats)
                                + " of memory for one buffer: close other programs or " + Remedy.LOWER_MEMORY);
            }
            address = pointer.address();
            view = Floats.of(
                    Math.max(floats, 1),
                    (from, count) -> pointer.getPointer(from).limit(count).asBuffer());
        }

        @Override
        public Floats view() {
            return view;
        }

        @Override
        public void free() {
            give(this);
        }

        /** Where in memory the float with this index is; good as long as the block is held. */
        long address(long offset) {
            return address + Float.BYTES * offset;
        }
    }
}
