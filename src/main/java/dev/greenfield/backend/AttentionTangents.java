package dev.greenfield.backend;

/**
 * Tangents of attention that take fewer flops than {@link Backend#attentionTangent}, which finds the same. A backend need not have
 * them. Widths are those of {@link Backend}; A = H h is the width of all heads.
 */
public interface AttentionTangents {
    /** Whether these were seen to be faster here, where they take fewer flops; otherwise they are taken only when asked for. */
    boolean pay();

    /**
     * The tangent where queries and keys are known by what they do to the scores. Token i has a block of scores, H (E + 1) rows of its
     * columns, where E is the token after the batch's last: first q_{i'} dk_i for the queries i' = i, ..., E - 1, then dq_i k_j for the
     * keys j = 0, ..., i, each for all heads side by side and times the scale. What of it a window hides is not read. Not for scores with a
     * soft cap.
     *
     * @param dv tangents of the values, [R, A]
     * @param scores the blocks of all tokens, one after the other: that of token i begins at element {@code start(i)} times the columns
     *     of this matrix, which is [R, H (E + 1)] without gaps, and has the columns alive at the token as its fastest index
     * @param rows the batch, all of whose columns have the same last token
     * @param queriesFrom outputs are wanted at this token and later; earlier rows of {@code dout} are left as they are
     * @param dout [R, A]
     */
    void ofScores(AttentionPrimal primal, Matrix dv, Matrix scores, RaggedRows rows, int queriesFrom, Matrix dout);

    /**
     * The tangent of columns that are zero but at their first token t. With P, s and o the probabilities, scores and outputs of the
     * forward pass, at later tokens ds_it = scale q_i dk and dout_i = P_it (dv + ds_it (v_t - o_i)).
     *
     * @param dqkv the tangents of the columns' first tokens, a row a column, [C, 3A]
     * @param columns whose rows are wanted
     * @param queriesFrom outputs are wanted at this token and later; earlier rows of {@code dout} are left as they are
     * @param dout [R, A]
     */
    void ofNewborn(AttentionPrimal primal, Matrix dqkv, RaggedRows columns, int queriesFrom, Matrix dout);
}
