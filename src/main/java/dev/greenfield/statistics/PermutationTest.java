package dev.greenfield.statistics;

import dev.greenfield.failure.Cancellation;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Two-sided permutation tests of correlation (Phipson and Smyth, Permutation p-values should never be zero, 2010): the part of random
 * pairings, the one that was found among them, whose covariance is at least as large as that of the pairs as they are. Numbers that
 * stand beside each other in space, as sites do, are not exchangeable: read a small value as "more than chance pairs of these numbers
 * give", not as evidence about other prompts, which intervals over prompts are for.
 */
public final class PermutationTest {
    /** How many permutations: the least p-value is 1 / 200. */
    public static final int PERMUTATIONS = 199;

    /** What rounding may make of equal sums. */
    private static final double EQUAL = 1 - 1e-12;

    private PermutationTest() {}

    /**
     * Of pairs of numbers, Pearson's correlation; Spearman's where both are ranks.
     *
     * @return NaN for fewer than two pairs, or where either number is the same in all of them
     */
    public static double p(double[] a, double[] b, long seed) {
        return within(List.of(a), List.of(b), seed);
    }

    /**
     * Of groups of pairs, permuted within each group: whether the numbers belong together there, whatever differs between groups.
     *
     * @param a per group [n]
     * @param b per group as many
     * @throws dev.greenfield.failure.CancelledException if it is cancelled or interrupted between two permutations
     */
    public static double within(List<double[]> a, List<double[]> b, long seed) {
        List<double[]> first = a.stream().map(PermutationTest::centred).toList();
        List<double[]> second = b.stream().map(PermutationTest::centred).toList();
        boolean defined = false;
        double found = 0;
        for (int g = 0; g < first.size(); g++) {
            found += product(first.get(g), second.get(g));
            defined |= varies(first.get(g)) && varies(second.get(g));
        }
        if (!defined) {
            return Double.NaN;
        }
        UniformRandomProvider random = RandomStreams.of(seed, Purpose.PERMUTATIONS);
        int asLarge = 1;
        for (int i = 0; i < PERMUTATIONS; i++) {
            Cancellation.check();
            double sum = 0;
            for (int g = 0; g < first.size(); g++) {
                shuffle(second.get(g), random);
                sum += product(first.get(g), second.get(g));
            }
            asLarge += Math.abs(sum) >= Math.abs(found) * EQUAL ? 1 : 0;
        }
        return asLarge / (PERMUTATIONS + 1.0);
    }

    private static double[] centred(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        double[] centred = values.clone();
        for (int i = 0; i < centred.length; i++) {
            centred[i] -= sum / centred.length;
        }
        return centred;
    }

    private static boolean varies(double[] values) {
        for (double value : values) {
            if (value != values[0]) {
                return true;
            }
        }
        return false;
    }

    private static double product(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void shuffle(double[] values, UniformRandomProvider random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            double kept = values[i];
            values[i] = values[j];
            values[j] = kept;
        }
    }
}
