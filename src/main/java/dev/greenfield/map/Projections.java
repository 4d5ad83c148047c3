package dev.greenfield.map;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import dev.greenfield.statistics.Estimate;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.apache.commons.statistics.distribution.ChiSquaredDistribution;

/**
 * Responses seen along vectors at the targets: for a source, a target and one of the target's vectors v, the row v'G of the Green
 * operator from the one to the other.
 *
 * <p>Of given directions u the signed numbers v.G u are kept, and the norm is that over the source's directions, |v'G B'| with the
 * directions as the rows of B. Otherwise it is |v'G|, the most that a source of unit length changes v.R at the target: exact where
 * cotangents or all unit vectors were pushed, estimated where random tangents were, with a standard error.
 */
public final class Projections {
    private final ProjectionSums sums;
    private final boolean gain;
    private final List<Site> places; // the map's sites in its order

    Projections(ProjectionSums sums, boolean gain, List<Site> places) {
        this.sums = sums;
        this.gain = gain;
        this.places = places;
    }

    /** Whether every number is exact rather than estimated. */
    public boolean exact() {
        return sums.exact();
    }

    /** How many vectors a target has; 0 where there are none. */
    public int vectors(Site target) {
        int asked = sums.readings().projections(target);
        return gain ? sums.readings().count(target) - asked : asked;
    }

    /**
     * The inner product v.G u of a target's vector with the response to a source's given direction.
     *
     * @param direction number of the direction among those of the source, from 0
     * @param vector number of the vector among those of the target, from 0
     * @throws InputException when no directions were given, or there is no such site, direction or vector
     */
    public double signed(Site source, int direction, Site target, int vector) {
        if (!sums.signed()) {
            throw new InputException("signed projections need given directions: found a map of "
                    + (exact() ? "all" : "random") + " ones, use norm, or give directions");
        }
        int number = number(source, target, vector);
        if (direction < 0 || direction >= sums.directions(source)) {
            throw new InputException("direction " + direction + " of source " + source + ": expected 0 to "
                    + (sums.directions(source) - 1));
        }
        return sums.signed(source, direction, target, number);
    }

    /**
     * |v'G|, or over given directions |v'G B'|.
     *
     * @param vector number of the vector among those of the target, from 0
     * @throws InputException when there is no such site or vector
     */
    public double norm(Site source, Site target, int vector) {
        return sums.norm(source, target, number(source, target, vector));
    }

    /**
     * The standard error of {@link #norm(Site, Site, int)}, to first order; 0 where that is exact. Of few probes norms and their errors
     * are small together, so that twice the error to both sides holds the truth less often than 95 %: 84 % at 8 probes, 89 % at 16, 94 % at
     * 64. {@link #interval} does not have that fault.
     */
    public double standardError(Site source, Site target, int vector) {
        return sums.error(source, target, number(source, target, vector));
    }

    /**
     * An interval for {@link #norm(Site, Site, int)}. With z a random direction v.G z is a sum of many independent numbers, nearly normal, and
     * the sum of its squares over k directions nearly |v'G|^2 times a chi-squared number of k degrees of freedom.
     *
     * @param confidence coverage, such as 0.95
     * @return from the norm to the norm where that is exact
     */
    public Estimate interval(Site source, Site target, int vector, double confidence) {
        double norm = norm(source, target, vector);
        if (standardError(source, target, vector) == 0) {
            return new Estimate(norm, norm, norm);
        }
        int k = sums.probes();
        ChiSquaredDistribution squares = ChiSquaredDistribution.of(k);
        double most = squares.inverseCumulativeProbability((1 + confidence) / 2);
        double least = squares.inverseCumulativeProbability((1 - confidence) / 2);
        return new Estimate(norm, norm * Math.sqrt(k / most), norm * Math.sqrt(k / least));
    }

    /** A vector's number among all of its target. */
    private int number(Site source, Site target, int vector) {
        if (!sums.has(source)) {
            throw new InputException("site " + source + " is not a source of this map");
        }
        if (vector < 0 || vector >= vectors(target)) {
            throw new InputException("vector " + vector + " at target " + target + ": it has "
                    + (vectors(target) == 0 ? "none" : "0 to " + (vectors(target) - 1)));
        }
        return (gain ? sums.readings().projections(target) : 0) + vector;
    }

    /**
     * The norms of one vector of each target for a source, [levels, T] in the map's order; NaN where there is none, or at all targets of a
     * site that is no source.
     */
    public double[] norms(Site source, int vector) {
        return row(source, vector, target -> norm(source, target, vector));
    }

    /** The standard errors of {@link #norms(Site, int)}, in its order. */
    public double[] standardErrors(Site source, int vector) {
        return row(source, vector, target -> standardError(source, target, vector));
    }

    /** The lower ends of the {@linkplain #interval intervals}, in the order of {@link #norms(Site, int)}. */
    public double[] lows(Site source, int vector, double confidence) {
        return row(
                source,
                vector,
                target -> interval(source, target, vector, confidence).low());
    }

    /** The upper ends likewise. */
    public double[] highs(Site source, int vector, double confidence) {
        return row(
                source,
                vector,
                target -> interval(source, target, vector, confidence).high());
    }

    private double[] row(Site source, int vector, ToDoubleFunction<Site> number) {
        double[] row = new double[places.size()];
        boolean known = sums.has(source) && vector >= 0;
        for (int i = 0; i < row.length; i++) {
            Site target = places.get(i);
            row[i] = known && vector < vectors(target) ? number.applyAsDouble(target) : Double.NaN;
        }
        return row;
    }

    /**
     * All norms of one vector of each target, [levels, T, levels, T] in the map's order; NaN where there is none.
     *
     * @throws MemoryBudgetException if no array is so long, or the heap has no room for it
     */
    public double[] norms(int vector) {
        return all(source -> norms(source, vector));
    }

    /** All standard errors of {@link #norms(int)}, in its order. */
    public double[] standardErrors(int vector) {
        return all(source -> standardErrors(source, vector));
    }

    /** The lower ends of all {@linkplain #interval intervals}, in the order of {@link #norms(int)}. */
    public double[] lows(int vector, double confidence) {
        return all(source -> lows(source, vector, confidence));
    }

    /** The upper ends likewise. */
    public double[] highs(int vector, double confidence) {
        return all(source -> highs(source, vector, confidence));
    }

    private double[] all(Function<Site, double[]> row) {
        return PairValues.dense("the projections", places, row);
    }
}
