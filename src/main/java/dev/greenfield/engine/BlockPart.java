package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

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
     * Flops of the matrix products that carry the {@code count} rows of one token through the part, up or down. What goes on
     * between tokens is not counted.
     */
    double flops(long count);

    /** Likewise for all rows of a batch. */
    default double flops(RaggedRows rows) {
        double sum = 0;
        for (int t = 0; t < rows.tokens(); t++) {
            sum += flops(rows.count(t));
        }
        return sum;
    }

    /** The rows of a batch's matrix at {@code token} and later. */
    static Matrix from(Matrix x, RaggedRows rows, int token) {
        return x.rows(rows.start(token), rows.rows() - rows.start(token));
    }
}
