package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

/**
 * The halves of a block, as values, tangents and adjoints. With N the normalization of LayerNorm and A causal attention:
 *
 * <pre>
 *   attention half   x' = x + A(N(x) Wqkv + bqkv) Wo + bo
 *   MLP half         x' = x + act(N(x) Wup + bup) Wdown + bdown
 * </pre>
 *
 * <p>All work on ragged batches. {@code fromToken} says from which token on the result of an attention half is wanted: rows
 * at earlier tokens are then left as they were.
 */
final class Layers {
    private final DeviceModel model;
    private final Backend backend;
    private final Condensation condensation;

    Layers(DeviceModel model) {
        this.model = model;
        this.backend = model.backend();
        this.condensation = new Condensation(model);
    }

    /** What the tangents and adjoints of one block need of the forward pass; see {@link Linearization}. */
    record Primal(
            Matrix normalized1,
            Buffer inverseStd1,
            AttentionPrimal attention,
            Matrix normalized2,
            Buffer inverseStd2,
            Matrix derivative) {}

    /** The attention half of a forward pass of one sequence, from x to {@code next}, keeping what its derivatives need. */
    void attentionForward(int l, Matrix x, Matrix next, RaggedRows rows, Primal keep, Workspace w) {
        Matrix qkv = keep.attention().qkv();
        Buffer logSumExp = keep.attention().logSumExp();
        backend.layerNorm(x, model.config().epsilon(), keep.normalized1(), keep.inverseStd1());
        attentionAfterNorm(l, x, next, keep.normalized1(), rows, null, 0, qkv, logSumExp, w);
    }

    /** The attention half of patched runs whose tokens before their first are those of {@code base} [T, 3D]. */
    void attentionValue(int l, Matrix x, RaggedRows rows, Matrix base, int fromToken, Workspace w) {
        if (rows.rows() <= backend.preferredAttentionRows()) {
            Matrix y = w.y(rows.rows());
            backend.layerNorm(x, model.config().epsilon(), y, null);
            attentionAfterNorm(l, x, x, y, rows, base, fromToken, w.qkv(rows.rows()), null, w);
            return;
        }
        DeviceModel.BlockWeights block = model.block(l);
        ColumnTiles.forEach(rows, backend.preferredAttentionRows(), (tile, columns) -> {
            Matrix y = w.y(tile.rows());
            backend.grow(x, rows, columns, null, y, tile);
            Matrix qkv = w.qkv(tile.rows());
            backend.layerNorm(y, model.config().epsilon(), y, null);
            backend.multiply(1, y, false, block.qkv(), false, 0, qkv);
            backend.addBias(qkv, block.qkvBias());
            backend.attention(block.attention(), qkv, tile, base, fromToken, y, null);
            Matrix out = from(y, tile, fromToken);
            Matrix branch = w.branch(out.rows());
            backend.multiply(1, out, false, block.projection(), false, 0, branch);
            backend.addBias(branch, block.projectionBias());
            backend.inject(x, ColumnTiles.index(rows, tile, columns, fromToken), branch, 1);
        });
    }

    private void attentionAfterNorm(
            int l,
            Matrix x,
            Matrix next,
            Matrix normalized,
            RaggedRows rows,
            Matrix base,
            int fromToken,
            Matrix qkv,
            Buffer logSumExp,
            Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        Matrix out = w.y(rows.rows());
        backend.multiply(1, normalized, false, block.qkv(), false, 0, qkv);
        backend.addBias(qkv, block.qkvBias());
        backend.attention(block.attention(), qkv, rows, base, fromToken, out, logSumExp);
        Matrix stream = from(x, rows, fromToken);
        Matrix branch = w.branch(stream.rows());
        backend.multiply(1, from(out, rows, fromToken), false, block.projection(), false, 0, branch);
        backend.addBranch(branch, block.projectionBias(), stream, from(next, rows, fromToken));
    }

    /** The MLP half of a forward pass of one sequence, from x to {@code next}, keeping what its derivatives need. */
    void mlpForward(int l, Matrix x, Matrix next, Primal keep, Workspace w) {
        backend.layerNorm(x, model.config().epsilon(), keep.normalized2(), keep.inverseStd2());
        mlpAfterNorm(l, x, next, keep.normalized2(), keep.derivative(), w);
    }

