package dev.greenfield.response;

import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
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
    private final HalfDepth top;
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
        this.top = scope.model().top();
        this.order = IntStream.range(0, sources.size())
                .filter(i -> sources.get(i).vectors().keySet().stream().anyMatch(this::seen))
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> lowest(sources.get(i)), Comparator.reverseOrder()))
                .mapToInt(i -> i)
                .toArray();
    }

    /** Whether F, read at the last depth and a token of a run, can see a site. */
    public static boolean seen(Scope scope, int position, Site site) {
        return Causality.reaches(site, Site.at(scope.model().top(), position));
    }

    private boolean seen(Site site) {
        return seen(scope, position, site);
    }

    private HalfDepth lowest(Source source) {
        return source.vectors().keySet().stream()
                .filter(this::seen)
                .map(Site::halfDepth)
                .min(Comparator.naturalOrder())
                .orElseThrow();
    }

    private int firstToken(Source source) {
        return source.vectors().keySet().stream()
                .filter(this::seen)
                .mapToInt(Site::token)
                .min()
                .orElseThrow();
    }

    /** The level of F. */
    HalfDepth top() {
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
