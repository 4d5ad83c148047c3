package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.ModelConfig;

/**
 * The MLP half of a block. With N the normalization:
 *
 * <pre>   x' = x + act(N(x) Wup + bup) Wdown + bdown</pre>
 *
 * <p>Where the family has a norm after this half, what is added goes through a {@link PostNorm} first.
 *
 * <p>Later families have a gate instead of act: act(N(x) Wgate) times N(x) Wup, element by element; W is F, or 2 F with a gate. Rows
 * do not see each other here, so they go through in chunks of n. The derivative of a token with many rows is formed once
 * and applied to them all; see {@link Condensation}.
 */
final class MlpPart implements BlockPart {
    private final Backend backend;
    private final ModelConfig config;
    private final Norm norm;
    private final Weights weights;
    private final HiddenLayer layer;
    private final Condensation condensation;

    /**
     * The matrices of this half.
     *
     * @param up Wup [D, W] with bup [W]; where the MLP is gated, the gate's matrix and the values' side by side
     * @param down Wdown [F, D] with bdown [D]
     * @param post norm of what this half adds; null for none
     */
    record Weights(Linear up, Linear down, PostNorm post) {}

    /**
     * What the derivatives need of the forward pass.
     *
     * @param norm of N: normalized x and 1/std
     * @param derivative of the hidden layer, [T, W]: act'(u), or what {@link HiddenLayer} makes of gates and values
     * @param post of the norm after this half; null where there is none
     */
    record Primal(Norm.Primal norm, Matrix derivative, Norm.Primal post) {}

