package dev.greenfield.transfer;

import dev.greenfield.failure.Task;
import dev.greenfield.statistics.PairMoments;
import dev.greenfield.statistics.PermutationTest;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import dev.greenfield.statistics.RankCorrelation;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.ArraySampler;
import org.apache.commons.statistics.ranking.NaturalRanking;

/**
 * How two sets of values over the same levels and cells agree in rank (Spearman's correlation), beside two controls, and in size. Levels are aligned
 * depths, or pairs of them; cells are tokens, or pairs of them.
 *
 * @param rho over all levels and cells; NaN where one side is constant or there are fewer than two values
 * @param within mean over levels of the correlation over each level's cells, to which differences between depths add nothing
 * @param shuffled mean of rho with the second values in random order over all levels and cells
 * @param shifted mean of rho with the second values' levels shifted cyclically by 1, 2, ...: the same tokens at other depths
 * @param rSquared of the values themselves, all levels and cells, against the line where the second's are the first's
 * @param slope of the second's over the first's
 * @param missed the share missed, |second - first| / |second|; these three as {@link PairMoments} has them
 * @param p of the agreement within levels, by permutation of each level's cells: what differs between depths does not make it small
 */
public record RankAgreement(
        double rho,
        double within,
        double shuffled,
        double shifted,
        double rSquared,
        double slope,
        double missed,
        double p) {
    private static final int SHUFFLES = 20;

    /**
     * Of values [levels][cells], which must have one shape.
     *
     * @param seed of the shuffles
     */
    public static RankAgreement of(double[][] a, double[][] b, long seed) {
        return Task.call("agreement", "rank correlations", SHUFFLES + a.length, task -> of(a, b, seed, task));
    }

    private static RankAgreement of(double[][] a, double[][] b, long seed, Task task) {
        double[] first = flat(a);
        double[] second = flat(b);
        UniformRandomProvider random = RandomStreams.of(seed, Purpose.VALUE_ORDER);
        double[] order = second.clone();
        double shuffled = IntStream.range(0, SHUFFLES)
                .mapToDouble(i -> {
                    task.to(i);
                    return RankCorrelation.spearman(first, ArraySampler.shuffle(random, order));
                })
                .average()
                .orElseThrow();
        double shifted = IntStream.range(1, a.length)
                .mapToDouble(shift -> {
                    task.to(SHUFFLES + shift);
                    return RankCorrelation.spearman(first, flat(shifted(b, shift)));
                })
                .average()
                .orElse(Double.NaN);
        double within = IntStream.range(0, a.length)
                .mapToDouble(level -> RankCorrelation.spearman(a[level], b[level]))
                .filter(r -> !Double.isNaN(r))
                .average()
                .orElse(Double.NaN);
        PairMoments sizes = PairMoments.of(first, second);
        return new RankAgreement(
                RankCorrelation.spearman(first, second),
                within,
                shuffled,
                shifted,
                sizes.rSquared(),
                sizes.slope(),
                sizes.relativeError(),
                p(a, b, seed));
    }

    private static double p(double[][] a, double[][] b, long seed) {
        NaturalRanking ranking = new NaturalRanking();
        return PermutationTest.within(
                Arrays.stream(a).map(ranking).toList(),
                Arrays.stream(b).map(ranking).toList(),
                seed);
    }

    /**
     * Of two sensitivities |S| on a grid of depths [G+1][T], below the last depth, where F sees one token, and up to F's token.
     */
    public static RankAgreement ofSensitivities(double[][] a, double[][] b, int position, long seed) {
        return of(below(a, position), below(b, position), seed);
    }

    /**
     * Of two response maps on a grid of depths [G+1, T, G+1, T]: pairs of sites with the target at a later depth and not at an earlier
     * token. A level is a pair of depths.
     */
    public static RankAgreement ofMaps(double[] a, double[] b, int steps, int tokens, long seed) {
        return of(pairs(a, steps, tokens), pairs(b, steps, tokens), seed);
    }

    private static double[][] below(double[][] values, int position) {
        return Arrays.stream(values, 0, values.length - 1)
                .map(row -> Arrays.copyOf(row, position + 1))
                .toArray(double[][]::new);
    }

    private static double[][] pairs(double[] map, int steps, int tokens) {
        int row = (steps + 1) * tokens;
        double[][] levels = new double[steps * (steps + 1) / 2][tokens * (tokens + 1) / 2];
        int level = 0;
        for (int l = 0; l < steps; l++) {
            for (int m = l + 1; m <= steps; m++) {
                int cell = 0;
                for (int s = 0; s < tokens; s++) {
                    for (int t = s; t < tokens; t++) {
                        levels[level][cell++] = map[(l * tokens + s) * row + m * tokens + t];
                    }
                }
                level++;
            }
        }
        return levels;
    }

    private static double[][] shifted(double[][] values, int shift) {
        double[][] moved = new double[values.length][];
        for (int i = 0; i < values.length; i++) {
            moved[i] = values[(i + shift) % values.length];
        }
        return moved;
    }

    private static double[] flat(double[][] values) {
        return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
    }
}
