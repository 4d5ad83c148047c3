package dev.greenfield.green;

/**
 * The leading part U S V' of an operator.
 *
 * @param u left singular vectors, row-major [m D, k]
 * @param s singular values, [k], falling
 * @param v right singular vectors, row-major [n D, k]; the largest component of each is positive
 * @param energy captured fraction of the squared Frobenius norm, the sum of s^2 over the whole
 * @param energyError one standard error of {@code energy}; 0 when the whole was summed exactly
 * @param squaredFrobenius the whole squared Frobenius norm that {@code energy} is a fraction of
 */
public record LowRank(double[] u, double[] s, double[] v, double energy, double energyError, double squaredFrobenius) {
    /** Number of singular values k. */
    public int rank() {
        return s.length;
    }

    /** Captured fraction of the squared Frobenius norm by the first 1, 2, ..., k singular values. */
    public double[] energyCurve() {
        double[] curve = new double[s.length];
        double sum = 0;
        for (int i = 0; i < s.length; i++) {
            sum += s[i] * s[i];
            curve[i] = squaredFrobenius == 0 ? 1 : sum / squaredFrobenius;
        }
        return curve;
    }
}
