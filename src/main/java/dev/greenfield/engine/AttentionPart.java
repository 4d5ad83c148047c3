package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.model.ModelConfig;

/**
 * The attention half of a block. With N the normalization and A causal attention of queries, keys and values:
 *
 * <pre>   x' = x + A(N(x) Wqkv + bqkv) Wo + bo</pre>
 *
 * <p>Columns do not see each other here, so a batch goes through in tiles of columns; see {@link ColumnTiles}. m is the rows of a
 * tile, and m' those of them at {@code fromToken} and later.
 */
final class AttentionPart implements BlockPart {
    private final Backend backend;
    private final ModelConfig config;
    private final Norm norm;
    private final Weights weights;

    /**
     * The matrices of this half.
     *
     * @param shape heads, head width, scale
     * @param qkv Wqkv [D, 3D] with bqkv [3D]
     * @param projection Wo [D, D] with bo [D]
     */
    record Weights(AttentionShape shape, Linear qkv, Linear projection) {}

    /**
     * What the derivatives need of the forward pass.
     *
     * @param norm of N: normalized x and 1/std
     * @param attention queries, keys and values, and the softmax normalizers
     */
    record Primal(Norm.Primal norm, AttentionPrimal attention) {}

    AttentionPart(Backend backend, ModelConfig config, Weights weights) {
        this.backend = backend;
        this.config = config;
        this.norm = new Norm(backend, config);
        this.weights = weights;
    }

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        Norm.Primal normalized = Norm.allocate(memory, config);
        Matrix qkv = memory.rows("q, k, v", 3 * config.width()); // [T, 3D]
        Buffer logSumExp = memory.perToken("softmax normalizers", config.heads()); // [H, T]
        return new Primal(normalized, new AttentionPrimal(weights.shape(), qkv, logSumExp));
    }

    @Override
    public long primalElements() {
        return Norm.primalElements(config) + 3L * config.width() + config.heads();
    }

    /** Elements of work space for each row that is in attention at once: its query, key and value. */
    static long workElements(ModelConfig config) {
        return 3L * config.width();
    }

    /** Wqkv and Wo, 8 D^2 a row; what attention does between tokens, O(D T) a row, is not counted. */
    @Override
    public double flops(long count) {
        double d = config.width();
        return 8 * d * d * count;
    }

    @Override
    public void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w) {
        Primal primal = keep.attention();
        Matrix y = w.y(rows.rows()); // [T, D]
        norm.forward(x, primal.norm());
        attend(
                primal.norm().normalized(),
                rows,
                null,
                0,
                primal.attention().qkv(),
                y,
                primal.attention().logSumExp());
        Matrix branch = w.branch(rows.rows()); // [T, D]
        weights.projection().multiply(y, branch);
        backend.addBranch(branch, weights.projection().bias(), x, next);
    }

    @Override
    public void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {
        Matrix baseQkv = base.attention().attention().qkv(); // [T, 3D]
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix y = w.y(tile.rows()); // [m, D]
            Matrix qkv = w.qkv(tile.rows()); // [m, 3D]
            norm.value(x, tile, y);
            attend(y, tile, baseQkv, fromToken, qkv, y, null);
            Matrix out = BlockPart.from(y, tile, fromToken); // [m', D]
            Matrix branch = w.branch(out.rows()); // [m', D]; in the memory of qkv, which is done with
            weights.projection().multiply(out, branch);
            backend.columns().add(branch, weights.projection().bias(), tile, fromToken, x);
        });
    }

    /** A(n Wqkv + bqkv): from normalized rows n [m, D] to {@code out} [m, D], which may be n, by way of {@code qkv} [m, 3D]. */
    private void attend(
            Matrix normalized, RaggedRows rows, Matrix base, int fromToken, Matrix qkv, Matrix out, Buffer logSumExp) {
        weights.qkv().multiply(normalized, qkv);
        backend.addBias(qkv, weights.qkv().bias());
        backend.attention(weights.shape(), qkv, rows, base, fromToken, out, logSumExp);
    }

    @Override
    public void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.attention();
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix dy = w.y(tile.rows()); // [m, D]
            Matrix dqkv = w.qkv(tile.rows()); // [m, 3D]
            norm.tangent(dx, tile, at.norm(), dy);
            weights.qkv().multiply(dy, dqkv);
            backend.attentionTangent(at.attention(), dqkv, tile, fromToken, dy);
            addProjection(dy, tile, fromToken, dx, w);
        });
    }

    @Override
    public void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.attention();
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix y = w.y(tile.rows()); // [m, D]
            Matrix dqkv = w.qkv(tile.rows()); // [m, 3D]
            weights.projection().multiplyTransposed(taken(g, tile, fromToken, w), BlockPart.from(y, tile, fromToken));
            backend.attentionAdjoint(at.attention(), y, tile, fromToken, dqkv);
            weights.qkv().multiplyTransposed(dqkv, y);
            norm.addAdjoint(y, tile, at.norm(), g);
        });
    }

    @Override
    public void curvature(
            Matrix dx, Matrix ddx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w, Workspace w2) {
        Primal at = primal.attention();
        Matrix dy = w.y(rows.rows()); // [R, D]
        Matrix ddy = w2.y(rows.rows()); // [R, D]
        Matrix dqkv = w.qkv(rows.rows()); // [R, 3D]
        Matrix ddqkv = w2.qkv(rows.rows()); // [R, 3D]
        norm.curvature(dx, ddx, rows, 0, at.norm(), dy, ddy);
        weights.qkv().multiply(dy, dqkv);
        weights.qkv().multiply(ddy, ddqkv);
        Cancellation.check(); // all rows are in attention at once
        backend.attentionTangent(at.attention(), dqkv, rows, fromToken, dy);
        backend.attentionTangent(at.attention(), ddqkv, rows, fromToken, ddy);
        backend.attentionCurvature(at.attention(), dqkv, rows, fromToken, ddy);
        Cancellation.check();
        addProjection(dy, rows, fromToken, dx, w);
        addProjection(ddy, rows, fromToken, ddx, w2);
    }

    /** Adds y Wo, y [m, D] of a tile, to the tile's rows of the stream [R, D] from a token on. */
    private void addProjection(Matrix y, RaggedRows tile, int fromToken, Matrix stream, Workspace w) {
        Matrix out = BlockPart.from(y, tile, fromToken); // [m', D]
        if (tile.isPart()) {
            Matrix branch = w.branch(out.rows()); // [m', D]
            weights.projection().multiply(out, branch);
            backend.columns().add(branch, null, tile, fromToken, stream);
        } else { // its rows follow each other, so that the product itself can add
            weights.projection().addProduct(out, BlockPart.from(stream, tile, fromToken));
        }
    }

    /** The tile's rows of the stream [R, D] from a token on, [m', D]; not to be written to. */
    private Matrix taken(Matrix stream, RaggedRows tile, int fromToken, Workspace w) {
        if (!tile.isPart()) {
            return BlockPart.from(stream, tile, fromToken);
        }
        Matrix rows = w.branch(tile.rows() - tile.start(fromToken)); // [m', D]
        backend.columns().take(stream, tile, fromToken, rows);
        return rows;
    }

    /**
     * What each head adds to the stream in the forward pass, z_h W_O^h with z_h its attention's output: [H T, D] in the order head,
     * token. The heads of a token sum to what the attention adds, but for the output bias, which is no head's.
     */
    double[] headOutputs(BlockPrimal primal) {
        AttentionShape shape = weights.shape();
        Matrix qkv = primal.attention().attention().qkv(); // [T, 3D]
        int count = qkv.rows();
        int width = config.width();
        double[] outputs = new double[Math.multiplyExact(shape.heads() * count, width)];
        try (Buffer z = backend.allocate("attention output", (long) count * width);
                Buffer head = backend.allocate("head output", (long) count * width)) {
            Matrix all = Matrix.of(z, count, width); // [T, D], head by head
            Matrix one = Matrix.of(head, count, width); // [T, D]
            backend.attention(shape, qkv, RaggedRows.sequence(count), null, 0, all, null);
            for (int h = 0; h < shape.heads(); h++) {
                int from = h * shape.headWidth();
                Matrix part = new Matrix(z, from, count, shape.headWidth(), width); // [T, h]
                Matrix own = weights.projection().weight().rows(from, shape.headWidth()); // [h, D]
                backend.multiply(1, part, false, own, false, 0, one);
                backend.downloadLater(head, 0, outputs, h * count * width, count * width);
            }
            backend.await();
        }
        return outputs;
    }
}
