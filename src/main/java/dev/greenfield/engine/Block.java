package dev.greenfield.engine;

import dev.greenfield.lattice.HalfDepth;
import java.util.List;

/** One block of a model: its attention, then its MLP, each added to the stream. */
record Block(AttentionPart attention, MlpPart mlp) {
    /** The half that begins at a level, which is this block's depth or its middle. */
    BlockPart part(HalfDepth from) {
        return from.isMiddle() ? mlp : attention;
    }

    /** The halves from below up. */
    List<BlockPart> parts() {
        return List.of(attention, mlp);
    }

    /** Room for the primal of a run. */
    BlockPrimal allocate(RunMemory memory) {
        return new BlockPrimal(attention.allocate(memory), mlp.allocate(memory));
    }
}
