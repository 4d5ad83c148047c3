package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.ModelConfig;

/**
 * The normalization N that a half block begins with, and its derivatives. It is LayerNorm or RMSNorm without gain and bias, which are
 * folded into the matrix that follows, so that its Jacobian, r (I - 1 1'/D - n n'/D) or r (I - n n'/D), is symmetric: tangent and
 * adjoint are one. A family may have none here, so that N(x) = x. The halves do not know which it is.
 */
final class Norm {
    private final Backend backend;
    private final double epsilon;
    private final int width;
    private final BlockOperations rms; // null for LayerNorm
    private final boolean none;

    /** @param exists whether there is a norm here at all */
    Norm(Backend backend, ModelConfig config, boolean exists) {
        this.backend = backend;
        this.epsilon = config.epsilon();
        this.width = config.width();
        this.rms = config.architecture().norm().centred() ? null : backend.blocks();
        this.none = !exists;
    }

    /** The norm that a half of a block begins with. */
    static Norm before(Backend backend, ModelConfig config) {
        return new Norm(
                backend, config, config.architecture().norm().placement().before());
    }

    /**
     * What the derivatives need of the forward pass.
     *
     * @param normalized n, [T, D]; x itself where there is no norm
     * @param inverseStd r, [T]; null where there is no norm
     */
    record Primal(Matrix normalized, Buffer inverseStd) {}

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        return new Primal(memory.rows("normalized", width), none ? null : memory.perToken("1/std", 1));
    }

    /** Elements of a primal for each token. */
    static long primalElements(ModelConfig config) {
        return config.width() + 1L;
    }

    /** Normalizes the x [T, D] of a forward pass into its primal. */
    void forward(Matrix x, Primal keep) {
        value(x, keep.normalized(), keep.inverseStd());
    }

    /** y = N(x), both [n, D]. */
    void value(Matrix x, Matrix y) {
        value(x, y, null);
    }

    private void value(Matrix x, Matrix y, Buffer inverseStd) {
        if (none) {
            copy(x, y);
        } else if (rms == null) {
            backend.layerNorm(x, epsilon, y, inverseStd);
        } else {
            rms.rmsNorm(x, 1, epsilon, y, inverseStd);
        }
    }

    private void copy(Matrix x, Matrix y) {
        if (!x.equals(y)) {
            backend.blocks().scaleColumns(x, null, y);
        }
    }

    /** y = N(x) for the rows of some columns: x [R, D] of the whole batch, y [m, D] of the columns. */
    void value(Matrix x, RaggedRows columns, Matrix y) {
        if (rms == null && !none) {
            backend.columns().layerNorm(x, columns, epsilon, y);
        } else {
            backend.columns().take(x, columns, 0, y);
            value(y, y, null);
        }
    }

    /**
     * dy = N'(dx).
     *
     * @param dx rows {@code fromRow} and on of a batch, [n, D]
     * @param dy [n, D]; may be dx itself
     */
    void tangent(Matrix dx, RaggedRows rows, int fromRow, Primal primal, Matrix dy) {
        tangent(dx, rows, fromRow, primal, dy, false);
    }

    private void tangent(Matrix dx, RaggedRows rows, int fromRow, Primal at, Matrix dy, boolean accumulate) {
        if (none && accumulate) {
            backend.addBranch(dx, null, dy, dy);
        } else if (none) {
            copy(dx, dy);
        } else if (rms == null) {
            backend.layerNormTangent(dx, rows, fromRow, at.normalized(), at.inverseStd(), dy, accumulate);
        } else {
            rms.rmsNormTangent(dx, 1, rows, fromRow, at.normalized(), at.inverseStd(), dy, accumulate);
        }
    }

    /** dy = N'(dx) for the rows of some columns: dx [R, D] of the whole batch, dy [m, D] of the columns. */
    void tangent(Matrix dx, RaggedRows columns, Primal primal, Matrix dy) {
        if (rms == null && !none) {
            backend.columns().layerNormTangent(dx, columns, primal.normalized(), primal.inverseStd(), dy);
        } else {
            backend.columns().take(dx, columns, 0, dy);
            tangent(dy, columns, 0, primal, dy, false);
        }
    }

    /**
     * g = g + N'(y).
     *
     * @param y rows {@code fromRow} and on of a batch, [n, D]
     * @param g [n, D]; other memory than y
     */
    void addAdjoint(Matrix y, RaggedRows rows, int fromRow, Primal primal, Matrix g) {
        tangent(y, rows, fromRow, primal, g, true);
    }

    /** g = g + N'(y) for the rows of some columns: y [m, D] of the columns, which may be written over, g [R, D] of the whole batch. */
    void addAdjoint(Matrix y, RaggedRows columns, Primal primal, Matrix g) {
        if (rms == null && !none) {
            backend.columns().layerNormAdjoint(y, columns, primal.normalized(), primal.inverseStd(), g);
        } else {
            tangent(y, columns, 0, primal, y, false);
            backend.columns().add(y, null, columns, 0, g);
        }
    }

    /**
     * dy = N'(dx) and ddy = N'(ddx) + N''[dx, dx].
     *
     * @param dx rows {@code fromRow} and on of a batch, [n, D], as are all others
     */
    void curvature(Matrix dx, Matrix ddx, RaggedRows rows, int fromRow, Primal primal, Matrix dy, Matrix ddy) {
        tangent(ddx, rows, fromRow, primal, ddy);
        addCurvature(dx, rows, fromRow, primal, ddy);
        tangent(dx, rows, fromRow, primal, dy);
    }

    /** ddy = ddy + N''[dx, dx]. */
    void addCurvature(Matrix dx, RaggedRows rows, int fromRow, Primal at, Matrix ddy) {
        if (none) {
            return;
        }
        if (rms == null) {
            backend.layerNormCurvature(dx, rows, fromRow, at.normalized(), at.inverseStd(), ddy);
        } else {
            rms.rmsNormCurvature(dx, 1, rows, fromRow, at.normalized(), at.inverseStd(), ddy);
        }
    }
}
