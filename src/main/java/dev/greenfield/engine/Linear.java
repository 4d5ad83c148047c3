package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.util.function.IntConsumer;

/**
 * A linear layer x W + b. Its tangent is W itself, its adjoint W', and it has no curvature. The bias is added by whoever takes the
 * value, since it goes best with what comes next. W and b are on the backend from {@link #put} on until {@link #leave}: for good, or
 * while its block is visited.
 */
final class Linear {
    private final Backend backend;
    private final FoldedWeights stored;
    private Matrix weight; // null while it is not on the backend
    private Buffer bias;

    Linear(Backend backend, FoldedWeights stored) {
        this.backend = backend;
        this.stored = stored;
    }

    /** What it is made of. */
    FoldedWeights stored() {
        return stored;
    }

    /**
     * Puts the layer on the backend.
     *
     * @param weights room for [in, out]
     * @param biases room for [out]
     * @param before is told how many rows are done
     */
    void put(Buffer weights, Buffer biases, IntConsumer before) {
        Matrix matrix = Matrix.of(weights, stored.in(), stored.out());
        stored.put(backend, matrix, biases, before);
        weight = matrix;
        bias = biases;
    }

    /** What it was put into is no longer its own. */
    void leave() {
        weight = null;
        bias = null;
    }

    /** W, [in, out]. */
    Matrix weight() {
        if (weight == null) {
            throw new IllegalStateException(stored.weight().name() + " is not on the backend: visit its block first");
        }
        return weight;
    }

    /** b, [out]. */
    Buffer bias() {
        weight();
        return bias;
    }

    /** y = x W, for x [n, in] and y [n, out]. */
    void multiply(Matrix x, Matrix y) {
        backend.multiply(1, x, false, weight(), false, 0, y);
    }

    /** y = y + x W, for x [n, in] and y [n, out]. */
    void addProduct(Matrix x, Matrix y) {
        backend.multiply(1, x, false, weight(), false, 1, y);
    }

    /** x = y W', for y [n, out] and x [n, in]. */
    void multiplyTransposed(Matrix y, Matrix x) {
        backend.multiply(1, y, false, weight(), true, 0, x);
    }
}