    /** The MLP half of any rows. */
    void mlpValue(int l, Matrix x, Workspace w) {
        Matrix y = w.y(x.rows());
        backend.layerNorm(x, model.config().epsilon(), y, null);
        mlpAfterNorm(l, x, x, y, null, w);
    }

    private void mlpAfterNorm(int l, Matrix x, Matrix next, Matrix normalized, Matrix derivative, Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        int chunk = w.chunk(x.rows());
        for (int r = 0; r < x.rows(); r += chunk) {
            int n = Math.min(chunk, x.rows() - r);
            Matrix u = w.hidden(n);
            backend.multiply(1, normalized.rows(r, n), false, block.up(), false, 0, u);
            backend.activation(
                    model.config().activation(), u, block.upBias(), derivative == null ? null : derivative.rows(r, n));
            Matrix branch = w.branch(n);
            backend.multiply(1, u, false, block.down(), false, 0, branch);
            backend.addBranch(branch, block.downBias(), x.rows(r, n), next.rows(r, n));
        }
    }

    /** The attention half of tangents dx. */
    void attentionTangent(int l, Matrix dx, RaggedRows rows, Primal primal, int fromToken, Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        if (rows.rows() <= backend.preferredAttentionRows()) {
            Matrix dy = w.y(rows.rows());
            Matrix dqkv = w.qkv(rows.rows());
            backend.layerNormTangent(dx, rows, 0, primal.normalized1(), primal.inverseStd1(), dy, false);
            backend.multiply(1, dy, false, block.qkv(), false, 0, dqkv);
            backend.attentionTangent(primal.attention(), dqkv, rows, fromToken, dy);
            backend.multiply(
                    1, from(dy, rows, fromToken), false, block.projection(), false, 1, from(dx, rows, fromToken));
            return;
        }
        ColumnTiles.forEach(rows, backend.preferredAttentionRows(), (tile, columns) -> {
            Matrix dy = w.y(tile.rows());
            backend.grow(dx, rows, columns, null, dy, tile);
            Matrix dqkv = w.qkv(tile.rows());
            backend.layerNormTangent(dy, tile, 0, primal.normalized1(), primal.inverseStd1(), dy, false);
            backend.multiply(1, dy, false, block.qkv(), false, 0, dqkv);
            backend.attentionTangent(primal.attention(), dqkv, tile, fromToken, dy);
            Matrix out = from(dy, tile, fromToken);
            Matrix branch = w.branch(out.rows());
            backend.multiply(1, out, false, block.projection(), false, 0, branch);
            backend.inject(dx, ColumnTiles.index(rows, tile, columns, fromToken), branch, 1);
        });
    }

    /** The MLP half of the tangents' rows at {@code fromToken} and later. */
    void mlpTangent(int l, Matrix dx, RaggedRows rows, Primal primal, int fromToken, Workspace w) {
        condensation.split(rows, fromToken, (from, to, condensed) -> {
            if (condensed) {
                Matrix map = condensation.map(model.block(l), primal, from, w);
                int chunk =
                        w.chunk(rows.count(from)); // what is normalized is still in fast memory when it is multiplied
                for (int r = rows.start(from); r < rows.start(to); r += chunk) {
                    Matrix part = dx.rows(r, Math.min(chunk, rows.start(to) - r));
                    Matrix dy = w.y(part.rows());
                    backend.layerNormTangent(part, rows, r, primal.normalized2(), primal.inverseStd2(), dy, false);
                    backend.multiply(1, dy, false, map, false, 1, part);
                }
            } else {
                mlpTangentOfRows(l, dx, rows, primal, rows.start(from), rows.start(to), w);
            }
        });
    }

