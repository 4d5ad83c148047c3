package dev.greenfield.backend;

import dev.greenfield.model.Activation;

/**
 * Operations that blocks after GPT-2's need: RMSNorm, rotary positions, keys and values that queries share, and gated MLPs. Rules and
 * widths are those of {@link Backend}.
 */
public interface BlockOperations {
    /**
     * RMSNorm without gain, group by group of a row: normalized = x / sqrt(mean(x^2) + epsilon) with the mean over the group.
     *
     * @param x [R, G n]
     * @param groups G, how many parts of a row are normalized by themselves; 1 for the stream
     * @param normalized [R, G n]; may be x itself
     * @param inverse [R, G], 1 / sqrt(mean(x^2) + epsilon); null when it is not wanted
     */
    void rmsNorm(Matrix x, int groups, double epsilon, Matrix normalized, Buffer inverse);

    /**
     * Tangent of {@link #rmsNorm}, and its adjoint: the Jacobian r (I - n n'/D) is symmetric. dy = r (dx - n mean(n dx)) with the n
     * and r of the row's token and group.
     *
     * @param dx rows {@code fromRow} and on of a batch, [m, G n]
     * @param rows the batch
     * @param fromRow the row of the batch that is dx's first
     * @param normalized [T, G n] of the forward pass
     * @param inverse [T, G] of the forward pass
     * @param dy [m, G n]; may be dx itself unless {@code accumulate}
     * @param accumulate whether the result is added to dy instead of replacing it
     */
    void rmsNormTangent(
            Matrix dx,
            int groups,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverse,
            Matrix dy,
            boolean accumulate);

    /**
     * Curvature of {@link #rmsNorm}: adds the second derivative of its value along a straight line. With a = mean(n dx) and the n and r
     * of the row's token and group: ddy += -2 r^2 a (dx - n a) - r^2 n (mean(dx^2) - a^2).
     *
     * @param ddy [m, G n]; other memory than {@code dx}
     * @see #rmsNormTangent for the other arguments
     */
    void rmsNormCurvature(
            Matrix dx, int groups, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverse, Matrix ddy);

    /**
     * y = x diag(factors). It is linear and its own adjoint.
     *
     * @param x [R, n]
     * @param factors [n]; null for ones, so that this copies
     * @param y [R, n]; may be x itself
     */
    void scaleColumns(Matrix x, Buffer factors, Matrix y);

    /**
     * Lays projected rows out for attention. It is linear, so that it is its own tangent.
     *
     * @param x all rows of a batch, [R, (H + 2 K) h]
     * @param rows the batch
     * @param y [R, 3 H h]; other memory than {@code x}
     */
    void spreadHeads(HeadLayout layout, Matrix x, RaggedRows rows, Matrix y);

    /**
     * Adjoint of {@link #spreadHeads}: turns back, multiplies with the gain, and sums over the queries that share a key or value.
     *
     * @param y all rows of a batch, [R, 3 H h]
     * @param rows the batch
     * @param x [R, (H + 2 K) h]; other memory than {@code y}
     */
    void gatherHeads(HeadLayout layout, Matrix y, RaggedRows rows, Matrix x);

    /**
     * The hidden layer of a gated MLP, act(g + bias) (u + bias): in place, into the first F columns. What is in the others then is not
     * defined.
     *
     * @param x [R, 2 F], gates g and values u side by side
     * @param bias [2 F]
     * @param factors [R, 2 F] receives act'(g) u and act(g) side by side; null when they are not wanted
     */
    void gate(Activation kind, Matrix x, Buffer bias, Matrix factors);

    /**
     * Tangent of {@link #gate}: dh = act'(g) u dg + act(g) du with the factors of the row's token.
     *
     * @param dx rows {@code fromRow} and on of a batch, [m, 2 F]
     * @param rows the batch
     * @param fromRow the row of the batch that is dx's first
     * @param factors [T, 2 F] of the forward pass
     * @param dh [m, F]; may be the first F columns of dx
     */
    void gateTangent(Matrix dx, RaggedRows rows, int fromRow, Matrix factors, Matrix dh);

    /**
     * Adjoint of {@link #gateTangent}: dg = act'(g) u dh, du = act(g) dh.
     *
     * @param dh [m, F]; may be the first F columns of dx
     * @param dx [m, 2 F]
     */
    void gateAdjoint(Matrix dh, RaggedRows rows, int fromRow, Matrix factors, Matrix dx);

    /**
     * What the curvature of {@link #gate} is made of, in place: act''(g) u and act'(g) side by side.
     *
     * @param x [R, 2 F], gates g and values u side by side
     * @param bias [2 F]
     */
    void gateSecondDerivative(Activation kind, Matrix x, Buffer bias);

    /**
     * Curvature of {@link #gate}, exact since it is linear in u: ddh += act''(g) u dg^2 + 2 act'(g) dg du.
     *
     * @param dx rows {@code fromRow} and on of a batch, [m, 2 F]
     * @param second [T, 2 F] of {@link #gateSecondDerivative}
     * @param ddh [m, F]; other memory than {@code dx}
     */
    void gateCurvature(Matrix dx, RaggedRows rows, int fromRow, Matrix second, Matrix ddh);
}