    MlpPart(Backend backend, ModelConfig config, Weights weights) {
        this.backend = backend;
        this.config = config;
        this.norm = Norm.before(backend, config);
        this.weights = weights;
        this.layer = new HiddenLayer(backend, config.architecture().mlp());
        this.condensation = new Condensation(backend, config, layer, weights);
    }

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        return new Primal(
                norm.allocate(memory),
                memory.rows("activation derivative", upWidth(config)),
                weights.post() == null ? null : weights.post().allocate(memory));
    }

    @Override
    public long primalElements() {
        return Norm.primalElements(config) * (weights.post() == null ? 1 : 2) + upWidth(config);
    }

    /** Elements of work space for each row of a chunk: its hidden layer. */
    static long workElements(ModelConfig config) {
        return upWidth(config);
    }

    private static int upWidth(ModelConfig config) {
        return config.architecture().mlp().upWidth();
    }

    /** Elements of work space for act'' in sweeps of second derivatives, for each token. */
    static long bendElements(ModelConfig config) {
        return upWidth(config);
    }

    /** Wup and Wdown, 4 D F a row for GPT-2, or what a token's own map takes instead. */
    @Override
    public double flops(long count, BatchSize batch, boolean up, TokenState state) {
        return state.zero() ? 0 : flopsOfRows(count, state.kept());
    }

    @Override
    public double flopsOfNewborn(long rows, long together, boolean kept) {
        return flopsOfRows(together, kept) / together;
    }

    private double flopsOfRows(long count, boolean kept) {
        double d = config.width();
        double throughMap = 2 * d * d * count;
        if (kept) {
            return throughMap;
        }
        return count < Condensation.leastRows(backend, config)
                ? 2 * d * (upWidth(config) + config.inner()) * count
                : flopsToForm() + throughMap;
    }

    @Override
    public double flopsToForm() {
        return Condensation.flopsToForm(config);
    }

    @Override
    public void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w) {
        readBlock(x, keep);
        addOutput(x, next, keep, w);
    }

    /** The first step of {@link #forward}: normalizes x [T, D] into the primal. */
    void readBlock(Matrix x, BlockPrimal keep) {
        norm.forward(x, keep.mlp().norm());
    }

    /** The rest of {@link #forward}: next = x + what the MLP makes of the rows that were read, [T, D] each. */
    void addOutput(Matrix x, Matrix next, BlockPrimal keep, Workspace w) {
        Primal primal = keep.mlp();
        Matrix branch = w.branch(x.rows()); // [T, D]
        w.forEachChunk(
                0,
                x.rows(),
                (r, n) -> branch(
                        primal.norm().normalized().rows(r, n),
                        primal.derivative().rows(r, n),
                        branch.rows(r, n),
                        w));
        add(branch, primal.post(), x, next);
    }

    @Override
    public void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {
        value(x, x, rows, fromToken, w);
    }

    /** The value of rows {@code from}, added to x; both [R, D]. */
    void value(Matrix from, Matrix x, RaggedRows rows, int fromToken, Workspace w) {
        Matrix wanted = BlockPart.from(from, rows, fromToken); // [R', D]
        Matrix sum = BlockPart.from(x, rows, fromToken); // [R', D]
        Matrix y = w.y(wanted.rows()); // [R', D]
        norm.value(wanted, y);
        w.forEachChunk(0, wanted.rows(), (r, n) -> {
            Matrix branch = w.branch(n); // [n, D]
            branch(y.rows(r, n), null, branch, w);
            add(branch, null, sum.rows(r, n), sum.rows(r, n));
        });
    }

    /** act(y Wup + bup) Wdown for a chunk of rows y [n, D]; its derivative goes to {@code derivative} [n, W] unless it is null. */
    private void branch(Matrix y, Matrix derivative, Matrix branch, Workspace w) {
        Matrix u = w.hidden(y.rows()); // [n, W]
        weights.up().multiply(y, u);
        layer.value(u, weights.up().bias(), derivative);
        weights.down().multiply(layer.result(u), branch);
    }

    /** sum = x + N(branch + bdown), all [n, D], where N is the norm after this half, if there is one. */
    private void add(Matrix branch, Norm.Primal keep, Matrix x, Matrix sum) {
        backend.addBranch(
                branch, PostNorm.finish(weights.post(), branch, weights.down().bias(), keep), x, sum);
    }

    @Override
    public void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        tangent(dx, dx, rows, primal, fromToken, w);
    }

    /** The tangents along {@code from}, added to dx; both [R, D]. */
    void tangent(Matrix from, Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.mlp();
        condensation.split(
                rows,
                fromToken,
                at,
                w.retention(),
                (t0, t1) -> condensation.maps(true, at, t0, t1, w, (token, map, transposed) -> {
                    // In chunks, so that what is normalized is multiplied in fast memory.
                    w.forEachStreamChunk(rows.start(token), rows.start(token + 1), (r, n) -> {
                        Matrix dy = w.y(n); // [n, D]
                        norm.tangent(from.rows(r, n), rows, r, at.norm(), dy);
                        backend.multiply(1, dy, false, map, transposed, 1, dx.rows(r, n));
                    });
                }),
                (t0, t1) -> tangentOfRows(from, dx, rows, at, rows.start(t0), rows.start(t1), w));
    }

    private void tangentOfRows(
            Matrix from, Matrix dx, RaggedRows rows, Primal at, int fromRow, int toRow, Workspace w) {
        w.forEachChunk(fromRow, toRow, (r, n) -> {
            Matrix part = dx.rows(r, n); // [n, D]
            Matrix dy = w.y(n); // [n, D]
            Matrix du = w.hidden(n); // [n, W]
            Matrix dh = layer.result(du); // [n, F]
            norm.tangent(from.rows(r, n), rows, r, at.norm(), dy);
            weights.up().multiply(dy, du);
            layer.tangent(du, rows, r, at.derivative(), dh);
            if (weights.post() == null) {
                weights.down().addProduct(dh, part);
            } else {
                Matrix branch = w.branch(n); // [n, D]
                weights.down().multiply(dh, branch);
                weights.post().tangent(branch, rows, r, at.post());
                backend.addBranch(branch, null, part, part);
            }
        });
    }

    @Override
    public void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        adjoint(g, g, rows, primal, fromToken, w);
    }

    /** The cotangents of {@code from}, added to g; both [R, D]. */
    void adjoint(Matrix from, Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.mlp();
        condensation.split(
                rows,
                fromToken,
                at,
                w.retention(),
                (t0, t1) -> condensation.maps(false, at, t0, t1, w, (token, map, transposed) -> {
                    w.forEachStreamChunk(rows.start(token), rows.start(token + 1), (r, n) -> {
                        Matrix y = w.y(n); // [n, D]
                        backend.multiply(1, from.rows(r, n), false, map, !transposed, 0, y);
                        norm.addAdjoint(y, rows, r, at.norm(), g.rows(r, n));
                    });
                }),
                (t0, t1) -> adjointOfRows(from, g, rows, at, rows.start(t0), rows.start(t1), w));
    }

    private void adjointOfRows(Matrix from, Matrix g, RaggedRows rows, Primal at, int fromRow, int toRow, Workspace w) {
        w.forEachChunk(fromRow, toRow, (r, n) -> {
            Matrix part = from.rows(r, n); // [n, D]
            if (weights.post() != null) {
                Matrix branch = w.branch(n); // [n, D]
                weights.post().adjoint(part, rows, r, at.post(), branch);
                part = branch;
            }
            Matrix du = w.hidden(n); // [n, W]
            Matrix y = w.y(n); // [n, D]
            weights.down().multiplyTransposed(part, layer.result(du));
            layer.adjoint(du, rows, r, at.derivative());
            weights.up().multiplyTransposed(du, y);
            norm.addAdjoint(y, rows, r, at.norm(), g.rows(r, n));
        });
    }

    /** The hidden layer's rows are needed one by one for the square of du, so that no token gets a map of its own here. */
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
        Primal at = primal.mlp();
        Matrix bend = w2.bend(rows.tokens()); // [T, W]
        secondDerivative(at, Math.max(fromToken, rows.first(0)), rows.last(0) + 1, bend);
        w.forEachChunk(rows.start(fromToken), rows.rows(), (r, n) -> {
            Matrix part = dx.rows(r, n); // [n, D]
            Matrix second = ddx.rows(r, n); // [n, D]
            Matrix dy = w.y(n); // [n, D]
            Matrix ddy = w2.y(n); // [n, D]
            Matrix du = w.hidden(n); // [n, W]
            Matrix ddu = w2.hidden(n); // [n, W]
            Matrix dh = layer.result(du); // [n, F]
            Matrix ddh = layer.result(ddu); // [n, F]
            norm.curvature(from.rows(r, n), secondFrom.rows(r, n), rows, r, at.norm(), dy, ddy);
            weights.up().multiply(dy, du);
            weights.up().multiply(ddy, ddu);
            layer.tangent(ddu, rows, r, at.derivative(), ddh);
            layer.curvature(du, rows, r, bend, ddh);
            layer.tangent(du, rows, r, at.derivative(), dh);
            if (weights.post() == null) {
                weights.down().addProduct(dh, part);
                weights.down().addProduct(ddh, second);
            } else {
                Matrix branch = w.branch(n); // [n, D]
                Matrix bent = w2.branch(n); // [n, D]
                weights.down().multiply(dh, branch);
                weights.down().multiply(ddh, bent);
                weights.post().curvature(branch, bent, rows, r, at.post());
                backend.addBranch(branch, null, part, part);
                backend.addBranch(bent, null, second, second);
            }
        });
    }

    /**
     * What curvatures need at the tokens from (inclusive) to (exclusive), into their rows of [T, W]. A run does not keep it, since few sweeps
     * ask for it; it takes the product of one row a token.
     */
    private void secondDerivative(Primal at, int from, int to, Matrix into) {
        Matrix u = into.rows(from, to - from); // [to - from, W]
        weights.up().multiply(at.norm().normalized().rows(from, to - from), u);
        layer.secondDerivative(u, weights.up().bias());
    }
}
