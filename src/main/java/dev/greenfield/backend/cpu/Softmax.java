package dev.greenfield.backend.cpu;

/**
 * The softmax of a row of scores. Derivatives make the probabilities of the forward pass again and have the logarithm of their
 * denominator as the offset. The sum is then 1 up to rounding, and is divided out all the same: scores of 10^4 leave a float's
 * logarithm no more than three digits after the point, and P (a - sum of P a) would be left with a thousandth of a.
 */
final class Softmax {
    private Softmax() {}

    /**
     * The first n scores become probabilities.
     *
     * @param row scores
     * @param offset what is taken off them first: their maximum, or anything near or above it
     * @param work of n elements, overwritten
     * @return the sum of exp(score - offset)
     */
    static double of(float[] row, float offset, double[] work, int n) {
        for (int j = 0; j < n; j++) {
            work[j] = row[j] - offset;
        }
        VectorMath.expOfNegative(work, 0, n);
        double sum = 0;
        for (int j = 0; j < n; j++) {
            sum += work[j];
        }
        double inverse = 1 / sum;
        for (int j = 0; j < n; j++) {
            row[j] = (float) (work[j] * inverse);
        }
        return sum;
    }
}
