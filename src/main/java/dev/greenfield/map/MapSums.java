package dev.greenfield.map;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.lattice.Site;
import java.util.List;
import java.util.function.ToIntFunction;

/** What a {@link MapSweep} finds, summed over all batches: over all directions, [places, places], and of vectors at targets. */
final class MapSums {
    private final MapLayout layout;
    private final List<Site> sources;
    private final List<Site> targets;
    private final Directions directions;
    private final ToIntFunction<Site> place;
    private final int places;
    private final double[] sum;
    private final double[] sumOfSquares;
    private final ProjectionSums projections; // null when nothing is read

    /**
     * @param place number of a site among all sites of the map
     * @param places how many those are
     */
    MapSums(
            MapLayout layout,
            List<Site> sources,
            List<Site> targets,
            Directions directions,
            MapReadings readings,
            ToIntFunction<Site> place,
            int places) {
        this.layout = layout;
        this.sources = sources;
        this.targets = targets;
        this.directions = directions;
        this.place = place;
        this.places = places;
        int pairs = HostMemory.elements("the map", places, places);
        // With the copies that are made of it to be written, all at once.
        HostMemory.require("the map of " + places + " sites", 8L * pairs * (directions.exact() ? 2 : 4));
        this.sum = new double[pairs];
        this.sumOfSquares = new double[directions.exact() ? 0 : pairs];
        this.projections =
                readings.count() == 0 ? null : new ProjectionSums(sources, directions, readings, layout.forward());
    }

    /** Adds what a batch found. */
    void add(MapBlocks found) {
        for (MapBlock block : found.all()) {
            int mine = place.applyAsInt(block.site());
            for (int other = 0; other < places; other++) {
                int at = layout.forward() ? mine * places + other : other * places + mine;
                sum[at] += block.squaredNorm(other);
                if (!directions.exact()) {
                    sumOfSquares[at] += block.fourthPower(other);
                }
            }
            if (projections != null && layout.forward()) {
                projections.climbed(block);
            } else if (projections != null) {
                projections.descended(block, place);
            }
        }
    }

    /** The map; nothing can be added any more. */
    ResponseMap finish(int layers, int tokens, boolean halfDepths) {
        boolean[] source = marked(sources);
        boolean[] target = marked(targets);
        double[] identity = new double[places];
        sources.forEach(site -> identity[place.applyAsInt(site)] = directions.identity(site));
        int k = directions.probes();
        // The sums become the means and their errors in place: maps may fill much of the memory.
        double[] squares = sum;
        double[] errors = directions.exact() ? null : sumOfSquares;
        for (int s = 0; s < places; s++) {
            for (int t = 0; t < places; t++) {
                int at = s * places + t;
                if (!source[s] || !target[t]) {
                    squares[at] = Double.NaN;
                    if (errors != null) {
                        errors[at] = Double.NaN;
                    }
                } else if (s == t) {
                    squares[at] = identity[s];
                    if (errors != null) {
                        errors[at] = 0;
                    }
                } else if (errors != null && sum[at] != 0) { // most pairs do not reach each other
                    double mean = sum[at] / k;
                    double spread = Math.max(0, sumOfSquares[at] - sum[at] * mean);
                    squares[at] = mean;
                    errors[at] = Math.sqrt(spread / (k - 1) / k);
                }
            }
        }
        if (projections != null) {
            projections.finish();
        }
        return new ResponseMap(layers, tokens, halfDepths, squares, errors, projections);
    }

    private boolean[] marked(List<Site> sites) {
        boolean[] marked = new boolean[places];
        sites.forEach(site -> marked[place.applyAsInt(site)] = true);
        return marked;
    }
}
