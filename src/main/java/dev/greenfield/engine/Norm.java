package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.ModelConfig;

/**
 * The normalization N that a half block begins with, and its derivatives. It is LayerNorm without gain and bias, which are folded
 * into the matrix that follows, so that its Jacobian r (I - 1 1'/D - n n'/D) is symmetric: tangent and adjoint are one. Another
 * kind of normalization belongs here; the halves do not know which it is.
 */
final class Norm {
    private final Backend backend;
    private final double epsilon;

    Norm(Backend backend, ModelConfig config) {
        this.backend = backend;
        this.epsilon = config.epsilon();
    }

    /**
     * What the derivatives need of the forward pass.
     *
     * @param normalized n, [T, D]
     * @param inverseStd r, [T]
     */
    record Primal(Matrix normalized, Buffer inverseStd) {}

    /** Room for the primal of a run. */
    static Primal allocate(RunMemory memory, ModelConfig config) {
        return new Primal(memory.rows("normalized", config.width()), memory.perToken("1/std", 1));
    }

    /** Elements of a primal for each token. */
    static long primalElements(ModelConfig config) {
        return config.width() + 1L;
    }

    /** Normalizes the x [T, D] of a forward pass into its primal. */
    void forward(Matrix x, Primal keep) {
        backend.layerNorm(x, epsilon, keep.normalized(), keep.inverseStd());
    }

    /** y = N(x), both [n, D]. */
    void value(Matrix x, Matrix y) {
        backend.layerNorm(x, epsilon, y, null);
    }

    /** y = N(x) for the rows of some columns: x [R, D] of the whole batch, y [m, D] of the columns. */
    void value(Matrix x, RaggedRows columns, Matrix y) {
        backend.columns().layerNorm(x, columns, epsilon, y);
    }

    /**
     * dy = N'(dx).
     *
     * @param dx rows {@code fromRow} and on of a batch, [n, D]
     * @param dy [n, D]; may be dx itself
     */
    void tangent(Matrix dx, RaggedRows rows, int fromRow, Primal primal, Matrix dy) {
        backend.layerNormTangent(dx, rows, fromRow, primal.normalized(), primal.inverseStd(), dy, false);
    }

    /** dy = N'(dx) for the rows of some columns: dx [R, D] of the whole batch, dy [m, D] of the columns. */
    void tangent(Matrix dx, RaggedRows columns, Primal primal, Matrix dy) {
        backend.columns().layerNormTangent(dx, columns, primal.normalized(), primal.inverseStd(), dy);
    }

    /**
     * g = g + N'(y).
     *
     * @param y rows {@code fromRow} and on of a batch, [n, D]
     * @param g [n, D]; other memory than y
     */
    void addAdjoint(Matrix y, RaggedRows rows, int fromRow, Primal primal, Matrix g) {
        backend.layerNormTangent(y, rows, fromRow, primal.normalized(), primal.inverseStd(), g, true);
    }

    /** g = g + N'(y) for the rows of some columns: y [m, D] of the columns, g [R, D] of the whole batch. */
    void addAdjoint(Matrix y, RaggedRows columns, Primal primal, Matrix g) {
        backend.columns().layerNormAdjoint(y, columns, primal.normalized(), primal.inverseStd(), g);
    }

    /**
     * dy = N'(dx) and ddy = N'(ddx) + N''[dx, dx].
     *
     * @param dx rows {@code fromRow} and on of a batch, [n, D], as are all others
     */
    void curvature(Matrix dx, Matrix ddx, RaggedRows rows, int fromRow, Primal primal, Matrix dy, Matrix ddy) {
        tangent(dx, rows, fromRow, primal, dy);
        tangent(ddx, rows, fromRow, primal, ddy);
        backend.layerNormCurvature(dx, rows, fromRow, primal.normalized(), primal.inverseStd(), ddy);
    }
}
