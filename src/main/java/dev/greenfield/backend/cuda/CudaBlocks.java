package dev.greenfield.backend.cuda;

import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;
import java.util.function.Consumer;

/** Launches the kernels of {@link BlockOperations}. Those of gates go over F columns, of which each thread has both halves of a row. */
final class CudaBlocks implements BlockOperations {
    private final Launcher launcher;
    private final BatchTables tables;
    private final Consumer<Runnable> queue;

    /**
     * @param queue runs an operation under the backend's lock
     */
    CudaBlocks(Launcher launcher, BatchTables tables, Consumer<Runnable> queue) {
        this.launcher = launcher;
        this.tables = tables;
        this.queue = queue;
    }

    @Override
    public void rmsNorm(Matrix x, int groups, double epsilon, Matrix normalized, Buffer inverse) {
        queue.accept(() -> launcher.kernel("rms_norm")
                .matrix(x)
                .matrix(normalized)
                .buffer(inverse)
                .size(x)
                .number(groups)
                .number((float) epsilon)
                .launchGroups(x, groups));
    }

    @Override
    public void rmsNormTangent(
            Matrix dx,
            int groups,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverse,
            Matrix dy,
            boolean accumulate) {
        queue.accept(() -> {
            long tokens = tables.of(rows).tokenOf(fromRow);
            launcher.kernel("rms_norm_tangent")
                    .matrix(dx)
                    .address(tokens)
                    .matrix(normalized)
                    .buffer(inverse)
                    .matrix(dy)
                    .size(dx)
                    .number(groups)
                    .number(accumulate ? 1 : 0)
                    .launchGroups(dx, groups);
        });
    }

    @Override
    public void rmsNormCurvature(
            Matrix dx, int groups, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverse, Matrix ddy) {
        queue.accept(() -> {
            long tokens = tables.of(rows).tokenOf(fromRow);
            launcher.kernel("rms_norm_curvature")
                    .matrix(dx)
                    .address(tokens)
                    .matrix(normalized)
                    .buffer(inverse)
                    .matrix(ddy)
                    .size(dx)
                    .number(groups)
                    .launchGroups(dx, groups);
        });
    }

    @Override
    public void scaleColumns(Matrix x, Buffer factors, Matrix y) {
        queue.accept(() -> launcher.kernel("scale_columns")
                .matrix(x)
                .buffer(factors)
                .matrix(y)
                .size(x)
                .launchElements(x));
    }

    @Override
    public void spreadHeads(HeadLayout layout, Matrix x, RaggedRows rows, Matrix y) {
        queue.accept(() -> heads("spread_heads", layout, x, rows, y).launchElements(y));
    }

    @Override
    public void gatherHeads(HeadLayout layout, Matrix y, RaggedRows rows, Matrix x) {
        queue.accept(() -> heads("gather_heads", layout, y, rows, x).launchElements(x));
    }

    private Launcher heads(String kernel, HeadLayout layout, Matrix from, RaggedRows rows, Matrix to) {
        long tokens = tables.of(rows).tokenOf(0);
        Matrix rotation = layout.rotation();
        return launcher.kernel(kernel)
                .matrix(from)
                .address(tokens)
                .matrix(rotation)
                .number(rotation == null ? 0 : rotation.columns() / 2)
                .buffer(layout.gain())
                .matrix(to)
                .number(to.rows())
                .number(layout.heads())
                .number(layout.keyHeads())
                .number(layout.headWidth())
                .work((double) Float.BYTES * to.rows() * (from.columns() + to.columns()), 0);
    }

    @Override
    public void gate(Activation kind, Matrix x, Buffer bias, Matrix factors) {
        Matrix half = half(x);
        queue.accept(() -> launcher.kernel("gate")
                .number(CudaNonlinear.number(kind))
                .matrix(x)
                .buffer(bias)
                .matrix(factors)
                .size(half)
                .launchElements(half));
    }

    @Override
    public void gateTangent(Matrix dx, RaggedRows rows, int fromRow, Matrix factors, Matrix dh) {
        byToken("gate_tangent", dx, rows, fromRow, factors, dh, dh);
    }

    @Override
    public void gateAdjoint(Matrix dh, RaggedRows rows, int fromRow, Matrix factors, Matrix dx) {
        byToken("gate_adjoint", dh, rows, fromRow, factors, dx, dh);
    }

    @Override
    public void gateSecondDerivative(Activation kind, Matrix x, Buffer bias) {
        Matrix half = half(x);
        queue.accept(() -> launcher.kernel("gate_second_derivative")
                .number(CudaNonlinear.number(kind))
                .matrix(x)
                .buffer(bias)
                .size(half)
                .launchElements(half));
    }

    @Override
    public void gateCurvature(Matrix dx, RaggedRows rows, int fromRow, Matrix second, Matrix ddh) {
        byToken("gate_curvature", dx, rows, fromRow, second, ddh, ddh);
    }

    /** A kernel that takes rows of a batch by numbers of each row's token; {@code size} is as wide as the hidden layer. */
    private void byToken(
            String kernel, Matrix from, RaggedRows rows, int fromRow, Matrix ofTokens, Matrix to, Matrix size) {
        queue.accept(() -> {
            long tokens = tables.of(rows).tokenOf(fromRow);
            launcher.kernel(kernel)
                    .matrix(from)
                    .address(tokens)
                    .matrix(ofTokens)
                    .matrix(to)
                    .size(size)
                    .launchElements(size);
        });
    }

    /** The gates of [R, 2 F], as they stand. */
    private static Matrix half(Matrix x) {
        return new Matrix(x.buffer(), x.offset(), x.rows(), x.columns() / 2, x.stride());
    }
}
