package dev.greenfield.green;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.List;

/**
 * The leading singular values of the Green operators between whole levels: for every pair of levels those of the operator from all
 * source sites of the one to all target sites of the other, [n D] to [m D].
 *
 * <p>Levels are depths 0 to L, or with half depths 0, 1/2, 1 to L. From a level to itself G is the identity, and to a lower one it is
 * zero; these are not computed.
 */
public final class DepthSpectra {
    private final int levels;
    private final int rank;
    private final double[] values; // [levels, levels, rank]

    /**
     * Computes them pair by pair.
     *
     * @param sources per level the source sites there, maybe none
     * @param targets per level the target sites there, maybe none
     * @param rank k, how many singular values of each pair
     */
    public DepthSpectra(Scope scope, List<List<Site>> sources, List<List<Site>> targets, int rank, long seed) {
        int most = most(scope, sources, targets);
        if (rank < 1 || rank > most) {
            throw new InputException("spectra of rank " + rank + ": expected 1 to " + most
                    + ", the smaller side of the smallest operator between two levels");
        }
        this.levels = sources.size();
        this.rank = rank;
        this.values = HostMemory.doubles("the spectra", levels, levels, rank);
        for (int from = 0; from < levels; from++) {
            for (int to = 0; to < levels; to++) {
                int at = (from * levels + to) * rank;
                List<Site> in = sources.get(from);
                List<Site> out = targets.get(to);
                if (in.isEmpty() || out.isEmpty()) {
                    Arrays.fill(values, at, at + rank, Double.NaN);
                } else if (from == to) {
                    long ones = in.stream().filter(out::contains).count()
                            * scope.config().width();
                    Arrays.fill(values, at, at + (int) Math.min(rank, ones), 1);
                } else if (from < to) {
                    GreenOperator green = new GreenOperator(scope, in, out);
                    System.arraycopy(RandomizedSvd.values(green, rank, seed), 0, values, at, rank);
                }
            }
        }
    }

    /** The largest rank that every pair has. */
    public static int most(Scope scope, List<List<Site>> sources, List<List<Site>> targets) {
        return Math.min(fewest(sources), fewest(targets)) * scope.config().width();
    }

    private static int fewest(List<List<Site>> sites) {
        return sites.stream().mapToInt(List::size).filter(n -> n > 0).min().orElseThrow();
    }

    /** Number of levels: L + 1, or 2 L + 1 with half depths. */
    public int levels() {
        return levels;
    }

    /** Number of singular values of each pair, k. */
    public int rank() {
        return rank;
    }

    /** The leading singular values from one level to another, [k], falling; NaN where there are no such sites in the map. */
    public double[] from(int sourceLevel, int targetLevel) {
        if (sourceLevel < 0 || sourceLevel >= levels || targetLevel < 0 || targetLevel >= levels) {
            throw new InputException(
                    "levels " + sourceLevel + " and " + targetLevel + ": expected 0 to " + (levels - 1));
        }
        int at = (sourceLevel * levels + targetLevel) * rank;
        return Arrays.copyOfRange(values, at, at + rank);
    }

    /** All of them, [levels, levels, k] in the order source level, target level, number. */
    public double[] all() {
        return values.clone();
    }
}
