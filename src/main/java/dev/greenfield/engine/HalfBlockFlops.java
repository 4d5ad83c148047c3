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
        return of(model, level, forward, rows, KeptTokens.none());
    }

    /** Likewise where the maps of given tokens are there already. */
    public static double of(DeviceModel model, HalfDepth level, boolean forward, RaggedRows rows, KeptTokens kept) {
        return ends(model, level, forward)
                ? 0
                : part(model, level, forward).flops(rows, forward, token -> kept.has(block(level, forward), token));
    }

    /** The block that follows. */
    public static int block(HalfDepth level, boolean forward) {
        return (forward ? level : level.below()).block();
    }

    /** Those of forming the map of one token's MLP, where the half block has an MLP; otherwise 0. */
    public static double toForm(DeviceModel model, HalfDepth level, boolean forward) {
        return ends(model, level, forward) ? 0 : part(model, level, forward).flopsToForm();
    }

    /**
     * Likewise for the {@code count} rows of one token.
     *
     * @param tokens those up to the last that the batch has rows at
     * @param rows of the whole batch at this level
     * @param state what saves work at this token
     */
    public static double ofToken(
            DeviceModel model, HalfDepth level, boolean forward, long count, int tokens, long rows, TokenState state) {
        return ends(model, level, forward)
                ? 0
                : part(model, level, forward).flops(count, new BatchSize(tokens, rows), forward, state);
    }

    /**
     * Those of a climbing column in a {@link Nursery}.
     *
     * @param rows how many rows the column gets where this half block mixes tokens
     * @param together newborn columns at its token, itself included
     * @param kept whether the token's map is there already
     */
    public static double ofNewborn(DeviceModel model, HalfDepth level, long rows, long together, boolean kept) {
        return ends(model, level, true) ? 0 : part(model, level, true).flopsOfNewborn(rows, together, kept);
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
