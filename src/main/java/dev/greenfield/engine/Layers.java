package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;

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
        backend.layerNorm(x, model.config().epsilon(), keep.normalized1(), keep.inverseStd1());
        Matrix y = w.y(rows.rows());
        attend(
                l,
                keep.normalized1(),
                rows,
                null,
                0,
                keep.attention().qkv(),
                y,
                keep.attention().logSumExp());
        Matrix branch = w.branch(rows.rows());
        backend.multiply(1, y, false, model.block(l).projection(), false, 0, branch);
        backend.addBranch(branch, model.block(l).projectionBias(), x, next);
    }

    /** The attention half of patched runs whose tokens before their first are those of {@code base} [T, 3D]. */
    void attentionValue(int l, Matrix x, RaggedRows rows, Matrix base, int fromToken, Workspace w) {
        DeviceModel.BlockWeights block = model.block(l);
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix y = w.y(tile.rows());
            backend.columns().layerNorm(x, tile, model.config().epsilon(), y);
            attend(l, y, tile, base, fromToken, w.qkv(tile.rows()), y, null);
            Matrix out = from(y, tile, fromToken);
            Matrix branch = w.branch(out.rows());
            backend.multiply(1, out, false, block.projection(), false, 0, branch);
            backend.columns().add(branch, block.projectionBias(), tile, fromToken, x);
        });
    }

    /** From normalized rows to what attention gives; {@code out} may be the normalized rows. */
    private void attend(
            int l,
            Matrix normalized,
            RaggedRows rows,
            Matrix base,
            int fromToken,
            Matrix qkv,
            Matrix out,
            Buffer logSumExp) {
        DeviceModel.BlockWeights block = model.block(l);
        backend.multiply(1, normalized, false, block.qkv(), false, 0, qkv);
        backend.addBias(qkv, block.qkvBias());
        backend.attention(block.attention(), qkv, rows, base, fromToken, out, logSumExp);
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
            Cancellation.check();
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
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix dy = w.y(tile.rows());
            Matrix dqkv = w.qkv(tile.rows());
            backend.columns().layerNormTangent(dx, tile, primal.normalized1(), primal.inverseStd1(), dy);
            backend.multiply(1, dy, false, block.qkv(), false, 0, dqkv);
            backend.attentionTangent(primal.attention(), dqkv, tile, fromToken, dy);
            Matrix out = from(dy, tile, fromToken);
            if (tile.isPart()) {
                Matrix branch = w.branch(out.rows());
                backend.multiply(1, out, false, block.projection(), false, 0, branch);
                backend.columns().add(branch, null, tile, fromToken, dx);
            } else { // its rows follow each other, so that the product itself can add
                backend.multiply(1, out, false, block.projection(), false, 1, from(dx, rows, fromToken));
            }
        });
    }

    /** The MLP half of the tangents' rows at {@code fromToken} and later. */
    void mlpTangent(int l, Matrix dx, RaggedRows rows, Primal primal, int fromToken, Workspace w) {
        condensation.split(rows, fromToken, (from, to, condensed) -> {
            if (condensed) {
                condensation.maps(model.block(l), primal, from, to, w, (token, map) -> {
                    int end = rows.start(token + 1);
                    int chunk =
                            w.streamChunk(rows.count(token)); // so that what is normalized is multiplied in fast memory
                    for (int r = rows.start(token); r < end; r += chunk) {
                        Matrix part = dx.rows(r, Math.min(chunk, end - r));
                        Matrix dy = w.y(part.rows());
                        backend.layerNormTangent(part, rows, r, primal.normalized2(), primal.inverseStd2(), dy, false);
                        backend.multiply(1, dy, false, map, false, 1, part);
                    }
                });
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
            Cancellation.check();
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
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix read = from(g, rows, fromToken);
            if (tile.isPart()) {
                read = w.branch(tile.rows() - tile.start(fromToken));
                backend.columns().take(g, tile, fromToken, read);
            }
            Matrix y = w.y(tile.rows());
            Matrix dqkv = w.qkv(tile.rows());
            backend.multiply(1, read, false, block.projection(), true, 0, from(y, tile, fromToken));
            backend.attentionAdjoint(primal.attention(), y, tile, fromToken, dqkv);
            backend.multiply(1, dqkv, false, block.qkv(), true, 0, y);
            backend.columns().layerNormAdjoint(y, tile, primal.normalized1(), primal.inverseStd1(), g);
        });
    }

    /** The MLP half of the cotangents' rows at {@code fromToken} and later, from its output to its input. */
    void mlpAdjoint(int l, Matrix g, RaggedRows rows, Primal primal, int fromToken, Workspace w) {
        condensation.split(rows, fromToken, (from, to, condensed) -> {
            if (condensed) {
                condensation.maps(model.block(l), primal, from, to, w, (token, map) -> {
                    int end = rows.start(token + 1);
                    int chunk = w.streamChunk(rows.count(token));
                    for (int r = rows.start(token); r < end; r += chunk) {
                        Matrix part = g.rows(r, Math.min(chunk, end - r));
                        Matrix y = w.y(part.rows());
                        backend.multiply(1, part, false, map, true, 0, y);
                        backend.layerNormTangent(y, rows, r, primal.normalized2(), primal.inverseStd2(), part, true);
                    }
                });
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
            Cancellation.check();
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
