package dev.greenfield.map;

import dev.greenfield.engine.SeedVector;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.List;

/**
 * How the columns that a map pushes are numbered, and how much is found of each site. Columns stand site by site: first a
 * site's directions, then, descending from a target, the vectors that are projected on.
 */
final class MapLayout {
    private final boolean forward;
    private final List<Site> sites;
    private final Directions directions;
    private final MapReadings readings;
    private final boolean halfDepths;
    private final Cone cone;
    private final Cone vectorCone;
    private final int[] firstColumn;
    private final long[] firstValue;

    /**
     * @param cone of the far side's sites
     * @param vectorCone of the vectors at targets, seen from sources
     * @throws MemoryBudgetException if there are more columns than can be numbered
     */
    MapLayout(
            boolean forward,
            boolean halfDepths,
            List<Site> sites,
            Directions directions,
            MapReadings readings,
            Cone cone,
            Cone vectorCone) {
        this.forward = forward;
        this.halfDepths = halfDepths;
        this.sites = sites;
        this.directions = directions;
        this.readings = readings;
        this.cone = cone;
        this.vectorCone = vectorCone;
        this.firstColumn = new int[sites.size() + 1];
        this.firstValue = new long[sites.size() + 1];
        long columns = 0;
        for (int s = 0; s < sites.size(); s++) {
            Site site = sites.get(s);
            columns += columns(site);
            if (columns > Integer.MAX_VALUE - 8) {
                throw new MemoryBudgetException("the first " + (s + 1) + " of " + sites.size() + " sites have "
                        + columns + " directions to push, a map has at most " + (Integer.MAX_VALUE - 8)
                        + ": ask for fewer sites, or for probes instead of all directions");
            }
            firstColumn[s + 1] = (int) columns;
            firstValue[s + 1] = firstValue[s] + blockLength(site);
        }
    }

    boolean forward() {
        return forward;
    }

    /** The sites that are pushed. */
    List<Site> sites() {
        return sites;
    }

    /** A site's level, by its number. */
    int level(Site site) {
        return site.halfDepth().number(halfDepths);
    }

    /** Which far sites each site reaches. */
    Cone cone() {
        return cone;
    }

    /** Which vectors at targets each source reaches. */
    Cone vectorCone() {
        return vectorCone;
    }

    /** How many far sites a site reaches. */
    int reached(Site site) {
        return cone.length(level(site), site.token());
    }

    /** How many vectors at targets a source reaches. */
    int vectorsReached(Site source) {
        return vectorCone.length(level(source), source.token());
    }

    /** What is summed of norms: their squares alone, or for estimates the squares of those too. */
    int moments() {
        return directions.exact() ? 1 : 2;
    }

    /** Vectors at a target. */
    int vectors(Site target) {
        return readings.count(target);
    }

    /** Columns of one site. */
    int columns(Site site) {
        return directions.count(site) + (forward ? 0 : readings.count(site));
    }

    /** Number of columns in all. */
    int columns() {
        return firstColumn[sites.size()];
    }

    /** Number of the site that a column belongs to. */
    int site(int column) {
        int found = Arrays.binarySearch(firstColumn, column);
        return found >= 0 ? found : -found - 2;
    }

    /** A column's number among those of its site. */
    int number(int column) {
        return column - firstColumn[site(column)];
    }

    /** Number of a site's first column; that of the number after the last site is {@link #columns()}. */
    int firstColumn(int site) {
        return firstColumn[site];
    }

    /** What a site's column pushes, by its number among them. */
    SeedVector seed(Site site, int number) {
        int own = directions.count(site);
        return number < own ? directions.seed(site, number) : SeedVector.of(readings.of(site, number - own));
    }

    /** Length of the blocks from one site to another (exclusive), one after the other. */
    long length(int fromSite, int toSite) {
        return firstValue[toSite] - firstValue[fromSite];
    }

    /** How many numbers the block of a site has. */
    private long blockLength(Site site) {
        long reached = reached(site);
        long read = forward ? (long) lines(site) * vectorsReached(site) : vectors(site) * reached;
        return moments() * reached + read;
    }

    /** Lines of vectors that a climbing site keeps. */
    int lines(Site site) {
        return directions.given() ? directions.count(site) : directions.exact() ? 1 : 2;
    }
}
