package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;

/**
 * The attention half of a block. With N the normalization, {@link Heads} from there to queries, keys and values, and causal attention of those:
 *
 * <pre>   x' = x + attention(heads(N(x))) Wo + bo</pre>
 *
 * <p>Where the family has a norm after this half, what is added goes through a {@link PostNorm} first.
 *
 * <p>A = H h is the width of all heads' queries, D for GPT-2. Columns do not see each other here, so a batch goes through in tiles of columns; see {@link ColumnTiles}. m is the rows of a
 * tile, and m' those of them at {@code fromToken} and later.
 */
final class AttentionPart implements BlockPart {
    private final Backend backend;
    private final ModelConfig config;
    private final Norm norm;
    private final Weights weights;
    private final KeyPath keyPath;

    /**
     * The matrices of this half.
     *
     * @param shape heads, head width, scale, window
     * @param heads from normalized rows to q, k and v
     * @param projection Wo [A, D] with bo [D]
     * @param post norm of what this half adds; null for none
     */
    record Weights(AttentionShape shape, Heads heads, Linear projection, PostNorm post) {}

    /**
     * What the derivatives need of the forward pass.
     *
     * @param norm of N: normalized x and 1/std
     * @param heads of the way to q, k and v
     * @param attention queries, keys and values, and the softmax normalizers
     * @param post of the norm after this half; null where there is none
     */
    record Primal(Norm.Primal norm, Heads.Primal heads, AttentionPrimal attention, Norm.Primal post) {}

