package dev.greenfield.map;

import dev.greenfield.lattice.Site;
import dev.greenfield.response.SiteVectors;
import java.nio.file.Path;

/**
 * What a map reads of the vectors at targets: per source a line of all vectors that it reaches. Of given directions each has a line of
 * its own, of signed inner products; otherwise a source has one line, of norms |v'G|. At the source itself G is the identity, and what
 * is read there is known.
 */
final class ProjectionSums {
    private final MapLayout layout;
    private final MapPairs lines;
    private final MapReadings readings;
    private final Directions directions;
    private final PairValues values;
    private final PairValues errors; // null where values are exact

    ProjectionSums(
            MapLayout layout,
            MapPairs pairs,
            Directions directions,
            MapReadings readings,
            boolean wide,
            Path overflow) {
        this.layout = layout;
        this.lines = lines(layout, pairs, directions);
        this.readings = readings;
        this.directions = directions;
        this.values = new PairValues("the projections", lines.count(), wide, overflow);
        this.errors =
                exact(layout, directions) ? null : new PairValues("the projections", lines.count(), wide, overflow);
    }

    /** Bytes that the numbers take. */
    static long bytes(MapLayout layout, MapPairs pairs, Directions directions, boolean wide) {
        long values = PairValues.bytes(lines(layout, pairs, directions).count(), wide);
        return exact(layout, directions) ? values : 2 * values;
    }

    private static MapPairs lines(MapLayout layout, MapPairs pairs, Directions directions) {
        return pairs.of(layout.vectorCone(), source -> directions.given() ? directions.count(source) : 1);
    }

    private static boolean exact(MapLayout layout, Directions directions) {
        return directions.exact() || !layout.forward();
    }

    /** Takes the sums of all tangents of a source. */
    void climbed(MapBlock found) {
        int length = lines.length(found.site());
        long start = lines.start(lines.source(found.site()));
        if (directions.given()) {
            for (int d = 0; d < directions.count(found.site()); d++) {
                for (int v = 0; v < length; v++) {
                    values.set(start + (long) d * length + v, found.climbed(d, v));
                }
            }
            return;
        }
        for (int v = 0; v < length; v++) {
            double sum = found.climbed(MapBlock.SQUARES, v);
            if (errors == null) {
                values.set(start + v, Math.sqrt(sum));
            } else if (sum != 0) {
                Estimate estimate = Estimate.of(sum, found.climbed(MapBlock.FOURTH_POWERS, v), directions.probes());
                values.set(start + v, estimate.norm());
                errors.set(start + v, estimate.error());
            }
        }
    }

    /** Takes the squared norms that the cotangents of a target's vectors have at all sources. */
    void descended(MapBlock found) {
        Site target = found.site();
        if (readings.count(target) == 0) {
            return;
        }
        int mine = layout.level(target);
        found.forEachReached((level, token, at) -> {
            long first = lines.at(lines.source(level, token), level, token, mine, target.token());
            for (int i = 0; i < readings.count(target); i++) {
                values.set(first + i, Math.sqrt(found.descended(i, at)));
            }
        });
    }

    MapReadings readings() {
        return readings;
    }

    /** Whether numbers are exact rather than estimated. */
    boolean exact() {
        return errors == null;
    }

    /** How many random directions numbers are estimated from. */
    int probes() {
        return directions.probes();
    }

    boolean signed() {
        return directions.given();
    }

    boolean has(Site source) {
        return lines.source(source) >= 0;
    }

    /** Number of given directions of a source. */
    int directions(Site source) {
        return directions.count(source);
    }

    /** The signed inner product of a target's vector, by its number there, with the response to a given direction. */
    double signed(Site source, int direction, Site target, int number) {
        if (source.equals(target)) {
            return SiteVectors.dot(readings.of(source, number), directions.of(source, direction));
        }
        long first = at(source, target);
        return first < 0 ? 0 : values.get(first + number + (long) direction * lines.length(source));
    }

    /** The norm over the directions. */
    double norm(Site source, Site target, int number) {
        if (signed()) {
            double sum = 0;
            for (int d = 0; d < directions.count(source); d++) {
                double one = signed(source, d, target, number);
                sum += one * one;
            }
            return Math.sqrt(sum);
        }
        if (source.equals(target)) {
            double[] vector = readings.of(source, number);
            return Math.sqrt(SiteVectors.dot(vector, vector));
        }
        long first = at(source, target);
        return first < 0 ? 0 : values.get(first + number);
    }

    /** Standard error of {@link #norm}. */
    double error(Site source, Site target, int number) {
        long first = errors == null || source.equals(target) ? -1 : at(source, target);
        return first < 0 ? 0 : errors.get(first + number);
    }

    /** Where the vectors of a target stand in the first line of a source; -1 where it does not reach them. */
    private long at(Site source, Site target) {
        return lines.at(lines.source(source), lines.level(source), source.token(), lines.level(target), target.token());
    }
}
