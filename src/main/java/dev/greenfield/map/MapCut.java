package dev.greenfield.map;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.KeptTokens;
import java.util.List;

/**
 * The batches of a map, and whose MLPs' maps all of them keep.
 *
 * @param batches consecutive ranges of columns
 * @param kept none where there is one batch
 */
record MapCut(List<Batches.Range> batches, KeptTokens kept) {
    /** Cuts columns into batches that fit so much memory. */
    interface Cutting {
        List<Batches.Range> batches(long bytes);
    }

    /**
     * Of the two ways the one of fewer flops: all memory for batches, or a quarter for maps of tokens that all batches keep. Where
     * everything fits one batch, there is nothing to keep them for.
     *
     * @param rows per column how many rows it has
     * @param costs of columns, nothing kept
     */
    static MapCut cheapest(DeviceModel model, int[] rows, long bytes, ColumnCosts costs, Cutting cutting) {
        MapCut plain = new MapCut(cutting.batches(bytes), KeptTokens.none());
        if (plain.batches().size() < 2) {
            return plain;
        }
        KeptTokens kept = KeptTokens.within(model, costs.rowsOfTokens(), bytes);
        long left = bytes - kept.bytes();
        if (kept.count() == 0 || !Batches.fits(model, rows, left)) {
            return plain;
        }
        MapCut keeping = new MapCut(cutting.batches(left), kept);
        return costs.keeping(kept).flops(keeping.batches()) < costs.flops(plain.batches()) ? keeping : plain;
    }
}
