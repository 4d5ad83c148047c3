package dev.greenfield.engine;

import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;

/**
 * Flops of the matrix products that carry tangents or cotangents from one level to the next, as the part in between executes them;
 * see {@link BlockPart#flops}.
 */
public final class HalfBlockFlops {
    private HalfBlockFlops() {}

    /**
     * Those of all rows of a batch; 0 where no half block follows.
     *
     * @param level where the rows are
     * @param forward whether they climb from there, otherwise they descend
     */
    public static double of(DeviceModel model, HalfDepth level, boolean forward, RaggedRows rows) {
        return ends(model, level, forward) ? 0 : part(model, level, forward).flops(rows);
    }

    /** Likewise for the {@code count} rows of one token. */
    public static double ofToken(DeviceModel model, HalfDepth level, boolean forward, long count) {
        return ends(model, level, forward) ? 0 : part(model, level, forward).flops(count);
    }

    private static boolean ends(DeviceModel model, HalfDepth level, boolean forward) {
        return level.equals(forward ? model.top() : HalfDepth.ofDepth(0));
    }

    private static BlockPart part(DeviceModel model, HalfDepth level, boolean forward) {
        return model.part(forward ? level : level.below());
    }
}
