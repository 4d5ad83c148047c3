package dev.greenfield.engine;

import dev.greenfield.lattice.HalfDepth;
import java.util.List;

/**
 * One block of a model: what it does to the stream, half by half, and the two branches that it is made of.
 *
 * @param attention one branch
 * @param mlp the other
 * @param lower the half that begins at the block's depth
 * @param upper the half that begins in its middle
 */
record Block(AttentionPart attention, MlpPart mlp, BlockPart lower, BlockPart upper) {
    /** A block whose MLP reads what attention made. */
    static Block serial(AttentionPart attention, MlpPart mlp) {
        return new Block(attention, mlp, attention, mlp);
    }

    /** A block whose attention and MLP both read what enters it. */
    static Block parallel(AttentionPart attention, MlpPart mlp, ParallelBlock both) {
        return new Block(attention, mlp, both, both.rest());
    }

    /** The half that begins at a level, which is this block's depth or its middle. */
    BlockPart part(HalfDepth from) {
        return from.isMiddle() ? upper : lower;
    }

    /** The halves from below up. */
    List<BlockPart> parts() {
        return List.of(lower, upper);
    }

    /** Room for the primal of a run. */
    BlockPrimal allocate(RunMemory memory) {
        return new BlockPrimal(attention.allocate(memory), mlp.allocate(memory));
    }
}
