package dev.greenfield.engine;

import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.Causality;
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
        return ends(model, level, forward) ? 0 : part(model, level, forward).flops(rows, forward);
    }

    /**
     * Likewise for the {@code count} rows of one token.
     *
     * @param tokens those up to the last that the batch has rows at
     * @param rows of the whole batch at this level
     */
    public static double ofToken(
            DeviceModel model, HalfDepth level, boolean forward, long count, int tokens, long rows) {
        return ends(model, level, forward)
                ? 0
                : part(model, level, forward).flops(count, new BatchSize(tokens, rows), forward);
    }

    /**
     * Those of a climbing column in a {@link Nursery}.
     *
     * @param rows how many rows the column gets where this half block mixes tokens
     * @param together newborn columns at its token, itself included
     */
    public static double ofNewborn(DeviceModel model, HalfDepth level, long rows, long together) {
        return ends(model, level, true) ? 0 : part(model, level, true).flopsOfNewborn(rows, together);
    }

    /**
     * The half depths that a column of {@code rows} rows and a single seed spends in a {@link Nursery} after its level: up to the first
     * attention.
     */
    public static int stepsAsNewborn(DeviceModel model, HalfDepth level, boolean forward, int rows) {
        return forward && Nursery.takes(model.backend(), model.shortcuts(), rows)
                ? (Causality.mixesTokens(level) ? 1 : 2)
                : 0;
    }

    private static boolean ends(DeviceModel model, HalfDepth level, boolean forward) {
        return level.equals(forward ? model.top() : HalfDepth.ofDepth(0));
    }

    private static BlockPart part(DeviceModel model, HalfDepth level, boolean forward) {
        return model.part(forward ? level : level.below());
    }
}
