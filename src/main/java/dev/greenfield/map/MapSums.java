package dev.greenfield.map;

import dev.greenfield.engine.Batches;
import dev.greenfield.lattice.Site;
import java.nio.file.Path;

/**
 * What a {@link MapSweep} finds, on its way into compact storage. Batches come in the order of their columns: a site whose columns are all
 * there goes into the map, as the norms that its sums say; of a site that is cut in two by a batch's end the sums wait.
 */
final class MapSums {
    private final MapLayout layout;
    private final MapPairs pairs;
    private final Directions directions;
    private final PairValues norms;
    private final PairValues errors; // null for an exact map
    private final ProjectionSums projections; // null when nothing is read
    private MapBlock waiting; // the site whose columns are not all there; null when there is none

    /**
     * @param pairs that the map holds
     * @param wide whether numbers are kept in float64
     * @param overflow the directory of a file for them; null where the heap has room
     */
    MapSums(
            MapLayout layout,
            MapPairs pairs,
            Directions directions,
            MapReadings readings,
            boolean wide,
            Path overflow) {
        this.layout = layout;
        this.pairs = pairs;
        this.directions = directions;
        this.norms = new PairValues("the map", pairs.count(), wide, overflow);
        this.errors = directions.exact() ? null : new PairValues("the map", pairs.count(), wide, overflow);
        this.projections =
                readings.count() == 0 ? null : new ProjectionSums(layout, pairs, directions, readings, wide, overflow);
    }

    /** Bytes that the numbers of a map take. */
    static long bytes(MapLayout layout, MapPairs pairs, Directions directions, MapReadings readings, boolean wide) {
        long norms = PairValues.bytes(pairs.count(), wide) * (directions.exact() ? 1 : 2);
        return norms + (readings.count() == 0 ? 0 : ProjectionSums.bytes(layout, pairs, directions, wide));
    }

    /** Adds what a batch found. */
    void add(Batches.Range range, MapBlocks found) {
        for (MapBlock block : found.all()) {
            int site = block.number();
            boolean begins = layout.firstColumn(site) >= range.from();
            boolean ends = layout.firstColumn(site + 1) <= range.to();
            MapBlock whole = block;
            if (!begins || !ends) {
                if (begins) {
                    waiting = MapBlocks.zeros(layout, site);
                }
                waiting.add(block);
                whole = waiting;
            }
            if (ends) {
                take(whole);
                waiting = null;
            }
        }
    }

    private void take(MapBlock block) {
        if (layout.forward()) {
            long start = pairs.start(pairs.source(block.site()));
            for (int at = 0; at < block.reached(); at++) {
                take(block, at, start + at);
            }
            if (projections != null) {
                projections.climbed(block);
            }
            return;
        }
        Site target = block.site();
        int mine = layout.level(target);
        block.forEachReached((level, token, at) ->
                take(block, at, pairs.at(pairs.source(level, token), level, token, mine, target.token())));
        if (projections != null) {
            projections.descended(block);
        }
    }

    /** The norm that sums of squares and of their squares say, and its standard error to first order. */
    private void take(MapBlock block, int at, long pair) {
        double sum = block.squaredNorm(at);
        if (directions.exact()) {
            norms.set(pair, Math.sqrt(sum));
        } else if (sum != 0) {
            Estimate estimate = Estimate.of(sum, block.fourthPower(at), directions.probes());
            norms.set(pair, estimate.norm());
            errors.set(pair, estimate.error());
        }
    }

    /** The map; nothing can be added any more. */
    ResponseMap finish() {
        double[] identity = pairs.sources().stream()
                .mapToDouble(source -> Math.sqrt(directions.identity(source)))
                .toArray();
        return new ResponseMap(pairs, identity, norms, errors, projections);
    }
}
