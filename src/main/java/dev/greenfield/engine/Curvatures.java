package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;

/**
 * The halves of a block for first and second derivatives together, dx and ddx. Where f is one of the nonlinear operations,
 * f(x + e dx + e^2/2 ddx) = f + e f'dx + e^2/2 (f'ddx + f''[dx, dx]): ddx goes through whatever dx goes through, and each operation
 * adds the curvature along dx. Linear maps have none.
 */
final class Curvatures {
    private final DeviceModel model;
    private final Backend backend;

    Curvatures(DeviceModel model) {
        this.model = model;
        this.backend = model.backend();
    }

    /**
     * The attention half.
     *
     * @param fromToken from which token on the result is wanted: rows at earlier tokens are left as they were
     */
    void attention(int l, Batch batch, Layers.Primal primal, int fromToken) {
        DeviceModel.BlockWeights block = model.block(l);
        RaggedRows rows = batch.rows();
        Workspace w = batch.workspace();
        Workspace w2 = batch.secondWorkspace();
        Matrix dy = w.y(rows.rows());
        Matrix ddy = w2.y(rows.rows());
        Matrix dqkv = w.qkv(rows.rows());
        Matrix ddqkv = w2.qkv(rows.rows());
        normalize(batch.x(), batch.second(), rows, 0, primal.normalized1(), primal.inverseStd1(), dy, ddy);
        backend.multiply(1, dy, false, block.qkv(), false, 0, dqkv);
        backend.multiply(1, ddy, false, block.qkv(), false, 0, ddqkv);
        Cancellation.check(); // all rows are in attention at once
        backend.attentionTangent(primal.attention(), dqkv, rows, fromToken, dy);
        backend.attentionTangent(primal.attention(), ddqkv, rows, fromToken, ddy);
        backend.attentionCurvature(primal.attention(), dqkv, rows, fromToken, ddy);
        Cancellation.check();
        addBranch(dy, rows, fromToken, block.projection(), batch.x());
        addBranch(ddy, rows, fromToken, block.projection(), batch.second());
    }

    private void addBranch(Matrix y, RaggedRows rows, int fromToken, Matrix projection, Matrix x) {
        backend.multiply(
                1, Layers.from(y, rows, fromToken), false, projection, false, 1, Layers.from(x, rows, fromToken));
    }

    private void normalize(
            Matrix dx,
            Matrix ddx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            Matrix ddy) {
        backend.layerNormTangent(dx, rows, fromRow, normalized, inverseStd, dy, false);
        backend.layerNormTangent(ddx, rows, fromRow, normalized, inverseStd, ddy, false);
        backend.layerNormCurvature(dx, rows, fromRow, normalized, inverseStd, ddy);
    }

    /**
     * The MLP half of the rows at {@code fromToken} and later. The hidden layer's rows are needed one by one for the square of du,
     * so that no token gets a map of its own here; see {@link Condensation}.
     *
     * @param secondDerivative work space [T, F] for act'' of the block
     */
    void mlp(int l, Batch batch, Layers.Primal primal, int fromToken, Matrix secondDerivative) {
        DeviceModel.BlockWeights block = model.block(l);
        RaggedRows rows = batch.rows();
        Workspace w = batch.workspace();
        Workspace w2 = batch.secondWorkspace();
        secondDerivative(block, primal, Math.max(fromToken, rows.first(0)), rows.last(0) + 1, secondDerivative);
        int from = rows.start(fromToken);
        int chunk = w.chunk(rows.rows() - from);
        for (int r = from; r < rows.rows(); r += chunk) {
            Cancellation.check();
            int n = Math.min(chunk, rows.rows() - r);
            Matrix dx = batch.x().rows(r, n);
            Matrix ddx = batch.second().rows(r, n);
            Matrix dy = w.y(n);
            Matrix ddy = w2.y(n);
            Matrix du = w.hidden(n);
            Matrix ddu = w2.hidden(n);
            normalize(dx, ddx, rows, r, primal.normalized2(), primal.inverseStd2(), dy, ddy);
            backend.multiply(1, dy, false, block.up(), false, 0, du);
            backend.multiply(1, ddy, false, block.up(), false, 0, ddu);
            backend.activationTangent(ddu, rows, r, primal.derivative(), ddu);
            backend.activationCurvature(du, rows, r, secondDerivative, ddu);
            backend.activationTangent(du, rows, r, primal.derivative(), du);
            backend.multiply(1, du, false, block.down(), false, 1, dx);
            backend.multiply(1, ddu, false, block.down(), false, 1, ddx);
        }
    }

    /**
     * act'' of a block at the tokens from (inclusive) to (exclusive). A run does not keep it, since few sweeps ask for it; it takes
     * the product of one row a token.
     */
    private void secondDerivative(DeviceModel.BlockWeights block, Layers.Primal primal, int from, int to, Matrix into) {
        Matrix u = into.rows(from, to - from);
        backend.multiply(1, primal.normalized2().rows(from, to - from), false, block.up(), false, 0, u);
        backend.activationSecondDerivative(model.config().activation(), u, block.upBias());
    }
}
