package dev.greenfield.green;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
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
    private final List<int[]> unsettled = new ArrayList<>();

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
        Task.run("spectra", "pairs of levels", (double) levels * levels, task -> {
            for (int from = 0; from < levels; from++) {
                for (int to = 0; to < levels; to++) {
                    List<Site> in = sources.get(from);
                    List<Site> out = targets.get(to);
                    boolean above = from < to;
                    RandomizedSvd.Values found = task.call(1, () -> pair(scope, in, out, above, seed));
                    System.arraycopy(found.values(), 0, values, (from * levels + to) * rank, rank);
                    if (!found.settled()) {
                        unsettled.add(new int[] {from, to});
                    }
                }
            }
        });
    }

    /** The leading singular values from a level to one above it, or to itself and those below. */
    private RandomizedSvd.Values pair(Scope scope, List<Site> in, List<Site> out, boolean above, long seed) {
        double[] found = new double[rank];
        if (in.isEmpty() || out.isEmpty()) {
            Arrays.fill(found, Double.NaN);
        } else if (above) {
            return RandomizedSvd.values(new GreenOperator(scope, in, out).forManyImages(), rank, seed);
        } else {
            // Sites that are both, so none at a lower level: there G is the identity.
            long ones =
                    in.stream().filter(out::contains).count() * scope.config().width();
            Arrays.fill(found, 0, (int) Math.min(rank, ones), 1);
        }
        return new RandomizedSvd.Values(found, true);
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

    /** The pairs of source and target level whose singular values had not stood still when the search ended: lower bounds, mostly none. */
    public List<int[]> unsettled() {
        return unsettled.stream().map(int[]::clone).toList();
    }

    /** All of them, [levels, levels, k] in the order source level, target level, number. */
    public double[] all() {
        return values.clone();
    }
}
