package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Architecture;

/**
 * What an MLP computes between its two linear layers, and its derivatives. The first layer makes rows of W elements: F arguments of the
 * activation, or F gates and F values side by side. The result is F wide and stands in the first F columns.
 */
final class HiddenLayer {
    private final Backend backend;
    private final Architecture.Mlp mlp;

    HiddenLayer(Backend backend, Architecture.Mlp mlp) {
        this.backend = backend;
        this.mlp = mlp;
    }

    /** Where the result of rows [n, W] stands: [n, F]. */
    Matrix result(Matrix u) {
        return mlp.gated() ? new Matrix(u.buffer(), u.offset(), u.rows(), mlp.inner(), u.stride()) : u;
    }

    /**
     * The value, in place.
     *
     * @param u [n, W]
     * @param bias [W]
     * @param keep [n, W] receives what the derivatives need; null when they are not wanted
     */
    void value(Matrix u, Buffer bias, Matrix keep) {
        if (mlp.gated()) {
            backend.blocks().gate(mlp.activation(), u, bias, keep);
        } else {
            backend.activation(mlp.activation(), u, bias, keep);
        }
    }

    /**
     * Tangents of rows {@code fromRow} and on of a batch.
     *
     * @param du [n, W]
     * @param kept [T, W] by {@link #value}
     * @param dh [n, F]; may be the {@link #result} of du
     */
    void tangent(Matrix du, RaggedRows rows, int fromRow, Matrix kept, Matrix dh) {
        if (mlp.gated()) {
            backend.blocks().gateTangent(du, rows, fromRow, kept, dh);
        } else {
            backend.activationTangent(du, rows, fromRow, kept, dh);
        }
    }

    /** Cotangents, in place: from the {@link #result} of du to du [n, W]. */
    void adjoint(Matrix du, RaggedRows rows, int fromRow, Matrix kept) {
        if (mlp.gated()) {
            backend.blocks().gateAdjoint(result(du), rows, fromRow, kept, du);
        } else {
            backend.activationTangent(du, rows, fromRow, kept, du);
        }
    }

    /** What {@link #curvature} needs besides, in place of u [n, W]. */
    void secondDerivative(Matrix u, Buffer bias) {
        if (mlp.gated()) {
            backend.blocks().gateSecondDerivative(mlp.activation(), u, bias);
        } else {
            backend.activationSecondDerivative(mlp.activation(), u, bias);
        }
    }

    /**
     * Adds the second derivative along du.
     *
     * @param du [n, W]
     * @param second [T, W] by {@link #secondDerivative}
     * @param ddh [n, F]
     */
    void curvature(Matrix du, RaggedRows rows, int fromRow, Matrix second, Matrix ddh) {
        if (mlp.gated()) {
            backend.blocks().gateCurvature(du, rows, fromRow, second, ddh);
        } else {
            backend.activationCurvature(du, rows, fromRow, second, ddh);
        }
    }
}
