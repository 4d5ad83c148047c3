package dev.greenfield.map;

import dev.greenfield.engine.SeedVector;
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
    private final int places;
    private final int[] firstColumn;
    private final long[] firstValue;

    MapLayout(boolean forward, List<Site> sites, Directions directions, MapReadings readings, int places) {
        this.forward = forward;
        this.sites = sites;
        this.directions = directions;
        this.readings = readings;
        this.places = places;
        this.firstColumn = new int[sites.size() + 1];
        this.firstValue = new long[sites.size() + 1];
        for (int s = 0; s < sites.size(); s++) {
            Site site = sites.get(s);
            firstColumn[s + 1] = Math.addExact(firstColumn[s], columns(site));
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

    /** Places of the map. */
    int places() {
        return places;
    }

    /** What is summed of norms: their squares alone, or for estimates the squares of those too. */
    int moments() {
        return directions.exact() ? 1 : 2;
    }

    /** Vectors at all targets. */
    int vectors() {
        return readings.count();
    }

    /** Vectors at one of them. */
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
    int length(int fromSite, int toSite) {
        return Math.toIntExact(firstValue[toSite] - firstValue[fromSite]);
    }

    /** How many numbers the block of a site has. */
    private long blockLength(Site site) {
        long read = forward ? (long) lines(site) * vectors() : (long) vectors(site) * places;
        return (long) moments() * places + read;
    }

    /** Lines of all vectors that a climbing site keeps. */
    int lines(Site site) {
        return directions.given() ? directions.count(site) : directions.exact() ? 1 : 2;
    }
}