    AttentionPart(Backend backend, ModelConfig config, Weights weights, Shortcuts shortcuts) {
        this.backend = backend;
        this.config = config;
        this.norm = Norm.before(backend, config);
        this.weights = weights;
        this.keyPath = new KeyPath(backend, config, weights.shape(), weights.heads(), shortcuts);
    }

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        Norm.Primal normalized = norm.allocate(memory);
        Matrix qkv = memory.rows("q, k, v", 3 * weights.shape().width()); // [T, 3A]
        Buffer logSumExp = memory.perToken("softmax normalizers", config.heads()); // [H, T]
        return new Primal(
                normalized,
                weights.heads().allocate(memory),
                new AttentionPrimal(weights.shape(), qkv, logSumExp),
                weights.post() == null ? null : weights.post().allocate(memory));
    }

    @Override
    public long primalElements() {
        return Norm.primalElements(config) * (weights.post() == null ? 1 : 2)
                + weights.heads().primalElements()
                + 3L * weights.shape().width()
                + config.heads();
    }

    /** Elements of work space for each row that is in attention at once: its query, key and value, or what it adds to the stream. */
    static long qkvElements(ModelConfig config) {
        return Math.max(3L * config.architecture().attention().queryWidth(), config.width());
    }

    /** Likewise with what is projected, where that is something else. */
    static long workElements(ModelConfig config) {
        return qkvElements(config) + Heads.workElements(config);
    }

    /** Wqkv and Wo, 8 D^2 a row for GPT-2, or less by way of scores; what attention does between tokens, O(D T) a row, is not counted. */
    @Override
    public double flops(long count, BatchSize batch, boolean up, TokenState state) {
        Architecture.Attention attention = config.architecture().attention();
        double d = config.width();
        if (up && keyPath.takes(batch)) {
            double row = 2 * d * attention.queryWidth() + keyPath.flopsOfRow(batch.tokens());
            return row * count + keyPath.flopsOfToken(count, batch.tokens());
        }
        return 2 * d * ((double) attention.projectedWidth() + (state.zero() ? 0 : attention.queryWidth())) * count;
    }

    /** Wqkv of one row, Wo of all. */
    @Override
    public double flopsOfNewborn(long rows, long together, boolean kept) {
        Architecture.Attention attention = config.architecture().attention();
        return 2.0 * config.width() * (attention.projectedWidth() + (double) attention.queryWidth() * rows);
    }

    @Override
    public double flopsToForm() {
        return 0;
    }

    @Override
    public void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w) {
        Primal primal = keep.attention();
        Matrix y = w.attended(rows.rows()); // [T, A]
        Matrix qkv = primal.attention().qkv(); // [T, 3A]
        norm.forward(x, primal.norm());
        weights.heads().forward(primal.norm().normalized(), rows, primal.heads(), qkv, w.projected(rows.rows()));
        backend.attention(
                weights.shape(), qkv, rows, null, 0, y, primal.attention().logSumExp());
        Matrix branch = w.branch(rows.rows()); // [T, D]
        weights.projection().multiply(y, branch);
        Buffer bias =
                PostNorm.finish(weights.post(), branch, weights.projection().bias(), primal.post());
        backend.addBranch(branch, bias, x, next);
    }

    @Override
    public void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {
        value(x, x, rows, base, fromToken, w);
    }

    /** The value of rows {@code from}, added to x; both [R, D]. */
    void value(Matrix from, Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {
        Primal at = base.attention();
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix y = w.y(tile.rows()); // [m, D]
            Matrix attended = w.attended(tile.rows()); // [m, A]; in the memory of y, which is done with
            Matrix qkv = w.qkv(tile.rows()); // [m, 3A]
            norm.value(from, tile, y);
            weights.heads().value(y, tile, at.heads(), qkv, w.projected(tile.rows()));
            backend.attention(weights.shape(), qkv, tile, at.attention().qkv(), fromToken, attended, null);
            Matrix out = BlockPart.from(attended, tile, fromToken); // [m', A]
            Matrix branch = w.branch(out.rows()); // [m', D]; in the memory of qkv, which is done with
            weights.projection().multiply(out, branch);
            Buffer bias =
                    PostNorm.finish(weights.post(), branch, weights.projection().bias(), null);
            backend.columns().add(branch, bias, tile, fromToken, x);
        });
    }

    @Override
    public void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        tangent(dx, dx, rows, primal, fromToken, w);
    }

    /** The tangents along {@code from}, added to dx; both [R, D]. */
    void tangent(Matrix from, Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.attention();
        BatchSize size = BatchSize.of(rows);
        ScoreFactors factors = keyPath.takes(size)
                ? keyPath.factors(at.attention(), at.heads(), size, w::keyFactors, w::keyNorms)
                : null;
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix dy = w.y(tile.rows()); // [m, D]
            Matrix attended = w.attended(tile.rows()); // [m, A]; in the memory of dy, which is done with
            norm.tangent(from, tile, at.norm(), dy);
            if (factors != null) {
                Matrix dv = w.values(tile.rows()); // [m, A]
                Matrix scores = w.scores(tile.rows(), keyPath.scoresOfRow(size.tokens())); // [m, H (E + 1)]
                Matrix projected = w.projected(tile.rows());
                keyPath.tangent(at.attention(), dy, tile, factors, fromToken, dv, projected, scores, attended);
            } else {
                Matrix dqkv = w.qkv(tile.rows()); // [m, 3A]
                weights.heads().tangent(dy, tile, at.heads(), dqkv, w.projected(tile.rows()));
                backend.attentionTangent(at.attention(), dqkv, tile, fromToken, attended);
            }
            addProjection(attended, tile, fromToken, at, dx, w);
        });
    }

    @Override
    public void tangentOfNewborn(
            Matrix x, Nursery.Piece piece, BlockPrimal primal, int fromToken, Workspace w, NewbornRows added) {
        Primal at = primal.attention();
        RaggedRows grown = piece.grown();
        Matrix dy = w.y(x.rows()); // [n, D]
        Matrix dqkv = w.qkv(x.rows()); // [n, 3A]
        Matrix attended = w.attended(grown.rows()); // [m, A]; in the memory of dy, which is done with
        norm.tangent(x, piece.rows(), 0, at.norm(), dy);
        weights.heads().tangent(dy, piece.rows(), at.heads(), dqkv, w.projected(x.rows()));
        backend.attentionTangents().ofNewborn(at.attention(), dqkv, grown, fromToken, attended);
        Matrix out = BlockPart.from(attended, grown, fromToken); // [m', A]
        Matrix branch = w.branch(out.rows()); // [m', D]; in the memory of dqkv, which is done with
        weights.projection().multiply(out, branch);
        if (weights.post() != null) {
            weights.post().tangent(branch, grown, grown.start(fromToken), at.post());
        }
        added.add(grown, fromToken, branch);
    }

    @Override
    public void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        adjoint(g, g, rows, primal, fromToken, w);
    }

    /** The cotangents of {@code from}, added to g; both [R, D]. */
    void adjoint(Matrix from, Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.attention();
        ColumnTiles.forEach(backend, rows, tile -> {
            Matrix y = w.y(tile.rows()); // [m, D]
            Matrix attended = w.attended(tile.rows()); // [m, A]; in the memory of y, which comes after
            Matrix dqkv = w.qkv(tile.rows()); // [m, 3A]
            weights.projection()
                    .multiplyTransposed(taken(from, tile, fromToken, at, w), BlockPart.from(attended, tile, fromToken));
            backend.attentionAdjoint(at.attention(), attended, tile, fromToken, dqkv);
            weights.heads().adjoint(dqkv, tile, at.heads(), y, w.projected(tile.rows()));
            norm.addAdjoint(y, tile, at.norm(), g);
        });
    }

    @Override
    public void curvature(
            Matrix dx, Matrix ddx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w, Workspace w2) {
        curvature(dx, ddx, dx, ddx, rows, primal, fromToken, w, w2);
    }

    /** The derivatives along {@code from} and {@code secondFrom}, added to dx and ddx; all [R, D]. */
    void curvature(
            Matrix from,
            Matrix secondFrom,
            Matrix dx,
            Matrix ddx,
            RaggedRows rows,
            BlockPrimal primal,
            int fromToken,
            Workspace w,
            Workspace w2) {
        Primal at = primal.attention();
        Matrix dy = w.y(rows.rows()); // [R, D]
        Matrix ddy = w2.y(rows.rows()); // [R, D]
        Matrix attended = w.attended(rows.rows()); // [R, A]; in the memory of dy, which is done with
        Matrix bent = w2.attended(rows.rows()); // [R, A]; likewise of ddy
        Matrix dqkv = w.qkv(rows.rows()); // [R, 3A]
        Matrix ddqkv = w2.qkv(rows.rows()); // [R, 3A]
        norm.curvature(from, secondFrom, rows, 0, at.norm(), dy, ddy);
        int n = rows.rows();
        weights.heads().curvature(dy, ddy, rows, at.heads(), dqkv, ddqkv, w.projected(n), w2.projected(n));
        Cancellation.check(); // all rows are in attention at once
        backend.attentionTangent(at.attention(), dqkv, rows, fromToken, attended);
        backend.attentionTangent(at.attention(), ddqkv, rows, fromToken, bent);
        backend.attentionCurvature(at.attention(), dqkv, rows, fromToken, bent);
        Cancellation.check();
        if (weights.post() == null) {
            addProjection(attended, rows, fromToken, at, dx, w);
            addProjection(bent, rows, fromToken, at, ddx, w2);
            return;
        }
        int first = rows.start(fromToken);
        Matrix branch = w.branch(n - first); // [R', D]
        Matrix second = w2.branch(n - first); // [R', D]
        weights.projection().multiply(BlockPart.from(attended, rows, fromToken), branch);
        weights.projection().multiply(BlockPart.from(bent, rows, fromToken), second);
        weights.post().curvature(branch, second, rows, first, at.post());
        backend.columns().add(branch, null, rows, fromToken, dx);
        backend.columns().add(second, null, rows, fromToken, ddx);
    }

    /** Adds the tangents along y Wo, y [m, A] of a tile, to the tile's rows of the stream [R, D] from a token on. */
    private void addProjection(Matrix y, RaggedRows tile, int fromToken, Primal at, Matrix stream, Workspace w) {
        Matrix out = BlockPart.from(y, tile, fromToken); // [m', A]
        if (tile.isPart() || weights.post() != null) {
            Matrix branch = w.branch(out.rows()); // [m', D]
            weights.projection().multiply(out, branch);
            if (weights.post() != null) {
                weights.post().tangent(branch, tile, tile.start(fromToken), at.post());
            }
            backend.columns().add(branch, null, tile, fromToken, stream);
        } else { // its rows follow each other, so that the product itself can add
            weights.projection().addProduct(out, BlockPart.from(stream, tile, fromToken));
        }
    }

    /** The cotangents of y Wo at the tile's rows of the stream [R, D] from a token on, [m', D]; not to be written to. */
    private Matrix taken(Matrix stream, RaggedRows tile, int fromToken, Primal at, Workspace w) {
        PostNorm post = weights.post();
        if (!tile.isPart() && post == null) {
            return BlockPart.from(stream, tile, fromToken);
        }
        Matrix rows = w.branch(tile.rows() - tile.start(fromToken)); // [m', D]
        backend.columns().take(stream, tile, fromToken, rows);
        if (post != null) {
            post.adjoint(rows, tile, tile.start(fromToken), at.post(), rows);
        }
        return rows;
    }

    /** What the stream receives of changed outputs of the heads at the tokens of a run: the change itself, or what a norm that follows makes of it. */
    Reception reception(BlockPrimal primal) {
        if (weights.post() == null) {
            return (token, change) -> change;
        }
        return weights.post().at(primal.attention().post())::received;
    }

    /** The attention probabilities of the forward pass, [H, T, T]; see {@link AttentionPatterns}. */
    double[] patterns(BlockPrimal primal) {
        return AttentionPatterns.of(backend, primal.attention().attention());
    }

    /**
     * What each head adds to the stream in the forward pass, z_h W_O^h with z_h its attention's output: [H T, D] in the order head,
     * token. The heads of a token sum to what the attention adds, but for the output bias, which is no head's. Where a norm follows,
     * this is before it; see {@link #reception}.
     */
    double[] headOutputs(BlockPrimal primal) {
        AttentionShape shape = weights.shape();
        Matrix qkv = primal.attention().attention().qkv(); // [T, 3A]
        int count = qkv.rows();
        int width = config.width();
        int attended = shape.width();
        double[] outputs = new double[Math.multiplyExact(shape.heads() * count, width)];
        try (Buffer z = backend.allocate("attention output", (long) count * attended);
                Buffer head = backend.allocate("head output", (long) count * width)) {
            Matrix all = Matrix.of(z, count, attended); // [T, A], head by head
            Matrix one = Matrix.of(head, count, width); // [T, D]
            backend.attention(shape, qkv, RaggedRows.sequence(count), null, 0, all, null);
            for (int h = 0; h < shape.heads(); h++) {
                int from = h * shape.headWidth();
                Matrix part = new Matrix(z, from, count, shape.headWidth(), attended); // [T, h]
                Matrix own = weights.projection().weight().rows(from, shape.headWidth()); // [h, D]
                backend.multiply(1, part, false, own, false, 0, one);
                backend.downloadLater(head, 0, outputs, h * count * width, count * width);
            }
            backend.await();
        }
        return outputs;
    }
}
