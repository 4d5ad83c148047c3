package dev.greenfield.backend.cpu;

import java.util.Arrays;

/**
 * The softmax of a row of scores. Derivatives make the probabilities of the forward pass again and have the logarithm of their
 * denominator as the offset. The sum is then 1 up to rounding, and is divided out all the same: scores of 10^4 leave a float's
 * logarithm no more than three digits after the point, and P (a - sum of P a) would be left with a thousandth of a.
 */
final class Softmax {
    private Softmax() {}

    /**
     * The first n scores become probabilities, those before {@code first} zero.
     *
     * @param row scores
     * @param offset what is taken off them first: their maximum, or anything near or above it
     * @param work of n elements, overwritten
     * @param first of the scores that count
     * @return the sum of exp(score - offset)
     */
    static double of(float[] row, float offset, double[] work, int first, int n) {
        for (int j = first; j < n; j++) {
            work[j] = row[j] - offset;
        }
        VectorMath.expOfNegative(work, first, n);
        Arrays.fill(row, 0, first, 0);
        double sum = 0;
        for (int j = first; j < n; j++) {
            sum += work[j];
        }
        double inverse = 1 / sum;
        for (int j = first; j < n; j++) {
            row[j] = (float) (work[j] * inverse);
        }
        return sum;
    }
}
