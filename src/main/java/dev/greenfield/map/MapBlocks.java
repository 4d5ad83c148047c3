package dev.greenfield.map;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.HostMemory;
import java.util.List;
import java.util.stream.IntStream;

/** What one batch of a map's columns finds: a {@link MapBlock} for each of its sites, one after the other in one array. */
final class MapBlocks {
    private final MapLayout layout;
    private final int firstSite;
    private final int sites;
    private final double[] numbers;

    private MapBlocks(MapLayout layout, int firstSite, int sites, double[] numbers) {
        this.layout = layout;
        this.firstSite = firstSite;
        this.sites = sites;
        this.numbers = numbers;
    }

    /** How many numbers a batch finds. */
    static int count(MapLayout layout, Batches.Range range) {
        return HostMemory.elements("the sums of a batch", layout.length(first(layout, range), last(layout, range) + 1));
    }

    private static int first(MapLayout layout, Batches.Range range) {
        return layout.site(range.from());
    }

    private static int last(MapLayout layout, Batches.Range range) {
        return layout.site(range.to() - 1);
    }

    /** Blocks of zeros for a range of columns. */
    static MapBlocks of(MapLayout layout, Batches.Range range) {
        return of(layout, range, HostMemory.doubles("the sums of a batch", count(layout, range)));
    }

    /** Blocks of numbers that were found before, as {@link #numbers} has them. */
    static MapBlocks of(MapLayout layout, Batches.Range range, double[] numbers) {
        int first = first(layout, range);
        return new MapBlocks(layout, first, last(layout, range) + 1 - first, numbers);
    }

    /** A block of zeros for one site, by its number among those that are pushed. */
    static MapBlock zeros(MapLayout layout, int site) {
        double[] numbers = HostMemory.doubles("the sums of a site", layout.length(site, site + 1));
        return new MapBlocks(layout, site, 1, numbers).of(site);
    }

    /** The block of a site, by its number among those that are pushed. */
    MapBlock of(int site) {
        return new MapBlock(layout, site, numbers, Math.toIntExact(layout.length(firstSite, site)));
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
