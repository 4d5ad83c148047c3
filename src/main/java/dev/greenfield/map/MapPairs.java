package dev.greenfield.map;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The pairs of sites that a map holds numbers of: of what was asked for, what a source can reach beside itself. They stand source by
 * source, each source with its row of the {@link Cone}; a source may have several rows, one for each direction that stands for itself.
 */
final class MapPairs {
    private final Cone cone;
    private final boolean halfDepths;
    private final List<Site> sources;
    private final List<Site> targets;
    private final int[] number; // by place: the source's number, or -1
    private final long[] start; // [sources + 1]: a source's first pair

    /**
     * @param cone of targets, seen from sources
     * @param sources in the order of the map, each once
     * @param targets likewise
     * @param rows how many a source has
     * @throws MemoryBudgetException if they are more than can be numbered
     */
    MapPairs(Cone cone, boolean halfDepths, List<Site> sources, List<Site> targets, ToIntFunction<Site> rows) {
        this.cone = cone;
        this.halfDepths = halfDepths;
        this.sources = sources;
        this.targets = targets;
        this.number = new int[HostMemory.elements("the sites of a map", cone.levels(), cone.tokens())];
        this.start = new long[sources.size() + 1];
        Arrays.fill(number, -1);
        for (int s = 0; s < sources.size(); s++) {
            Site site = sources.get(s);
            number[level(site) * cone.tokens() + site.token()] = s;
            long row = cone.length(level(site), site.token());
            long all = rows.applyAsInt(site) * row; // two ints
            start[s + 1] = start[s] + all;
            if (start[s + 1] < 0) {
                throw new MemoryBudgetException("the first " + (s + 1) + " of " + sources.size()
                        + " sources have more than 2^63 pairs: ask for fewer sources, directions or targets");
            }
        }
    }

    /** Of the same sites, with rows of another cone. */
    MapPairs of(Cone other, ToIntFunction<Site> rows) {
        return new MapPairs(other, halfDepths, sources, targets, rows);
    }

    /** All pairs. */
    long count() {
        return start[sources.size()];
    }

    List<Site> sources() {
        return sources;
    }

    List<Site> targets() {
        return targets;
    }

    boolean halfDepths() {
        return halfDepths;
    }

    /** A site's level, by its number. */
    int level(Site site) {
        return site.halfDepth().number(halfDepths);
    }

    /** A source's number by its level and token; -1 of what is none. */
    int source(int level, int token) {
        return number[level * cone.tokens() + token];
    }

    /** A source's number; -1 of what is none. */
    int source(Site site) {
        int level = level(site);
        boolean here = (halfDepths || !site.middle()) && level < cone.levels() && site.token() < cone.tokens();
        return here ? source(level, site.token()) : -1;
    }

    /** The first pair of a source, by its number. */
    long start(int source) {
        return start[source];
    }

    /** Pairs of one row of a source. */
    int length(Site source) {
        return cone.length(level(source), source.token());
    }

    /** The pair of a source, by its number, and a target; -1 where the target is not reached or none. */
    long at(int source, int level, int token, int farLevel, int farToken) {
        int at = cone.at(level, token, farLevel, farToken);
        return at < 0 ? -1 : start[source] + at;
    }

    Cone cone() {
        return cone;
    }
}
