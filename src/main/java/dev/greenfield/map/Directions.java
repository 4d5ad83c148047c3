package dev.greenfield.map;

import dev.greenfield.engine.SeedVector;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.RandomDirections;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.statistics.Purpose;
import java.util.Arrays;

/**
 * The directions that a map pushes from a site: all unit vectors, given ones, or random ones that depend on seed, site and number
 * only.
 */
final class Directions {
    private final int width;
    private final int probes;
    private final boolean gaussian;
    private final long seed;
    private final SeedVector[] units;
    private final SiteVectors given; // null when none are

    /**
     * All unit vectors, or random ones.
     *
     * @param width D
     * @param probes how many random directions; 0 for all unit vectors
     * @param gaussian normal numbers rather than signs
     */
    Directions(int width, int probes, boolean gaussian, long seed) {
        this.width = width;
        this.probes = probes;
        this.gaussian = gaussian;
        this.seed = seed;
        this.given = null;
        this.units = new SeedVector[probes == 0 ? width : 0];
        Arrays.setAll(units, SeedVector.Unit::new);
    }

    /** Given directions of each site that will be pushed. */
    Directions(int width, SiteVectors given) {
        this.width = width;
        this.probes = 0;
        this.gaussian = false;
        this.seed = 0;
        this.units = new SeedVector[0];
        this.given = given;
    }

    /** How many a site has. */
    int count(Site site) {
        if (given != null) {
            return given.count(site);
        }
        return exact() ? width : probes;
    }

    /** Whether sums over the directions are what is wanted, rather than estimates of it. */
    boolean exact() {
        return probes == 0;
    }

    long seed() {
        return seed;
    }

    /** What they are, all but the seed: for example {@code 16 random signs a site}. */
    String describe() {
        if (given != null) {
            return given.describe();
        }
        return exact() ? "all" : probes + (gaussian ? " normal" : " random signs") + " a site";
    }

    /** Whether each direction stands for itself: they were given. */
    boolean given() {
        return given != null;
    }

    /** How many random directions a site has; 0 when they are not random. */
    int probes() {
        return probes;
    }

    /** The squared norm of a site's response to itself, where G is the identity. */
    double identity(Site site) {
        return given != null ? given.squaredNorm(site) : width;
    }

    /** Direction {@code number} of a site, [D]; not to be changed. */
    double[] of(Site site, int number) {
        if (given != null) {
            return given.of(site, number);
        }
        if (exact()) {
            double[] unit = new double[width];
            unit[number] = 1;
            return unit;
        }
        return gaussian
                ? RandomDirections.normal(width, site, seed, Purpose.PROBES, number)
                : SeedVector.Signs.of(RandomDirections.signs(width, site, seed, Purpose.PROBES, number), width);
    }

    /** Likewise, as a sweep takes it in: random ones are drawn when it does. */
    SeedVector seed(Site site, int number) {
        if (given == null && exact()) {
            return units[number];
        }
        return given != null || gaussian
                ? new SeedVector.Given(() -> of(site, number))
                : new SeedVector.Signs(() -> RandomDirections.signs(width, site, seed, Purpose.PROBES, number));
    }
}
