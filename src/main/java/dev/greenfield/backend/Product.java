package dev.greenfield.backend;

/**
 * One of several matrix products that do not depend on each other: c = op(a) op(b), where op transposes when its flag is set.
 *
 * @see Backend#multiplyEach
 */
public record Product(Matrix a, boolean transposeA, Matrix b, boolean transposeB, Matrix c) {
    /** Multiplications and additions. */
    public double flops() {
        return 2.0 * c.rows() * c.columns() * (transposeA ? a.rows() : a.columns());
    }
}
