package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.ColumnOperations;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.function.Consumer;

/** Launches the kernels of {@link ColumnOperations}: those of whole batches, with a table of where a part's rows stand. */
final class CudaColumns implements ColumnOperations {
    private final Launcher launcher;
    private final BatchTables tables;
    private final Consumer<Runnable> queue;

    /**
     * @param queue runs an operation under the backend's lock
     */
    CudaColumns(Launcher launcher, BatchTables tables, Consumer<Runnable> queue) {
        this.launcher = launcher;
        this.tables = tables;
        this.queue = queue;
    }

    @Override
    public void layerNorm(Matrix x, RaggedRows columns, double epsilon, Matrix normalized) {
        queue.accept(() -> {
            BatchTables.Table table = tables.of(columns);
            launcher.kernel("layer_norm")
                    .matrix(x)
                    .address(table.rowOf(0))
                    .matrix(normalized)
                    .address(0)
                    .size(normalized)
                    .number((float) epsilon)
                    .launchSums(normalized);
        });
    }

    @Override
    public void layerNormTangent(Matrix dx, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix dy) {
        queue.accept(() -> {
            BatchTables.Table table = tables.of(columns);
            launcher.kernel("layer_norm_tangent")
                    .matrix(dx)
                    .address(table.rowOf(0))
                    .address(table.tokenOf(0))
                    .matrix(normalized)
                    .buffer(inverseStd)
                    .matrix(dy)
                    .address(0)
                    .size(dy)
                    .number(0)
                    .launchSumsByWarps(dy);
        });
    }

    @Override
    public void layerNormAdjoint(Matrix y, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix x) {
        queue.accept(() -> {
            BatchTables.Table table = tables.of(columns);
            launcher.kernel("layer_norm_tangent")
                    .matrix(y)
                    .address(0)
                    .address(table.tokenOf(0))
                    .matrix(normalized)
                    .buffer(inverseStd)
                    .matrix(x)
                    .address(table.rowOf(0))
                    .size(y)
                    .number(1)
                    .launchSumsByWarps(y);
        });
    }

    @Override
    public void take(Matrix x, RaggedRows columns, int fromToken, Matrix y) {
        queue.accept(() -> {
            BatchTables.Table table = tables.of(columns);
            int start = columns.start(fromToken);
            launcher.kernel("take")
                    .matrix(rowsOfWhole(x, columns, start, y.rows()))
                    .address(table.rowOf(start))
                    .matrix(y)
                    .size(y)
                    .launchElements(y);
        });
    }

    @Override
    public void add(Matrix y, Buffer bias, RaggedRows columns, int fromToken, Matrix x) {
        queue.accept(() -> {
            BatchTables.Table table = tables.of(columns);
            int start = columns.start(fromToken);
            Matrix sum = rowsOfWhole(x, columns, start, y.rows());
            launcher.kernel("add_branch")
                    .matrix(y)
                    .buffer(bias)
                    .matrix(sum)
                    .matrix(sum)
                    .address(table.rowOf(start))
                    .size(y)
                    .launchElements(y);
        });
    }

    /** A part's table says where its rows stand; a batch that is no part has none, and its rows follow each other. */
    private static Matrix rowsOfWhole(Matrix x, RaggedRows columns, int start, int count) {
        return columns.isPart() ? x : x.rows(start, count);
    }
}
