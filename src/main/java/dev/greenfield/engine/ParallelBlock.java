package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

/**
 * A block whose attention and MLP both read what enters it: x' = x + attention(x) + mlp(x), as GPT-NeoX has it. The stream has no state
 * between the two. Sweeps still go from half to half: the first carries rows through the whole block, the second leaves them as they are. What
 * enters in the middle of the block then comes out at the next depth as it went in, and that is what a changed output of attention does.
 *
 * <p>The forward pass alone keeps x + attention(x) as the middle: the differences of its levels are the outputs of the two.
 */
final class ParallelBlock implements BlockPart {
    private final Backend backend;
    private final AttentionPart attention;
    private final MlpPart mlp;

    ParallelBlock(Backend backend, AttentionPart attention, MlpPart mlp) {
        this.backend = backend;
        this.attention = attention;
        this.mlp = mlp;
    }

    /** What follows in the middle. */
    BlockPart rest() {
        return new Rest();
    }

    @Override
    public void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w) {
        mlp.readBlock(x, keep);
        attention.forward(x, next, rows, keep, w);
    }

    @Override
    public void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {
        Matrix entering = copy(x, w);
        attention.value(entering, x, rows, base, fromToken, w);
        mlp.value(entering, x, rows, fromToken, w);
    }

    @Override
    public void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Matrix entering = copy(dx, w);
        attention.tangent(entering, dx, rows, primal, fromToken, w);
        mlp.tangent(entering, dx, rows, primal, fromToken, w);
    }

    @Override
    public void tangentOfNewborn(
            Matrix x, Nursery.Piece piece, BlockPrimal primal, int fromToken, Workspace w, NewbornRows added) {
        Matrix entering = copy(x, w);
        mlp.tangent(entering, x, piece.rows(), primal, 0, w);
        attention.tangentOfNewborn(entering, piece, primal, fromToken, w, added);
    }

    @Override
    public void curvature(
            Matrix dx, Matrix ddx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w, Workspace w2) {
        Matrix entering = copy(dx, w);
        Matrix second = copy(ddx, w2);
        attention.curvature(entering, second, dx, ddx, rows, primal, fromToken, w, w2);
        mlp.curvature(entering, second, dx, ddx, rows, primal, fromToken, w, w2);
    }

    @Override
    public void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {
        Matrix leaving = copy(g, w);
        attention.adjoint(leaving, g, rows, primal, fromToken, w);
        mlp.adjoint(leaving, g, rows, primal, fromToken, w);
    }

    private Matrix copy(Matrix x, Workspace w) {
        Matrix copy = w.copy(x.rows());
        backend.blocks().scaleColumns(x, null, copy);
        return copy;
    }

    @Override
    public long primalElements() {
        return attention.primalElements() + mlp.primalElements();
    }

    @Override
    public double flops(long count, BatchSize batch, boolean up, TokenState state) {
        return attention.flops(count, batch, up, state) + mlp.flops(count, batch, up, state);
    }

    @Override
    public double flopsOfNewborn(long rows, long together, boolean kept) {
        return attention.flopsOfNewborn(rows, together, kept) + mlp.flopsOfNewborn(rows, together, kept);
    }

    @Override
    public double flopsToForm() {
        return mlp.flopsToForm();
    }

    /** The second half. */
    private final class Rest implements BlockPart {
        @Override
        public void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w) {
            mlp.addOutput(x, next, keep, w);
        }

        @Override
        public void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w) {}

        @Override
        public void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {}

        @Override
        public void curvature(
                Matrix dx, Matrix ddx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w, Workspace w2) {}

        @Override
        public void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w) {}

        @Override
        public long primalElements() {
            return 0;
        }

        @Override
        public double flops(long count, BatchSize batch, boolean up, TokenState state) {
            return 0;
        }

        @Override
        public double flopsOfNewborn(long rows, long together, boolean kept) {
            return 0;
        }

        @Override
        public double flopsToForm() {
            return 0;
        }
    }
}
