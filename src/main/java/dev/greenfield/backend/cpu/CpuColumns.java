package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.ColumnOperations;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.function.IntUnaryOperator;

/** The operations between a batch and some of its columns: the loops over rows, told where the rows stand. */
final class CpuColumns implements ColumnOperations {
    private static final IntUnaryOperator SAME = IntUnaryOperator.identity();

    private final Workers workers;

    CpuColumns(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void layerNorm(Matrix x, RaggedRows columns, double epsilon, Matrix normalized) {
        workers.ranges(
                normalized.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.layerNorm(x, columns::rowInWhole, epsilon, normalized, null, from, to));
    }

    @Override
    public void layerNormTangent(Matrix dx, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix dy) {
        Floats inverse = CpuBuffer.of(inverseStd).view();
        workers.ranges(
                dy.rows(),
                Workers.rowsWorthATask(dx),
                (from, to) -> RowKernels.layerNormTangent(
                        dx, columns::rowInWhole, columns, 0, normalized, inverse, dy, SAME, false, from, to));
    }

    @Override
    public void layerNormAdjoint(Matrix y, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix x) {
        Floats inverse = CpuBuffer.of(inverseStd).view();
        workers.ranges(
                y.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.layerNormTangent(
                        y, SAME, columns, 0, normalized, inverse, x, columns::rowInWhole, true, from, to));
    }

    @Override
    public void take(Matrix x, RaggedRows columns, int fromToken, Matrix y) {
        workers.ranges(
                y.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.take(x, rowsFrom(columns, fromToken), y, from, to));
    }

    @Override
    public void add(Matrix y, Buffer bias, RaggedRows columns, int fromToken, Matrix x) {
        Floats b = bias == null ? null : CpuBuffer.of(bias).view();
        workers.ranges(
                y.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.addBranch(y, b, x, rowsFrom(columns, fromToken), x, from, to));
    }

    /** Where the rows of columns stand in their whole batch, counted from those at a token on. */
    private static IntUnaryOperator rowsFrom(RaggedRows columns, int fromToken) {
        int start = columns.start(fromToken);
        return i -> columns.rowInWhole(start + i);
    }
}
