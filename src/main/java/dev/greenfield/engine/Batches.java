package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.model.ModelConfig;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.LongUnaryOperator;

/** Cuts the columns of a sweep into batches whose memory fits a budget. */
public final class Batches {
    private Batches() {}

    /** The columns from (inclusive) to (exclusive). */
    public record Range(int from, int to) {}

    /**
     * Consecutive ranges of columns, each as long as fits.
     *
     * @param model whose widths and precision say what a row costs
     * @param rows per column how many rows it has
     * @param budgetBytes what one sweep may take
     * @throws MemoryBudgetException when a single column does not fit
     */
    public static List<Range> cut(DeviceModel model, int[] rows, long budgetBytes) {
        return cut(model, rows, budgetBytes, n -> bytes(model, n));
    }

    private static List<Range> cut(DeviceModel model, int[] rows, long budgetBytes, LongUnaryOperator bytes) {
        long most = mostRows(model, budgetBytes, bytes);
        List<Range> ranges = new ArrayList<>();
        int from = 0;
        long sum = 0;
        for (int c = 0; c < rows.length; c++) {
            if (rows[c] > most) {
                long need = bytes.applyAsLong(rows[c]);
                throw new MemoryBudgetException("one sweep needs at least " + MemoryBudgetException.amount(need)
                        + " for a single source over "
                        + rows[c] + (rows[c] == 1 ? " token" : " tokens") + ", the memory budget leaves "
                        + MemoryBudgetException.amount(budgetBytes)
                        + ": " + Remedy.RAISE_MEMORY + " or use a shorter prompt");
            }
            if (sum + rows[c] > most) {
                ranges.add(new Range(from, c));
                from = c;
                sum = 0;
            }
            sum += rows[c];
        }
        if (from < rows.length) {
            ranges.add(new Range(from, rows.length));
        }
        return ranges;
    }

    /**
     * Works through columns in ranges as long as fit. Where a device turns out to have less memory than the budget promised, the
     * range is halved and done again, and so are the ranges after it.
     *
     * @param work takes a range; doing one again must write the same results over those of the failed try
     * @see #cut for the other arguments
     */
    public static void run(DeviceModel model, int[] rows, long budgetBytes, Consumer<Range> work) {
        run(cut(model, rows, budgetBytes), Integer.MAX_VALUE, most -> {}, work);
    }

    /**
     * Works through the columns of sweeps of second derivatives in the same way; see {@link Sweep#curvatures}.
     *
     * @param tokens length of the run
     */
    public static void runCurvatures(
            DeviceModel model, int[] rows, int tokens, long budgetBytes, Consumer<Range> work) {
        List<Range> ranges = cut(model, rows, budgetBytes, n -> curvatureBytes(model, n, tokens));
        run(ranges, Integer.MAX_VALUE, most -> {}, work);
    }

    /**
     * Works through given ranges in the same way. Which ranges the work is given depends on {@code ranges}, {@code atMost} and what
     * the device refuses alone: a run that was broken off goes on as it would have, from what is left of its ranges and the last
     * number that {@code narrowed} was told.
     *
     * @param ranges consecutive ranges of columns
     * @param atMost longer ranges are cut into parts of so many columns, from the front
     * @param narrowed is told how many columns a range may have from now on, each time that the device refused one
     */
    public static void run(List<Range> ranges, int atMost, IntConsumer narrowed, Consumer<Range> work) {
        int columns =
                ranges.stream().mapToInt(range -> range.to() - range.from()).sum();
        Task.run("batches", "columns", columns, task -> run(ranges, atMost, narrowed, work, task));
    }

    private static void run(List<Range> ranges, int atMost, IntConsumer narrowed, Consumer<Range> work, Task task) {
        Deque<Range> todo = new ArrayDeque<>(ranges);
        int most = atMost; // columns that the device was seen not to refuse
        while (!todo.isEmpty()) {
            Range range = todo.pop();
            int columns = range.to() - range.from();
            if (columns > most) {
                todo.push(new Range(range.from() + most, range.to()));
                todo.push(new Range(range.from(), range.from() + most));
                continue;
            }
            try {
                task.run(columns, () -> work.accept(range));
            } catch (DeviceMemoryException e) {
                if (columns == 1) {
                    throw e;
                }
                most = columns / 2;
                narrowed.accept(most);
                todo.push(range);
            }
        }
    }

    /** Whether each single column fits so much memory. */
    public static boolean fits(DeviceModel model, int[] rows, long budgetBytes) {
        return bytes(model, Arrays.stream(rows).max().orElse(0)) <= budgetBytes;
    }

    /**
     * Checks that a sweep over {@code rows} rows fits.
     *
     * @throws MemoryBudgetException when it does not
     */
    public static void require(DeviceModel model, int rows, long budgetBytes) {
        cut(model, new int[] {rows}, budgetBytes);
    }

    /** The most bytes of a sweep over {@code rows} rows. */
    public static long bytes(DeviceModel model, long rows) {
        Backend backend = model.backend();
        long chunk = Math.min(rows, backend.preferredChunkRows());
        // A column has no more rows than there are positions.
        long attention = Math.max(
                chunk, ColumnTiles.mostRows(backend, rows, model.config().positions()));
        return backend.precision().bytes()
                        * (rows * Workspace.elementsPerRow(model.config())
                                + SeedInjection.stagedRows(rows)
                                        * model.config().width()
                                + attention * AttentionPart.workElements(model.config())
                                + chunk * MlpPart.workElements(model.config()))
                + (rows < Condensation.leastRows(backend, model.config()) ? 0 : bytesOfMaps(model, (int) chunk))
                + backend.precision().bytes() * KeyPath.mostElements(backend, model.config(), model.shortcuts(), rows);
    }

    /**
     * Bytes of a sweep of second derivatives over {@code rows} rows of a run of {@code tokens} tokens: two workspaces with all rows
     * in attention at once, one of them with the seeds' staging, and act'' of one block.
     */
    public static long curvatureBytes(DeviceModel model, long rows, int tokens) {
        ModelConfig config = model.config();
        long workspace = Workspace.elementsPerRow(config) + AttentionPart.workElements(config);
        long chunk = Math.min(rows, model.backend().preferredChunkRows());
        return model.backend().precision().bytes()
                * (rows * 2 * workspace
                        + SeedInjection.stagedRows(rows) * config.width()
                        + 2 * chunk * MlpPart.workElements(config)
                        + tokens * MlpPart.bendElements(config));
    }

    private static long bytesOfMaps(DeviceModel model, int chunk) {
        return Condensation.mapElements(model.config(), chunk)
                * model.backend().precision().bytes();
    }

    /** The most rows whose bytes are within a budget. They grow with the rows, so that the border can be found by halving. */
    private static long mostRows(DeviceModel model, long budgetBytes, LongUnaryOperator bytes) {
        long low = 0;
        long high =
                Math.min(model.backend().maxBufferLength() / Workspace.rowWidth(model.config()), Integer.MAX_VALUE - 8);
        while (low < high) {
            long middle = (low + high + 1) / 2;
            if (bytes.applyAsLong(middle) <= budgetBytes) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
}
