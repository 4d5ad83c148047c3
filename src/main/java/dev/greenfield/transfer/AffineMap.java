package dev.greenfield.transfer;

import dev.greenfield.failure.InputException;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * An affine map y = W'x + c fitted to pairs of vectors by ridge regression: W minimizes |Y - X W|^2 + lambda |W|^2 on centred vectors
 * (Hoerl and Kennard 1970), with lambda = ridge times the mean variance of a component of x times the number of pairs, so that {@code
 * ridge} has no unit. Immutable.
 */
public final class AffineMap {
    private final DMatrixRMaj weights; // [Dx, Dy]
    private final double[] constant; // [Dy]

    private AffineMap(DMatrixRMaj weights, double[] constant) {
        this.weights = weights;
        this.constant = constant;
    }

    /**
     * Fits a map.
     *
     * @param x [N][Dx], at least two vectors
     * @param y [N][Dy]
     * @param ridge strength of the penalty, above 0
     */
    public static AffineMap fit(double[][] x, double[][] y, double ridge) {
        if (x.length != y.length || x.length < 2) {
            throw new InputException("an affine map from " + x.length + " vectors to " + y.length
                    + ": expected as many of both, and at least two");
        }
        if (!(ridge > 0) || !Double.isFinite(ridge)) {
            throw new InputException("ridge " + ridge + ": expected a number above 0");
        }
        double[] meanX = mean(x);
        double[] meanY = mean(y);
        DMatrixRMaj a = centred(x, meanX);
        DMatrixRMaj b = centred(y, meanY);
        int width = meanX.length;
        DMatrixRMaj gram = new DMatrixRMaj(width, width);
        CommonOps_DDRM.multTransA(a, a, gram);
        double lambda = ridge * CommonOps_DDRM.trace(gram) / width;
        DMatrixRMaj weights = new DMatrixRMaj(width, meanY.length);
        if (lambda > 0) { // else all x are equal, and the best map is the constant
            for (int i = 0; i < width; i++) {
                gram.add(i, i, lambda);
            }
            DMatrixRMaj products = new DMatrixRMaj(width, meanY.length);
            CommonOps_DDRM.multTransA(a, b, products);
            LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.symmPosDef(width);
            if (!solver.setA(gram)) {
                throw new InputException(
                        "ridge " + ridge + " is too small: the regression is singular to rounding, use a larger one");
            }
            solver.solve(products, weights);
        }
        AffineMap linear = new AffineMap(weights, new double[meanY.length]);
        double[] ofMean = linear.apply(meanX);
        for (int i = 0; i < meanY.length; i++) {
            meanY[i] -= ofMean[i];
        }
        return new AffineMap(weights, meanY);
    }

    /** W'x + c, [Dy]. */
    public double[] apply(double[] x) {
        double[] y = direction(x);
        for (int i = 0; i < y.length; i++) {
            y[i] += constant[i];
        }
        return y;
    }

    /** W'd, [Dy]: where the difference d [Dx] of two vectors goes. */
    public double[] direction(double[] d) {
        if (d.length != weights.numRows) {
            throw new InputException(
                    "the vector has " + d.length + " components, expected " + weights.numRows + ", those of x");
        }
        DMatrixRMaj y = new DMatrixRMaj(1, weights.numCols);
        CommonOps_DDRM.mult(DMatrixRMaj.wrap(1, d.length, d), weights, y);
        return y.data;
    }

    private static double[] mean(double[][] vectors) {
        double[] mean = new double[vectors[0].length];
        for (double[] vector : vectors) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += vector[i] / vectors.length;
            }
        }
        return mean;
    }

    private static DMatrixRMaj centred(double[][] vectors, double[] mean) {
        DMatrixRMaj rows = new DMatrixRMaj(vectors);
        for (int r = 0; r < vectors.length; r++) {
            for (int i = 0; i < mean.length; i++) {
                rows.add(r, i, -mean[i]);
            }
        }
        return rows;
    }
}
