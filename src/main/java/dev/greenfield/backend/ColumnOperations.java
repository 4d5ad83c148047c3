package dev.greenfield.backend;

/**
 * Operations between a batch and some of its columns, {@link RaggedRows#columns cut out} as a batch of their own. They are what
 * attention begins and ends with when it takes a batch in tiles of columns: each reads or writes the rows where they stand in the
 * whole batch, so that no pass over memory serves copying alone. A whole batch counts as the part that is all of it.
 *
 * <p>Widths and rules are those of {@link Backend}; R is the whole batch's rows, m the part's.
 */
public interface ColumnOperations {
    /**
     * {@link Backend#layerNorm} of the columns' rows.
     *
     * @param x [R, D] of the whole batch
     * @param columns the part
     * @param normalized [m, D]; other memory than {@code x}
     */
    void layerNorm(Matrix x, RaggedRows columns, double epsilon, Matrix normalized);

    /**
     * {@link Backend#layerNormTangent} of the columns' rows.
     *
     * @param dx [R, D] of the whole batch
     * @param columns the part
     * @param normalized [T, D] of the forward pass
     * @param inverseStd [T] of the forward pass
     * @param dy [m, D]; other memory than {@code dx}
     */
    void layerNormTangent(Matrix dx, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix dy);

    /**
     * Adjoint of {@link #layerNormTangent}: adds the Jacobian, which is symmetric, times y to the columns' rows of x.
     *
     * @param y [m, D]
     * @param columns the part
     * @param normalized [T, D] of the forward pass
     * @param inverseStd [T] of the forward pass
     * @param x [R, D] of the whole batch; other memory than {@code y}. Rows of other columns are left as they are
     */
    void layerNormAdjoint(Matrix y, RaggedRows columns, Matrix normalized, Buffer inverseStd, Matrix x);

    /**
     * Copies the columns' rows at {@code fromToken} and later.
     *
     * @param x [R, D] of the whole batch
     * @param columns the part
     * @param y those rows of the part, [m - columns.start(fromToken), D]; other memory than {@code x}
     */
    void take(Matrix x, RaggedRows columns, int fromToken, Matrix y);

    /**
     * Adjoint of {@link #take}: adds rows to the columns' rows at {@code fromToken} and later, as
     * {@link Backend#addBranch} does: x + (y + bias).
     *
     * @param y those rows of the part, [m - columns.start(fromToken), D]
     * @param bias [D], or null for none
     * @param columns the part
     * @param x [R, D] of the whole batch; other memory than {@code y}. Other rows are left as they are
     */
    void add(Matrix y, Buffer bias, RaggedRows columns, int fromToken, Matrix x);
}