    private void mlpTangentOfRows(
            int l, Matrix dx, RaggedRows rows, Primal primal, int fromRow, int toRow, Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        int chunk = w.chunk(toRow - fromRow);
        for (int r = fromRow; r < toRow; r += chunk) {
            int n = Math.min(chunk, toRow - r);
            Matrix part = dx.rows(r, n);
            Matrix dy = w.y(n);
            Matrix du = w.hidden(n);
            backend.layerNormTangent(part, rows, r, primal.normalized2(), primal.inverseStd2(), dy, false);
            backend.multiply(1, dy, false, block.up(), false, 0, du);
            backend.activationTangent(du, rows, r, primal.derivative(), du);
            backend.multiply(1, du, false, block.down(), false, 1, part);
        }
    }

    /**
     * The attention half of cotangents g, from its output to its input.
     *
     * @param fromToken rows of g at earlier tokens are zero
     */
    void attentionAdjoint(int l, Matrix g, RaggedRows rows, Primal primal, int fromToken, Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        if (rows.rows() > backend.preferredAttentionRows()) {
            ColumnTiles.forEach(rows, backend.preferredAttentionRows(), (tile, columns) -> {
                Matrix read = w.branch(tile.rows());
                Matrix y = w.y(tile.rows());
                backend.grow(g, rows, columns, null, read, tile);
                backend.multiply(
                        1, from(read, tile, fromToken), false, block.projection(), true, 0, from(y, tile, fromToken));
                Matrix dqkv = w.qkv(tile.rows());
                backend.attentionAdjoint(primal.attention(), y, tile, fromToken, dqkv);
                backend.multiply(1, dqkv, false, block.qkv(), true, 0, y);
                backend.layerNormTangent(y, tile, 0, primal.normalized1(), primal.inverseStd1(), y, false);
                backend.inject(g, ColumnTiles.index(rows, tile, columns, 0), y, 1);
            });
            return;
        }
        Matrix y = w.y(rows.rows());
        Matrix dqkv = w.qkv(rows.rows());
        backend.multiply(1, from(g, rows, fromToken), false, block.projection(), true, 0, from(y, rows, fromToken));
        backend.attentionAdjoint(primal.attention(), y, rows, fromToken, dqkv);
        backend.multiply(1, dqkv, false, block.qkv(), true, 0, y);
        backend.layerNormTangent(y, rows, 0, primal.normalized1(), primal.inverseStd1(), g, true);
    }

    /** The MLP half of the cotangents' rows at {@code fromToken} and later, from its output to its input. */
    void mlpAdjoint(int l, Matrix g, RaggedRows rows, Primal primal, int fromToken, Workspace w) {
        condensation.split(rows, fromToken, (from, to, condensed) -> {
            if (condensed) {
                Matrix map = condensation.map(model.block(l), primal, from, w);
                int chunk = w.chunk(rows.count(from));
                for (int r = rows.start(from); r < rows.start(to); r += chunk) {
                    Matrix part = g.rows(r, Math.min(chunk, rows.start(to) - r));
                    Matrix y = w.y(part.rows());
                    backend.multiply(1, part, false, map, true, 0, y);
                    backend.layerNormTangent(y, rows, r, primal.normalized2(), primal.inverseStd2(), part, true);
                }
            } else {
                mlpAdjointOfRows(l, g, rows, primal, rows.start(from), rows.start(to), w);
            }
        });
    }

    private void mlpAdjointOfRows(
            int l, Matrix g, RaggedRows rows, Primal primal, int fromRow, int toRow, Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        int chunk = w.chunk(toRow - fromRow);
        for (int r = fromRow; r < toRow; r += chunk) {
            int n = Math.min(chunk, toRow - r);
            Matrix part = g.rows(r, n);
            Matrix du = w.hidden(n);
            Matrix y = w.y(n);
            backend.multiply(1, part, false, block.down(), true, 0, du);
            backend.activationTangent(du, rows, r, primal.derivative(), du);
            backend.multiply(1, du, false, block.up(), true, 0, y);
            backend.layerNormTangent(y, rows, r, primal.normalized2(), primal.inverseStd2(), part, true);
        }
    }

    /** The rows of a batch's matrix at {@code token} and later. */
    static Matrix from(Matrix x, RaggedRows rows, int token) {
        return x.rows(rows.start(token), rows.rows() - rows.start(token));
    }
}
