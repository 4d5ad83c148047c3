package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.function.IntPredicate;

/**
 * Half a block: a branch f that is added to the stream, x' = x + f(x). A part has everything that the sweeps ask of it in one
 * place: the value, the tangent f'dx, the curvature f''[dx, dx], the adjoint f''s transpose, and what they cost. A sweep goes from
 * part to part and knows no more of them than this. Another kind of attention or MLP is another part.
 *
 * <p>All work in place on ragged batches of R rows, all but {@link #forward}. Most take {@code fromToken}: from which token on the
 * result is wanted. Rows at earlier tokens are then left as they were.
 */
interface BlockPart {
    /**
     * The value in a forward pass of one sequence, keeping what the derivatives need.
     *
     * @param x [T, D]
     * @param next [T, D], receives x'
     * @param rows the sequence
     */
    void forward(Matrix x, Matrix next, RaggedRows rows, BlockPrimal keep, Workspace w);

    /**
     * The value in patched runs, which are those of the forward pass at tokens before their first.
     *
     * @param x [R, D], becomes x'
     */
    void value(Matrix x, RaggedRows rows, BlockPrimal base, int fromToken, Workspace w);

    /**
     * Tangents from the part's input to its output.
     *
     * @param dx [R, D], becomes dx + f'dx
     */
    void tangent(Matrix dx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w);

    /** Takes what a part adds to newborn columns. */
    interface NewbornRows {
        /**
         * Adds rows.
         *
         * @param columns some of the columns, with all their rows
         * @param fromToken the first token there are rows of
         * @param branch rows of those tokens, [m - columns.start(fromToken), D]
         */
        void add(RaggedRows columns, int fromToken, Matrix branch);
    }

    /**
     * Tangents of columns that are zero but in one row each, and get others here: what the part adds to them is handed on. Parts that
     * do not mix tokens have no use for it: to them a row is a row.
     *
     * @param x the rows [n, D] of a piece of a nursery; a part whose halves both read what enters adds to them what stays at their token
     * @param added takes what the part adds to all rows of the columns
     */
    default void tangentOfNewborn(
            Matrix x, Nursery.Piece piece, BlockPrimal primal, int fromToken, Workspace w, NewbornRows added) {
        throw new UnsupportedOperationException("a part that does not mix tokens");
    }

    /**
     * First and second derivatives together. Where f is one of the nonlinear operations, f(x + e dx + e^2/2 ddx) =
     * f + e f'dx + e^2/2 (f'ddx + f''[dx, dx]): ddx goes through whatever dx goes through, and each operation adds the curvature
     * along dx. Linear maps have none.
     *
     * @param dx [R, D], becomes dx + f'dx
     * @param ddx [R, D], becomes ddx + f'ddx + f''[dx, dx]
     * @param w room for what dx needs, with all rows in attention at once
     * @param w2 likewise for ddx
     */
    void curvature(
            Matrix dx, Matrix ddx, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w, Workspace w2);

    /**
     * Cotangents from the part's output to its input.
     *
     * @param g [R, D], becomes g + (f')'g
     * @param fromToken rows of g at earlier tokens are zero
     */
    void adjoint(Matrix g, RaggedRows rows, BlockPrimal primal, int fromToken, Workspace w);

    /** Elements that its primal takes for each token of a run. */
    long primalElements();

    /**
     * Flops of the matrix products that carry the {@code count} rows of one token of a batch through the part. What goes on
     * between tokens is not counted.
     *
     * @param up whether as tangents, otherwise as cotangents
     * @param state what saves work at this token
     */
    double flops(long count, BatchSize batch, boolean up, TokenState state);

    /**
     * Likewise for all rows of a batch.
     *
     * @param kept tells of each token whether its map is there already
     */
    default double flops(RaggedRows rows, boolean up, IntPredicate kept) {
        BatchSize batch = BatchSize.of(rows);
        double sum = 0;
        for (int t = 0; t < batch.tokens(); t++) {
            sum += flops(rows.count(t), batch, up, TokenState.kept(kept.test(t)));
        }
        return sum;
    }

    /**
     * Flops of {@link #tangentOfNewborn} for one column, or of its one row where tokens do not mix.
     *
     * @param rows how many rows it gets
     * @param together newborn columns at its token, itself included
     * @param kept whether the token's map is there already
     */
    double flopsOfNewborn(long rows, long together, boolean kept);

    /** Flops of forming the map of one token's MLP; 0 where there is no MLP. */
    double flopsToForm();

    /** The rows of a batch's matrix at {@code token} and later. */
    static Matrix from(Matrix x, RaggedRows rows, int token) {
        return x.rows(rows.start(token), rows.rows() - rows.start(token));
    }
}
