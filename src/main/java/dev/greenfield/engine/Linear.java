package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;

/**
 * A linear layer x W + b on a backend. Its tangent is W itself, its adjoint W', and it has no curvature. The bias is added by
 * whoever takes the value, since it goes best with what comes next.
 *
 * @param weight W, [in, out]
 * @param bias b, [out]
 */
record Linear(Backend backend, Matrix weight, Buffer bias) {
    /** y = x W, for x [n, in] and y [n, out]. */
    void multiply(Matrix x, Matrix y) {
        backend.multiply(1, x, false, weight, false, 0, y);
    }

    /** y = y + x W, for x [n, in] and y [n, out]. */
    void addProduct(Matrix x, Matrix y) {
        backend.multiply(1, x, false, weight, false, 1, y);
    }

    /** x = y W', for y [n, out] and x [n, in]. */
    void multiplyTransposed(Matrix y, Matrix x) {
        backend.multiply(1, y, false, weight, true, 0, x);
    }
}
