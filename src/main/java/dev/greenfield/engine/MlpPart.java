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
     */
    record Weights(Linear up, Linear down) {}

    /**
     * What the derivatives need of the forward pass.
     *
     * @param norm of N: normalized x and 1/std
     * @param derivative of the hidden layer, [T, W]: act'(u), or what {@link HiddenLayer} makes of gates and values
     */
    record Primal(Norm.Primal norm, Matrix derivative) {}

    MlpPart(Backend backend, ModelConfig config, Weights weights) {
        this.backend = backend;
        this.config = config;
        this.norm = new Norm(backend, config);
        this.weights = weights;
        this.layer = new HiddenLayer(backend, config.architecture().mlp());
        this.condensation = new Condensation(backend, config, layer, weights);
    }

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        return new Primal(Norm.allocate(memory, config), memory.rows("activation derivative", upWidth(config)));
    }

    @Override
    public long primalElements() {
        return Norm.primalElements(config) + upWidth(config);
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
    public double flops(long count) {
        double d = config.width();
        double f = config.inner();
        return count < Condensation.leastRows(backend, config)
                ? 2 * d * (upWidth(config) + f) * count
                : 2 * d * d * (f + count);
    }

    @Override
    public void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w) {
        Primal primal = keep.mlp();
        norm.forward(x, primal.norm());
        afterNorm(x, next, primal.norm().normalized(), primal.derivative(), w);
    }

    @Override
    public void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {
        Matrix wanted = BlockPart.from(x, rows, fromToken); // [R', D]
        Matrix y = w.y(wanted.rows()); // [R', D]
        norm.value(wanted, y);
        afterNorm(wanted, wanted, y, null, w);
    }

    /** x + act(n Wup + bup) Wdown + bdown for all rows, [R, D] each; its derivative goes to {@code derivative} [R, W] unless it is null. */
    private void afterNorm(Matrix x, Matrix next, Matrix normalized, Matrix derivative, Workspace w) {
        w.forEachChunk(0, x.rows(), (r, n) -> {
            Matrix u = w.hidden(n); // [n, W]
            Matrix branch = w.branch(n); // [n, D]
            weights.up().multiply(normalized.rows(r, n), u);
            layer.value(u, weights.up().bias(), derivative == null ? null : derivative.rows(r, n));
            weights.down().multiply(layer.result(u), branch);
            backend.addBranch(branch, weights.down().bias(), x.rows(r, n), next.rows(r, n));
        });
    }

    @Override
    public void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.mlp();
        condensation.split(
                rows,
                fromToken,
                (from, to) -> condensation.maps(true, at.derivative(), from, to, w, (token, map, transposed) -> {
                    // In chunks, so that what is normalized is multiplied in fast memory.
                    w.forEachStreamChunk(rows.start(token), rows.start(token + 1), (r, n) -> {
                        Matrix part = dx.rows(r, n); // [n, D]
                        Matrix dy = w.y(n); // [n, D]
                        norm.tangent(part, rows, r, at.norm(), dy);
                        backend.multiply(1, dy, false, map, transposed, 1, part);
                    });
                }),
                (from, to) -> tangentOfRows(dx, rows, at, rows.start(from), rows.start(to), w));
    }

    private void tangentOfRows(Matrix dx, RaggedRows rows, Primal at, int fromRow, int toRow, Workspace w) {
        w.forEachChunk(fromRow, toRow, (r, n) -> {
            Matrix part = dx.rows(r, n); // [n, D]
            Matrix dy = w.y(n); // [n, D]
            Matrix du = w.hidden(n); // [n, W]
            Matrix dh = layer.result(du); // [n, F]
            norm.tangent(part, rows, r, at.norm(), dy);
            weights.up().multiply(dy, du);
            layer.tangent(du, rows, r, at.derivative(), dh);
            weights.down().addProduct(dh, part);
        });
    }

    @Override
    public void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Primal at = primal.mlp();
        condensation.split(
                rows,
                fromToken,
                (from, to) -> condensation.maps(false, at.derivative(), from, to, w, (token, map, transposed) -> {
                    w.forEachStreamChunk(rows.start(token), rows.start(token + 1), (r, n) -> {
                        Matrix part = g.rows(r, n); // [n, D]
                        Matrix y = w.y(n); // [n, D]
                        backend.multiply(1, part, false, map, !transposed, 0, y);
                        norm.addAdjoint(y, rows, r, at.norm(), part);
                    });
                }),
                (from, to) -> adjointOfRows(g, rows, at, rows.start(from), rows.start(to), w));
    }

    private void adjointOfRows(Matrix g, RaggedRows rows, Primal at, int fromRow, int toRow, Workspace w) {
        w.forEachChunk(fromRow, toRow, (r, n) -> {
            Matrix part = g.rows(r, n); // [n, D]
            Matrix du = w.hidden(n); // [n, W]
            Matrix y = w.y(n); // [n, D]
            weights.down().multiplyTransposed(part, layer.result(du));
            layer.adjoint(du, rows, r, at.derivative());
            weights.up().multiplyTransposed(du, y);
            norm.addAdjoint(y, rows, r, at.norm(), part);
        });
    }

    /** The hidden layer's rows are needed one by one for the square of du, so that no token gets a map of its own here. */
    @Override
    public void curvature(
            Matrix dx, Matrix ddx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w, Workspace w2) {
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
            norm.curvature(part, second, rows, r, at.norm(), dy, ddy);
            weights.up().multiply(dy, du);
            weights.up().multiply(ddy, ddu);
            layer.tangent(ddu, rows, r, at.derivative(), ddh);
            layer.curvature(du, rows, r, bend, ddh);
            layer.tangent(du, rows, r, at.derivative(), dh);
            weights.down().addProduct(dh, part);
            weights.down().addProduct(ddh, second);
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
