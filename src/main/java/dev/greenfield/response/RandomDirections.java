package dev.greenfield.response;

import dev.greenfield.backend.Backend;
import dev.greenfield.lattice.Site;
import dev.greenfield.statistics.SeededGenerator;
import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.SplitMix64;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Random directions at sites, each named by seed, site and number: whoever draws them, in whatever order, draws the same ones. They are
 * of mean 0 and of unit covariance, E[z z'] = 1.
 */
public final class RandomDirections {
    private RandomDirections() {}

    /** Independent normal numbers of variance 1, [width]: all directions are equally likely. */
    public static double[] normal(int width, Site site, long seed, int number) {
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(generator(site, seed, number));
        double[] direction = new double[width];
        Arrays.setAll(direction, i -> normal.sample());
        return direction;
    }

    /**
     * Independent signs, as bits.
     *
     * @return [width / 64], rounded up: component j is 1 where bit j mod 64 of word j / 64 is set, and -1 elsewhere
     */
    public static long[] signs(int width, Site site, long seed, int number) {
        return signs(generator(site, seed, number), width);
    }

    /** The bits that as many calls of {@code nextBoolean} would give, which takes them from a draw of 64 one by one. */
    static long[] signs(UniformRandomProvider random, int width) {
        long[] bits = new long[Backend.signWords(width)];
        Arrays.setAll(bits, word -> random.nextLong());
        return bits;
    }

    private static UniformRandomProvider generator(Site site, long seed, int number) {
        // Each mixing step spreads what it was given over all bits: neighbouring sites get unrelated generators.
        long state = new SplitMix64(seed).nextLong() + site.halfDepth().index();
        state = new SplitMix64(state).nextLong() + site.token();
        return SeededGenerator.of(new SplitMix64(state).nextLong() + number);
    }
}
