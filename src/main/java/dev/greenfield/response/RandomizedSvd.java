package dev.greenfield.response;

import java.util.Arrays;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/**
 * Randomized SVD of a Green operator A [m, n] that is only ever applied (Halko, Martinsson and Tropp, SIAM Review 53, 2011,
 * algorithms 4.4 and 5.1): a random subspace is refined by A A' until the wanted singular values stand still, then the small
 * problem is solved exactly. Vectors are kept one an array, i.e. as the rows of the transposed factors.
 */
final class RandomizedSvd {
    private static final int MAX_ITERATIONS = 30;
    private static final int ENERGY_PROBES = 48;

    private RandomizedSvd() {}

    static LowRank compute(GreenOperator a, int rank, long seed) {
        int n = a.inputs();
        int subspace = Math.min(Math.min(n, a.outputs()), rank + Math.max(8, rank / 2));
        Random random = new Random(seed);
        int applied = subspace;
        double[][] q = orthonormal(a.applyAll(gaussian(subspace, n, random)));
        double[][] b = a.adjointAll(q);
        Svd svd = new Svd(b);
        // Singular values settle to rounding; below that level further iterations only stir noise.
        double settled = Math.max(1e-10, 4 * a.roundoff());
        for (int i = 0; i < MAX_ITERATIONS && subspace < n; i++) {
            q = orthonormal(a.applyAll(orthonormal(b)));
            b = a.adjointAll(q);
            applied += 2 * subspace;
            Svd next = new Svd(b);
            double change = 0;
            for (int k = 0; k < rank; k++) {
                change = Math.max(change, Math.abs(next.values[k] - svd.values[k]));
            }
            svd = next;
            if (change <= settled * svd.values[0]) {
                break;
            }
        }
        return finish(a, q, svd, rank, applied, random);
    }

    /** A = Q B with B [subspace, n]; B = W S V', so U = Q W. */
    private static LowRank finish(GreenOperator a, double[][] q, Svd svd, int rank, int applied, Random random) {
        int m = a.outputs();
        int n = a.inputs();
        double[] u = new double[m * rank];
        double[] v = new double[n * rank];
        double[] s = new double[rank];
        for (int k = 0; k < rank; k++) {
            s[k] = svd.values[k];
            double sign = signOf(svd.right[k]);
            for (int j = 0; j < n; j++) {
                v[j * rank + k] = sign * svd.right[k][j];
            }
            for (int c = 0; c < q.length; c++) {
                double weight = sign * svd.left[k][c];
                for (int i = 0; i < m; i++) {
                    u[i * rank + k] += weight * q[c][i];
                }
            }
        }
        double captured = 0;
        for (double value : s) {
            captured += value * value;
        }
        double[] whole = wholeEnergy(a, q, svd, applied, random);
        double energy = whole[0] == 0 ? 1 : Math.min(1, captured / whole[0]);
        return new LowRank(u, s, v, energy, whole[0] == 0 ? 0 : energy * whole[1] / whole[0], whole[0]);
    }

    /**
     * The squared Frobenius norm of A and its standard error. Summed exactly where that costs no more than the factorization
     * did; otherwise |A|^2 = |Q'A|^2 + |(I - Q Q')A|^2 with the first part known and the second, small one estimated by
     * Rademacher probes (Meyer, Musco, Musco and Woodruff, Hutch++, 2021).
     */
    private static double[] wholeEnergy(GreenOperator a, double[][] q, Svd svd, int applied, Random random) {
        if (a.inputs() <= 2 * (applied + ENERGY_PROBES)) {
            return new double[] {a.squaredFrobenius(), 0};
        }
        double known = 0;
        for (double value : svd.values) {
            known += value * value;
        }
        double[][] probes = new double[ENERGY_PROBES][a.inputs()];
        for (double[] probe : probes) {
            for (int i = 0; i < probe.length; i++) {
                probe[i] = random.nextBoolean() ? 1 : -1;
            }
        }
        double sum = 0;
        double squares = 0;
        for (double[] y : a.applyAll(probes)) {
            double rest = dot(y, y);
            for (double[] direction : q) {
                double along = dot(direction, y);
                rest -= along * along;
            }
            rest = Math.max(0, rest);
            sum += rest;
            squares += rest * rest;
        }
        double mean = sum / ENERGY_PROBES;
        double variance = Math.max(0, squares / ENERGY_PROBES - mean * mean) / (ENERGY_PROBES - 1);
        return new double[] {known + mean, Math.sqrt(variance)};
    }

    private static double[][] gaussian(int count, int length, Random random) {
        double[][] vectors = new double[count][length];
        for (double[] vector : vectors) {
            for (int i = 0; i < length; i++) {
                vector[i] = random.nextGaussian();
            }
        }
        return vectors;
    }

    /** An orthonormal basis of the vectors' span, by Householder QR. */
    private static double[][] orthonormal(double[][] vectors) {
        DMatrixRMaj columns = new DMatrixRMaj(vectors[0].length, vectors.length);
        for (int c = 0; c < vectors.length; c++) {
            for (int i = 0; i < vectors[c].length; i++) {
                columns.unsafe_set(i, c, vectors[c][i]);
            }
        }
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(columns.numRows, columns.numCols);
        // The result says whether R is regular. Dependent vectors, such as the zeros of an operator that causality
        // forbids,
        // are no failure: the columns of Q are orthonormal whatever R is.
        qr.decompose(columns);
        return rows(CommonOps_DDRM.transpose(qr.getQ(null, true), null), vectors.length);
    }

    private static double[][] rows(DMatrixRMaj matrix, int count) {
        double[][] rows = new double[count][matrix.numCols];
        for (int i = 0; i < count; i++) {
            System.arraycopy(matrix.data, i * matrix.numCols, rows[i], 0, matrix.numCols);
        }
        return rows;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double signOf(double[] v) {
        double largest = 0;
        for (double x : v) {
            if (Math.abs(x) > Math.abs(largest)) {
                largest = x;
            }
        }
        return largest < 0 ? -1 : 1;
    }

    /** The SVD of a wide matrix given by its rows, singular values falling; vectors one a row. */
    private static final class Svd {
        final double[] values;
        final double[][] left;
        final double[][] right;

        Svd(double[][] rows) {
            DMatrixRMaj matrix = new DMatrixRMaj(rows);
            SingularValueDecomposition_F64<DMatrixRMaj> svd =
                    DecompositionFactory_DDRM.svd(matrix.numRows, matrix.numCols, true, true, true);
            if (!svd.decompose(matrix)) {
                throw new ArithmeticException("SVD of a " + rows.length + " x " + rows[0].length + " matrix failed");
            }
            int count = Math.min(matrix.numRows, matrix.numCols);
            double[] unsorted = svd.getSingularValues();
            Integer[] order = new Integer[count];
            for (int i = 0; i < count; i++) {
                order[i] = i;
            }
            Arrays.sort(order, (i, j) -> Double.compare(unsorted[j], unsorted[i]));
            double[][] u = rows(CommonOps_DDRM.transpose(svd.getU(null, false), null), count);
            double[][] v = rows(svd.getV(null, true), count);
            values = new double[count];
            left = new double[count][];
            right = new double[count][];
            for (int i = 0; i < count; i++) {
                values[i] = unsorted[order[i]];
                left[i] = u[order[i]];
                right[i] = v[order[i]];
            }
        }
    }
}
