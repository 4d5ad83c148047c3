package dev.greenfield.backend.cpu;

/**
 * The soft cap of scores, c tanh(s / c), with its first and second derivatives. They are made of e = exp(-2 |s| / c), which keeps
 * its digits where the tanh nears 1.
 */
final class SoftCap {
    private SoftCap() {}

    /**
     * Scores from (inclusive) to (exclusive) become capped ones.
     *
     * @param row scores s
     * @param slope receives 1 - tanh(s / c)^2; null when it is not wanted
     * @param bend receives -2 tanh(s / c) (1 - tanh(s / c)^2) / c; null when it is not wanted
     * @param work of {@code to} elements, overwritten
     * @param cap c
     */
    static void apply(float[] row, float[] slope, float[] bend, double[] work, double cap, int from, int to) {
        for (int j = from; j < to; j++) {
            work[j] = -2 * Math.abs(row[j]) / cap;
        }
        VectorMath.expOfNegative(work, from, to);
        for (int j = from; j < to; j++) {
            double sum = 1 + work[j];
            double tanh = Math.copySign((1 - work[j]) / sum, row[j]);
            double rest = 4 * work[j] / (sum * sum);
            row[j] = (float) (cap * tanh);
            if (slope != null) {
                slope[j] = (float) rest;
            }
            if (bend != null) {
                bend[j] = (float) (-2 * tanh * rest / cap);
            }
        }
    }
}
