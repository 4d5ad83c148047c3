package dev.greenfield.response;

import dev.greenfield.backend.Backend;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.SeedVector;
import dev.greenfield.lattice.Site;
import dev.greenfield.statistics.SeededGenerator;
import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.SplitMix64;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * The directions that a map pushes from a site: all unit vectors, given ones, or random ones that depend on seed, site and number
 * only.
 */
public final class Directions {
    private final int width;
    private final int probes;
    private final boolean gaussian;
    private final long seed;
    private final SeedVector[] units;
    private final SiteVectors given; // null when none are

    /**
     * @param probes how many random directions; 0 for all unit vectors
     * @param gaussian normal numbers rather than signs
     */
    public Directions(Linearization run, int probes, boolean gaussian, long seed) {
        this.width = run.model().config().width();
        this.probes = probes;
        this.gaussian = gaussian;
        this.seed = seed;
        this.given = null;
        this.units = new SeedVector[probes == 0 ? width : 0];
        Arrays.setAll(units, SeedVector.Unit::new);
    }

    /** Given directions of each site that will be pushed. */
    public Directions(Linearization run, SiteVectors given) {
        this.width = run.model().config().width();
        this.probes = 0;
        this.gaussian = false;
        this.seed = 0;
        this.units = new SeedVector[0];
        this.given = given;
    }

    /** How many a site has. */
    public int count(Site site) {
        if (given != null) {
            return given.count(site);
        }
        return exact() ? width : probes;
    }

    /** Whether sums over the directions are what is wanted, rather than estimates of it. */
    public boolean exact() {
        return probes == 0;
    }

    public long seed() {
        return seed;
    }

    /** What they are, all but the seed: for example {@code 16 random signs a site}. */
    public String describe() {
        if (given != null) {
            return given.describe();
        }
        return exact() ? "all" : probes + (gaussian ? " normal" : " random signs") + " a site";
    }

    /** Whether each direction stands for itself: they were given. */
    public boolean given() {
        return given != null;
    }

    /** How many random directions a site has; 0 when they are not random. */
    public int probes() {
        return probes;
    }

    /** The squared norm of a site's response to itself, where G is the identity. */
    public double identity(Site site) {
        return given != null ? given.squaredNorm(site) : width;
    }

    /** Direction {@code number} of a site, [D]; not to be changed. */
    public double[] of(Site site, int number) {
        if (given != null) {
            return given.of(site, number);
        }
        if (exact()) {
            double[] unit = new double[width];
            unit[number] = 1;
            return unit;
        }
        UniformRandomProvider random = generator(site, number);
        return gaussian ? normal(random, width) : SeedVector.Signs.of(signs(random, width), width);
    }

    /** Likewise, as a sweep takes it in: random ones are drawn when it does. */
    public SeedVector seed(Site site, int number) {
        if (given == null && exact()) {
            return units[number];
        }
        return given != null || gaussian
                ? new SeedVector.Given(() -> of(site, number))
                : new SeedVector.Signs(() -> signs(generator(site, number), width));
    }

    private UniformRandomProvider generator(Site site, int number) {
        // Each mixing step spreads what it was given over all bits: neighbouring sites get unrelated generators.
        long state = new SplitMix64(seed).nextLong() + site.halfDepth().index();
        state = new SplitMix64(state).nextLong() + site.token();
        return SeededGenerator.of(new SplitMix64(state).nextLong() + number);
    }

    private static double[] normal(UniformRandomProvider random, int width) {
        ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
        double[] direction = new double[width];
        Arrays.setAll(direction, i -> normal.sample());
        return direction;
    }

    /** The bits that as many calls of {@code nextBoolean} would give, which takes them from a draw of 64 one by one. */
    static long[] signs(UniformRandomProvider random, int width) {
        long[] bits = new long[Backend.signWords(width)];
        Arrays.setAll(bits, word -> random.nextLong());
        return bits;
    }
}
