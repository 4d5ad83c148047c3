package dev.greenfield.engine;

import dev.greenfield.lattice.HalfDepth;

/** A block whose weights are on the backend until this is closed. A thread visits one block at a time. */
final class BlockVisit implements AutoCloseable {
    private final Block block;
    private final Runnable end;

    /**
     * @param end takes note that the block is left; called once
     */
    BlockVisit(Block block, Runnable end) {
        this.block = block;
        this.end = end;
    }

    /** The half that begins at a level of the block. */
    BlockPart part(HalfDepth from) {
        return block.part(from);
    }

    Block block() {
        return block;
    }

    @Override
    public void close() {
        end.run();
    }
}
