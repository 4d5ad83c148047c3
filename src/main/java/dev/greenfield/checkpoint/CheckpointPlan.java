package dev.greenfield.checkpoint;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How a map with a checkpoint is cut. The plan is kept with the results, since which numbers come out depends on it in their last
 * bits: products of other sizes sum in other orders.
 *
 * @param forward whether tangents climb from the sources; otherwise cotangents descend from the targets
 * @param batches consecutive ranges of columns, from the first to the last
 * @param keptMaps of how many tokens' MLPs all batches keep the maps; see {@link dev.greenfield.engine.KeptTokens}
 */
public record CheckpointPlan(boolean forward, List<Batches.Range> batches, int keptMaps) {
    /** Ten seconds of work at a modest rate of the backend: what may be lost when the process is killed. */
    private static final Map<String, Double> FLOPS_PER_BATCH = Map.of("reference", 1e10, "cpu", 5e11, "cuda", 2e14);

    /**
     * Cuts columns into batches that fit the memory and are not too long. What memory allows is cut evenly into parts of at most
     * the backend's {@link #FLOPS_PER_BATCH}, though not into more parts than leave each the rows that the backend likes to work on
     * at once: products of fewer rows are slower.
     *
     * @param rows per column how many rows it has
     * @param flopsBefore per column the flops of all columns before it, and last those of all, [columns + 1]
     */
    public static List<Batches.Range> cut(DeviceModel model, int[] rows, long budgetBytes, double[] flopsBefore) {
        double most = FLOPS_PER_BATCH.getOrDefault(model.backend().name(), 5e11);
        int leastRows = model.backend().preferredChunkRows();
        List<Batches.Range> batches = new ArrayList<>();
        for (Batches.Range range : Batches.cut(model, rows, budgetBytes)) {
            double flops = flopsBefore[range.to()] - flopsBefore[range.from()];
            long parts = Math.min((long) Math.ceil(flops / most), rows(rows, range) / leastRows);
            int from = range.from();
            long part = 1;
            for (int c = from + 1; c < range.to(); c++) {
                if ((flopsBefore[c] - flopsBefore[range.from()]) * parts >= flops * part) {
                    batches.add(new Batches.Range(from, c));
                    from = c;
                    part++;
                }
            }
            batches.add(new Batches.Range(from, range.to()));
        }
        return batches;
    }

    /** The rows of a range of columns. */
    public static long rows(int[] rows, Batches.Range range) {
        long sum = 0;
        for (int c = range.from(); c < range.to(); c++) {
            sum += rows[c];
        }
        return sum;
    }

    /** How many columns there are. */
    int columns() {
        return batches.isEmpty() ? 0 : batches.get(batches.size() - 1).to();
    }

    /**
     * What is left to do.
     *
     * @param column the first column whose results are missing
     */
    List<Batches.Range> from(int column) {
        return batches.stream()
                .filter(range -> range.to() > column)
                .map(range -> new Batches.Range(Math.max(range.from(), column), range.to()))
                .toList();
    }

    /** How many batches end at or before a column. */
    long before(int column) {
        return batches.stream().filter(range -> range.to() <= column).count();
    }
}
