package dev.greenfield.map;

import dev.greenfield.engine.Batches;
import java.util.List;
import java.util.stream.IntStream;

/** What one batch of a map's columns finds: a {@link MapBlock} for each of its sites, one after the other in one array. */
final class MapBlocks {
    private final MapLayout layout;
    private final int firstSite;
    private final int sites;
    private final double[] numbers;

    private MapBlocks(MapLayout layout, Batches.Range range, double[] numbers) {
        this.layout = layout;
        this.firstSite = layout.site(range.from());
        this.sites = layout.site(range.to() - 1) + 1 - firstSite;
        this.numbers = numbers;
    }

    /** How many numbers a batch finds. */
    static int count(MapLayout layout, Batches.Range range) {
        return layout.length(layout.site(range.from()), layout.site(range.to() - 1) + 1);
    }

    /** Blocks of zeros for a range of columns. */
    static MapBlocks of(MapLayout layout, Batches.Range range) {
        return of(layout, range, new double[count(layout, range)]);
    }

    /** Blocks of numbers that were found before, as {@link #numbers} has them. */
    static MapBlocks of(MapLayout layout, Batches.Range range, double[] numbers) {
        return new MapBlocks(layout, range, numbers);
    }

    /** The block of a site, by its number among those that are pushed. */
    MapBlock of(int site) {
        return new MapBlock(layout, layout.sites().get(site), numbers, layout.length(firstSite, site));
    }

    /** All blocks, in the order of their sites. */
    List<MapBlock> all() {
        return IntStream.range(firstSite, firstSite + sites).mapToObj(this::of).toList();
    }

    /** All numbers of all blocks, as a checkpoint keeps them; not a copy. */
    double[] numbers() {
        return numbers;
    }
}
