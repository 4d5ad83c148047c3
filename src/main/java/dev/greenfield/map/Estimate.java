package dev.greenfield.map;

/**
 * A norm that is estimated from random directions, with its standard error to first order.
 *
 * @param norm the root of the mean square
 * @param error that of the mean square over twice the norm
 */
record Estimate(double norm, double error) {
    /**
     * What sums over {@code k} directions say.
     *
     * @param squares their sum, not zero
     * @param fourthPowers the sum of the squares' squares
     */
    static Estimate of(double squares, double fourthPowers, int k) {
        double mean = squares / k;
        double norm = Math.sqrt(mean);
        double spread = Math.max(0, fourthPowers - squares * mean);
        return new Estimate(norm, Math.sqrt(spread / (k - 1) / k) / (2 * norm));
    }
}
