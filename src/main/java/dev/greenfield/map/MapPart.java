package dev.greenfield.map;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One batch of a map's columns: a visitor that sums what it sees by the column's site and the row's site. Squared norms are summed
 * where the rows are, and nobody waits for the sums before the sweep is over or they are many.
 */
final class MapPart implements Visitor {
    /** Sums of so many levels are waited for at once: 32 MB. They have a number for every token, most of which are zero. */
    private static final long MOST_WAITING = 1 << 22;

    private final Backend backend;
    private final Batches.Range range;
    private final MapLayout layout;
    private final Directions directions;
    private final MapReadings readings;
    private final boolean halfDepths;
    private final int tokens;
    private final MapBlocks blocks;
    private final List<LevelSums> levels = new ArrayList<>();
    private long waiting; // numbers of these

    /**
     * Begins a batch.
     *
     * @param range its columns
     * @param tokens length of the run
     */
    MapPart(
            Backend backend,
            Batches.Range range,
            MapLayout layout,
            Directions directions,
            MapReadings readings,
            boolean halfDepths,
            int tokens) {
        this.backend = backend;
        this.range = range;
        this.layout = layout;
        this.directions = directions;
        this.readings = readings;
        this.halfDepths = halfDepths;
        this.tokens = tokens;
        this.blocks = MapBlocks.of(layout, range);
    }

    /** What enters the sweep: column c of it is column c of the range. */
    Seeds seeds() {
        Seeds seeds = new Seeds();
        int c = range.from();
        for (int s = layout.site(range.from()); c < range.to(); s++) {
            Site site = layout.sites().get(s);
            for (; c < Math.min(layout.firstColumn(s + 1), range.to()); c++) {
                seeds.column(site.halfDepth(), site.token(), layout.seed(site, c - layout.firstColumn(s)));
            }
        }
        return seeds;
    }

    /**
     * Sums at one level, [moments, groups, T], that may still be on their way.
     *
     * @param sites per group its site
     * @param reads per group its vector at the site that is read there, or -1 for the site's directions
     */
    private record LevelSums(int level, int[] sites, int[] reads, double[] sums) {}

    @Override
    public void visit(HalfDepth level, RaggedRows rows, int[] columns, Matrix x) {
        if (level.isMiddle() && !halfDepths) {
            return;
        }
        int number = level.number(halfDepths);
        if (layout.cone().has(number)) { // sums that nobody asked for are not taken
            sum(number, rows, columns, x);
        }
        if (layout.forward()) {
            readings.read(backend, level, rows, x, (c, token, i, dot) -> read(columns[c], number, token, i, dot));
        }
    }

    /** Groups columns: the directions of a site stand side by side in a batch, since they were born together at one token. */
    private void sum(int level, RaggedRows rows, int[] columns, Matrix x) {
        int[] starts = new int[columns.length + 1];
        int[] sites = new int[columns.length];
        int[] reads = new int[columns.length];
        int groups = 0;
        for (int c = 0; c < columns.length; ) {
            int column = range.from() + columns[c];
            int site = layout.site(column);
            int own = layout.firstColumn(site) + directions.count(layout.sites().get(site));
            int until = column < own ? Math.min(own, range.to()) : column + 1;
            starts[groups] = c;
            sites[groups] = site;
            reads[groups++] = column < own ? -1 : column - own;
            c += until - column;
            if (c > columns.length || columns[c - 1] != until - 1 - range.from()) {
                throw new IllegalStateException("the columns of site " + site + " are not side by side");
            }
        }
        starts[groups] = columns.length;
        int moments = layout.moments();
        double[] sums = HostMemory.doubles("the sums of a batch", moments, groups, tokens);
        backend.squaredNormMoments(x, rows, Arrays.copyOf(starts, groups + 1), moments, sums, 0);
        levels.add(new LevelSums(level, Arrays.copyOf(sites, groups), Arrays.copyOf(reads, groups), sums));
        waiting += sums.length;
        if (waiting > MOST_WAITING) {
            collect();
        }
    }

    private void read(int column, int level, int token, int number, double dot) {
        MapBlock block = blocks.of(layout.site(range.from() + column));
        Site source = block.site();
        int first = layout.vectorCone().at(layout.level(source), source.token(), level, token);
        if (first < 0) {
            return; // its own site, or one that it does not reach
        }
        int vector = first + number;
        if (directions.given()) {
            block.addClimbed(layout.number(range.from() + column), vector, dot);
        } else {
            block.addClimbed(MapBlock.SQUARES, vector, dot * dot);
            if (!directions.exact()) {
                block.addClimbed(MapBlock.FOURTH_POWERS, vector, dot * dot * dot * dot);
            }
        }
    }

    /** All that was found; waits for it. */
    MapBlocks found() {
        collect();
        return blocks;
    }

    /** Waits for the sums that are on their way, and keeps of them what can be nonzero. */
    private void collect() {
        backend.await();
        for (LevelSums level : levels) {
            for (int g = 0; g < level.sites.length; g++) {
                collect(level, g);
            }
        }
        levels.clear();
        waiting = 0;
    }

    private void collect(LevelSums level, int group) {
        MapBlock block = blocks.of(level.sites[group]);
        int groups = level.sites.length;
        int read = level.reads[group];
        block.forEachReached(level.level, (number, t, at) -> {
            double sum = level.sums[group * tokens + t];
            if (read >= 0) {
                block.addDescended(read, at, sum);
            } else {
                block.addSquaredNorm(at, sum);
                if (!directions.exact()) {
                    block.addFourthPower(at, level.sums[(groups + group) * tokens + t]);
                }
            }
        });
    }
}
