package dev.greenfield.engine;

import dev.greenfield.backend.RaggedRows;

/**
 * Flops of the matrix products that carry tangents or cotangents through half a block, as the layers execute them: 8 D^2 a row for
 * attention (Wqkv and Wo), and for the MLP 4 D F a row or what {@link Condensation} takes instead. What attention does between
 * tokens, O(D T) a row, is not counted.
 */
public final class HalfBlockFlops {
    private HalfBlockFlops() {}

    /**
     * The half block that lies after a half depth.
     *
     * @param halfDepth where the rows are
     * @param forward whether they climb from there, otherwise they descend
     */
    public static double of(DeviceModel model, int halfDepth, boolean forward, RaggedRows rows) {
        double sum = 0;
        for (int t = 0; t < rows.tokens(); t++) {
            sum += ofToken(model, halfDepth, forward, rows.count(t));
        }
        return sum;
    }

    /** Likewise for the {@code count} rows of one token. */
    public static double ofToken(DeviceModel model, int halfDepth, boolean forward, long count) {
        boolean attention = (halfDepth % 2 == 0) == forward;
        double d = model.config().width();
        return attention ? 8 * d * d * count : Condensation.flops(model, count);
    }
}
