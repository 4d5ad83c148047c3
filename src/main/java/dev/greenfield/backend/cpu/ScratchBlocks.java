package dev.greenfield.backend.cpu;

import java.util.ArrayDeque;
import java.util.Deque;

/** Native work space lent to tasks and kept for the next one. */
final class ScratchBlocks implements AutoCloseable {
    private final CpuMemory memory;
    private final Deque<CpuMemory.Block> idle = new ArrayDeque<>();

    ScratchBlocks(CpuMemory memory) {
        this.memory = memory;
    }

    /** A block of at least {@code floats} floats with arbitrary contents. */
    CpuMemory.Block take(int floats) {
        CpuMemory.Block block;
        synchronized (idle) {
            block = idle.poll();
        }
        if (block != null && block.view().capacity() >= floats) {
            return block;
        }
        if (block != null) {
            block.free();
        }
        return memory.allocate(floats);
    }

    void give(CpuMemory.Block block) {
        synchronized (idle) {
            idle.push(block);
        }
    }

    @Override
    public void close() {
        synchronized (idle) {
            idle.forEach(CpuMemory.Block::free);
            idle.clear();
        }
    }
}
