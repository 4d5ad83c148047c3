package dev.greenfield.inverse;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/** The singular value decomposition U S V' of one site's block B [m, D] of a linear map, with r = min(m, D) values. */
final class SiteBlock {
    private static final double CANCELLING = 1e-4;

    private final DMatrixRMaj left; // U, [m, r]; null unless it was asked for
    private final double[] values; // S, [r], falling
    private final DMatrixRMaj right; // V', [r, D]

    private SiteBlock(DMatrixRMaj left, double[] values, DMatrixRMaj right) {
        this.left = left;
        this.values = values;
        this.right = right;
    }

    /**
     * Decomposes a block.
     *
     * @param block [m, D]; its memory is used
     * @param needLeft whether U will be asked for
     */
    static SiteBlock of(DMatrixRMaj block, boolean needLeft) {
        if (block.numRows <= block.numCols) {
            return decompose(block, null, needLeft);
        }
        // A tall block is first brought to D rows: its factor R has the same singular values and V.
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(block.numRows, block.numCols);
        qr.decompose(block);
        DMatrixRMaj triangle = qr.getR(null, true);
        return decompose(triangle, needLeft ? qr.getQ(null, true) : null, needLeft);
    }

    private static SiteBlock decompose(DMatrixRMaj block, DMatrixRMaj before, boolean needLeft) {
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(block.numRows, block.numCols, needLeft, true, true);
        if (!svd.decompose(block)) {
            throw new ArithmeticException("the singular values of a block of " + block.numRows + " x " + block.numCols
                    + " numbers did not converge");
        }
        DMatrixRMaj u = needLeft ? svd.getU(null, false) : null;
        DMatrixRMaj vt = svd.getV(null, true);
        double[] s = svd.getSingularValues().clone();
        int rank = svd.numberOfSingularValues();
        SingularOps_DDRM.descendingOrder(u, false, s, rank, vt, true);
        if (before != null && u != null) {
            u = CommonOps_DDRM.mult(before, u, null);
        }
        return new SiteBlock(u, s, vt);
    }

    /** S, [r], falling. */
    double[] values() {
        return values;
    }

    /** U'y, [r]. */
    double[] onLeft(double[] y) {
        DMatrixRMaj product = new DMatrixRMaj(left.numCols, 1);
        CommonOps_DDRM.multTransA(left, DMatrixRMaj.wrap(y.length, 1, y), product);
        return product.data;
    }

    /** The square of what is left of y outside the span of U, given c = U'y. */
    double squareOutside(double[] y, double[] c) {
        double whole = LeastSquares.dot(y, y);
        double difference = whole - LeastSquares.dot(c, c);
        // Pythagoras, unless little is left and the difference of two large numbers would be rounding.
        return difference > CANCELLING * whole ? difference : squareOfRest(y, c);
    }

    private double squareOfRest(double[] y, double[] c) {
        DMatrixRMaj inside = new DMatrixRMaj(left.numRows, 1);
        CommonOps_DDRM.mult(left, DMatrixRMaj.wrap(c.length, 1, c), inside);
        double[] rest = y.clone();
        LeastSquares.add(rest, -1, inside.data);
        return LeastSquares.dot(rest, rest);
    }

    /** V c, [D]. */
    double[] fromRight(double[] c) {
        DMatrixRMaj product = new DMatrixRMaj(right.numCols, 1);
        CommonOps_DDRM.multTransA(right, DMatrixRMaj.wrap(c.length, 1, c), product);
        return product.data;
    }

    /** g'(B'B + lambda)^-1 g for g = B'r: by how much |B J - r|^2 + lambda |J|^2 is less for the best J than for none. */
    double gain(double[] g, double lambda) {
        DMatrixRMaj c = new DMatrixRMaj(right.numRows, 1);
        CommonOps_DDRM.mult(right, DMatrixRMaj.wrap(g.length, 1, g), c);
        double sum = 0;
        for (int j = 0; j < c.numRows; j++) {
            double scale = values[j] * values[j] + lambda;
            sum += scale == 0 ? 0 : c.data[j] * c.data[j] / scale;
        }
        return sum;
    }
}
