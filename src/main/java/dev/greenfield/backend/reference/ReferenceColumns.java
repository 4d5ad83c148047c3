package dev.greenfield.backend.reference;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.ColumnOperations;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.function.IntUnaryOperator;

/** The operations between a batch and some of its columns, row by row. */
final class ReferenceColumns implements ColumnOperations {
    private final Arithmetic arithmetic;
    private final ReferenceLayerNorm layerNorm;

    ReferenceColumns(Arithmetic arithmetic, ReferenceLayerNorm layerNorm) {
        this.arithmetic = arithmetic;
        this.layerNorm = layerNorm;
    }

    @Override
    public void layerNorm(Matrix x, RaggedRows columns, double epsilon, Matrix normalized) {
        layerNorm.value(x, columns::rowInWhole, epsilon, normalized, null);
    }

    @Override
    public void layerNormTangent(Matrix dx, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix dy) {
        IntUnaryOperator same = IntUnaryOperator.identity();
        layerNorm.tangent(dy.rows(), dx, columns::rowInWhole, columns, 0, normalized, inverseStd, dy, same, false);
    }

    @Override
    public void layerNormAdjoint(Matrix y, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix x) {
        IntUnaryOperator same = IntUnaryOperator.identity();
        layerNorm.tangent(y.rows(), y, same, columns, 0, normalized, inverseStd, x, columns::rowInWhole, true);
    }

    @Override
    public void take(Matrix x, RaggedRows columns, int fromToken, Matrix y) {
        double[] values = ReferenceBuffer.of(x);
        double[] taken = ReferenceBuffer.of(y);
        for (int i = 0; i < y.rows(); i++) {
            int row = columns.rowInWhole(columns.start(fromToken) + i);
            System.arraycopy(values, (int) x.at(row), taken, (int) y.at(i), y.columns());
        }
    }

    @Override
    public void add(Matrix y, Buffer bias, RaggedRows columns, int fromToken, Matrix x) {
        double[] branch = ReferenceBuffer.of(y);
        double[] b = bias == null ? null : ReferenceBuffer.of(bias);
        double[] values = ReferenceBuffer.of(x);
        for (int i = 0; i < y.rows(); i++) {
            int to = (int) x.at(columns.rowInWhole(columns.start(fromToken) + i));
            for (int j = 0; j < y.columns(); j++) {
                double added = branch[(int) y.at(i) + j];
                values[to + j] =
                        arithmetic.round(values[to + j] + (b == null ? added : arithmetic.round(added + b[j])));
            }
        }
    }
}
