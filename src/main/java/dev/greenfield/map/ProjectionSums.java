package dev.greenfield.map;

import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SiteVectors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * What is read of the vectors at targets, summed over all batches: per source a line of all vectors, in the order of {@link
 * MapReadings}. Of given directions each has a line of its own, of signed inner products; otherwise a source has one line, of squares
 * |v'G|^2.
 */
final class ProjectionSums {
    private final MapReadings readings;
    private final Directions directions;
    private final Map<Site, Integer> firstLine = new HashMap<>();
    private final double[] values; // [lines, vectors]
    private final double[] powers; // likewise: sums of fourth powers, then standard errors; null where values are exact

    ProjectionSums(List<Site> sources, Directions directions, MapReadings readings, boolean forward) {
        this.readings = readings;
        this.directions = directions;
        int lines = 0;
        for (Site source : sources) {
            firstLine.put(source, lines);
            lines = Math.addExact(lines, directions.given() ? directions.count(source) : 1);
        }
        long length = (long) lines * readings.count();
        if (length > Integer.MAX_VALUE - 8) {
            throw new MemoryBudgetException("projections of " + lines + " sources or directions on " + readings.count()
                    + " vectors are " + length + " numbers, one array holds " + (Integer.MAX_VALUE - 8)
                    + ": use fewer vectors, sources or targets");
        }
        this.values = new double[(int) length];
        this.powers = directions.exact() || !forward ? null : new double[values.length];
    }

    /** Adds the lines that a batch of tangents found of a source. */
    void climbed(MapBlock found) {
        int lines = directions.given() ? directions.count(found.site()) : 1;
        for (int line = 0; line < lines; line++) {
            int at = (firstLine.get(found.site()) + line) * readings.count();
            for (int v = 0; v < readings.count(); v++) {
                values[at + v] += found.climbed(line, v);
                if (powers != null) {
                    powers[at + v] += found.climbed(MapBlock.FOURTH_POWERS, v);
                }
            }
        }
    }

    /** Adds the squared norms that a batch of cotangents found of a target's vectors, each at all places. */
    void descended(MapBlock found, ToIntFunction<Site> place) {
        Site target = found.site();
        for (int i = 0; i < readings.count(target); i++) {
            int vector = readings.first(target) + i;
            for (Map.Entry<Site, Integer> source : firstLine.entrySet()) {
                values[source.getValue() * readings.count() + vector] +=
                        found.descended(i, place.applyAsInt(source.getKey()));
            }
        }
    }

    /** Turns sums over probes into means and their errors, and sets what is known: G is the identity at the source. */
    void finish() {
        if (powers != null) {
            int k = directions.probes();
            for (int i = 0; i < values.length; i++) {
                double sum = values[i];
                values[i] = sum / k;
                powers[i] = Math.sqrt(Math.max(0, powers[i] - sum * values[i]) / (k - 1) / k);
            }
        }
        firstLine.forEach((source, line) -> {
            for (int i = 0; i < readings.count(source); i++) {
                double[] vector = readings.of(source, i);
                int at = line * readings.count() + readings.first(source) + i;
                if (directions.given()) {
                    for (int d = 0; d < directions.count(source); d++) {
                        values[at + d * readings.count()] = SiteVectors.dot(vector, directions.of(source, d));
                    }
                } else {
                    values[at] = SiteVectors.dot(vector, vector);
                    if (powers != null) {
                        powers[at] = 0;
                    }
                }
            }
        });
    }

    MapReadings readings() {
        return readings;
    }

    /** Whether numbers are exact rather than estimated. */
    boolean exact() {
        return powers == null;
    }

    /** How many random directions numbers are estimated from. */
    int probes() {
        return directions.probes();
    }

    boolean signed() {
        return directions.given();
    }

    boolean has(Site source) {
        return firstLine.containsKey(source);
    }

    /** Number of given directions of a source. */
    int directions(Site source) {
        return directions.count(source);
    }

    /** The signed inner product of a vector, by its number among all, with the response to a given direction. */
    double signed(Site source, int direction, int vector) {
        return values[(firstLine.get(source) + direction) * readings.count() + vector];
    }

    /** The squared norm over the directions. */
    double square(Site source, int vector) {
        if (!signed()) {
            return values[firstLine.get(source) * readings.count() + vector];
        }
        double sum = 0;
        for (int d = 0; d < directions.count(source); d++) {
            double one = signed(source, d, vector);
            sum += one * one;
        }
        return sum;
    }

    /** Standard error of {@link #square}. */
    double error(Site source, int vector) {
        return powers == null ? 0 : powers[firstLine.get(source) * readings.count() + vector];
    }
}
