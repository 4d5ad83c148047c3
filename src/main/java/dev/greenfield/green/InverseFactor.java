package dev.greenfield.green;

/**
 * The inverse of the Cholesky factor of a small symmetric matrix S of inner products: inv(L) with S = L L'. Rows of inv(L), taken as
 * weights, make orthonormal vectors of those whose inner products S holds.
 */
final class InverseFactor {
    /**
     * The least that must be left of a vector's square when the vectors before it are taken out. Rounding of S is about 1e-16 of it; below
     * this less than six digits would be right, and a second pass could not mend that.
     */
    private static final double LEAST = 1e-10;

    private InverseFactor() {}

    /** inv(L), lower triangular with zeros above, [n][n]; null where S is nearly singular, or holds what is no number. */
    static double[][] of(double[][] s) {
        int n = s.length;
        double[][] l = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double rest = s[i][j] - dot(l[i], l[j], j);
                if (j < i) {
                    l[i][j] = rest / l[j][j];
                } else if (rest > LEAST * s[i][i]) {
                    l[i][i] = Math.sqrt(rest);
                } else {
                    return null;
                }
            }
        }
        // Row by row: L inv(L) = I, so row i of the inverse is (unit i - sum over j < i of l_ij times row j) / l_ii.
        double[][] inverse = new double[n][n];
        for (int i = 0; i < n; i++) {
            double[] row = inverse[i];
            row[i] = 1;
            for (int j = 0; j < i; j++) {
                double factor = l[i][j];
                double[] above = inverse[j];
                for (int k = 0; k <= j; k++) {
                    row[k] -= factor * above[k];
                }
            }
            for (int k = 0; k <= i; k++) {
                row[k] /= l[i][i];
            }
        }
        return inverse;
    }

    private static double dot(double[] a, double[] b, int n) {
        double sum0 = 0;
        double sum1 = 0;
        int k = 0;
        for (; k < n - 1; k += 2) {
            sum0 += a[k] * b[k];
            sum1 += a[k + 1] * b[k + 1];
        }
        return k < n ? sum0 + sum1 + a[k] * b[k] : sum0 + sum1;
    }
}
