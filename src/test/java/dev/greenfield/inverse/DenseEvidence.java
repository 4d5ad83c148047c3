package dev.greenfield.inverse;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/** The log density of y under N(0, s^2 B B' + sigma^2), with s where it is largest: from the whole covariance, and s by search. */
final class DenseEvidence {
    private DenseEvidence() {}

    static double best(double[] block, int rows, int columns, double[] y, double sigma) {
        DMatrixRMaj b = DMatrixRMaj.wrap(rows, columns, block);
        DMatrixRMaj product = new DMatrixRMaj(rows, rows);
        CommonOps_DDRM.multTransB(b, b, product);
        // By thirds: the evidence has one maximum over ln s.
        double low = -12;
        double high = 12;
        for (int i = 0; i < 120; i++) {
            double left = low + (high - low) / 3;
            double right = high - (high - low) / 3;
            if (density(product, y, sigma, Math.exp(left)) < density(product, y, sigma, Math.exp(right))) {
                low = left;
            } else {
                high = right;
            }
        }
        return density(product, y, sigma, Math.exp((low + high) / 2));
    }

    private static double density(DMatrixRMaj product, double[] y, double sigma, double s) {
        DMatrixRMaj covariance = product.copy();
        CommonOps_DDRM.scale(s * s, covariance);
        for (int i = 0; i < y.length; i++) {
            covariance.add(i, i, sigma * sigma);
        }
        LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.chol(y.length);
        DMatrixRMaj kept = covariance.copy();
        solver.setA(covariance);
        DMatrixRMaj x = new DMatrixRMaj(y.length, 1);
        solver.solve(DMatrixRMaj.wrap(y.length, 1, y.clone()), x);
        // The determinant may leave the range of numbers: the logarithm of that of the scaled matrix.
        double scale = sigma * sigma;
        CommonOps_DDRM.scale(1 / scale, kept);
        double logDeterminant = Math.log(CommonOps_DDRM.det(kept)) + y.length * Math.log(scale);
        return -(logDeterminant + LeastSquares.dot(y, x.data)) / 2;
    }
}
