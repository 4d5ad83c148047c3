package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;

/** Launches the kernels of the nonlinear operations that treat each row alone, LayerNorm and the activation, with their derivatives. */
final class CudaNonlinear {
    private final Launcher launcher;
    private final BatchTables tables;

    CudaNonlinear(Launcher launcher, BatchTables tables) {
        this.launcher = launcher;
        this.tables = tables;
    }

    void layerNorm(Matrix x, double epsilon, Matrix normalized, Buffer inverseStd) {
        launcher.kernel("layer_norm")
                .matrix(x)
                .address(0)
                .matrix(normalized)
                .buffer(inverseStd)
                .size(x)
                .number((float) epsilon)
                .launchSums(x);
    }

    void layerNormTangent(
            Matrix dx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            boolean accumulate) {
        long tokens = tables.of(rows).tokenOf(fromRow);
        launcher.kernel("layer_norm_tangent")
                .matrix(dx)
                .address(0)
                .address(tokens)
                .matrix(normalized)
                .buffer(inverseStd)
                .matrix(dy)
                .address(0)
                .size(dx)
                .number(accumulate ? 1 : 0)
                .launchSumsByWarps(dx);
    }

    void layerNormCurvature(Matrix dx, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverseStd, Matrix ddy) {
        long tokens = tables.of(rows).tokenOf(fromRow);
        launcher.kernel("layer_norm_curvature")
                .matrix(dx)
                .address(tokens)
                .matrix(normalized)
                .buffer(inverseStd)
                .matrix(ddy)
                .size(dx)
                .launchSums(dx);
    }

    void activation(Activation kind, Matrix u, Buffer bias, Matrix derivative) {
        launcher.kernel("activation")
                .number(number(kind))
                .matrix(u)
                .buffer(bias)
                .matrix(derivative)
                .size(u)
                .launchElements(u);
    }

    /** The kind as {@code activation.cuh} counts them. */
    static int number(Activation kind) {
        return switch (kind) {
            case GELU_NEW -> 0;
            case GELU -> 1;
            case RELU -> 2;
            case SILU -> 3;
        };
    }

    void activationTangent(Matrix du, RaggedRows rows, int fromRow, Matrix derivative, Matrix dg) {
        long tokens = tables.of(rows).tokenOf(fromRow);
        launcher.kernel("activation_tangent")
                .matrix(du)
                .address(tokens)
                .matrix(derivative)
                .matrix(dg)
                .size(du)
                .launchElements(du);
    }

    void activationSecondDerivative(Activation kind, Matrix u, Buffer bias) {
        launcher.kernel("activation_second_derivative")
                .number(number(kind))
                .matrix(u)
                .buffer(bias)
                .size(u)
                .launchElements(u);
    }

    void activationCurvature(Matrix du, RaggedRows rows, int fromRow, Matrix secondDerivative, Matrix ddg) {
        long tokens = tables.of(rows).tokenOf(fromRow);
        launcher.kernel("activation_curvature")
                .matrix(du)
                .address(tokens)
                .matrix(secondDerivative)
                .matrix(ddg)
                .size(du)
                .launchElements(du);
    }
}
