package dev.greenfield.response;

import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The sources that an observable can see, as columns of upward sweeps to the last depth: one column a source. */
public final class SourceColumns {
    private final Scope scope;
    private final List<Source> sources;
    private final int position;
    private final int top;
    private final int[] order;

    /**
     * Checks the sources and puts those that F can see in order: deepest first, so that a batch's short climbs stay together.
     *
     * @param position the token where F is read
     * @throws dev.greenfield.failure.InputException if a site or a length is not the run's
     */
    SourceColumns(Scope scope, int position, List<Source> sources) {
        sources.forEach(scope::check);
        this.scope = scope;
        this.sources = sources;
        this.position = position;
        this.top = 2 * scope.config().layers();
        this.order = IntStream.range(0, sources.size())
                .filter(i -> sources.get(i).vectors().keySet().stream().anyMatch(this::seen))
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -lowest(sources.get(i))))
                .mapToInt(i -> i)
                .toArray();
    }

    /** Whether F, read at a token of a run, can see a site: not a later token, nor another one with no attention above it. */
    public static boolean seen(Scope scope, int position, Site site) {
        int top = 2 * scope.config().layers();
        return site.token() == position
                || (site.token() < position && site.halfDepth() <= Sweep.lastAttentionBelow(top));
    }

    private boolean seen(Site site) {
        return seen(scope, position, site);
    }

    private int lowest(Source source) {
        return source.vectors().keySet().stream()
                .filter(this::seen)
                .mapToInt(Site::halfDepth)
                .min()
                .orElseThrow();
    }

    private int firstToken(Source source) {
        return source.vectors().keySet().stream()
                .filter(this::seen)
                .mapToInt(Site::token)
                .min()
                .orElseThrow();
    }

    /** The half depth of F. */
    int top() {
        return top;
    }

    /** Per column how many rows it has when nothing after F's position is computed. */
    int[] rows() {
        return IntStream.of(order)
                .map(i -> position + 1 - firstToken(sources.get(i)))
                .toArray();
    }

    /** The number of a column's source in the list. */
    int source(int column) {
        return order[column];
    }

    /** The seeds of the columns from (inclusive) to (exclusive), numbered from 0 there, without sites that F cannot see. */
    Seeds seeds(int from, int to) {
        Seeds seeds = new Seeds();
        for (int c = from; c < to; c++) {
            int column = seeds.column();
            sources.get(order[c]).vectors().forEach((site, vector) -> {
                if (seen(site)) {
                    seeds.add(column, site.halfDepth(), site.token(), vector);
                }
            });
        }
        return seeds;
    }
}
