package dev.greenfield.response;

import dev.greenfield.backend.Backend;
import dev.greenfield.lattice.Site;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Random directions at sites, each named by seed, purpose, site and number: whoever draws them, in whatever order, draws the same ones. They are
 * of mean 0 and of unit covariance, E[z z'] = 1.
 */
public final class RandomDirections {
    private RandomDirections() {}

    /** Independent normal numbers of variance 1, [width]: all directions are equally likely. */
    public static double[] normal(int width, Site site, long seed, Purpose purpose, int number) {
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(generator(site, seed, purpose, number));
        double[] direction = new double[width];
        Arrays.setAll(direction, i -> normal.sample());
        return direction;
    }

    /**
     * Independent signs, as bits.
     *
     * @return [width / 64], rounded up: component j is 1 where bit j mod 64 of word j / 64 is set, and -1 elsewhere
     */
    public static long[] signs(int width, Site site, long seed, Purpose purpose, int number) {
        return signs(generator(site, seed, purpose, number), width);
    }

    /** The bits that as many calls of {@code nextBoolean} would give, which takes them from a draw of 64 one by one. */
    static long[] signs(UniformRandomProvider random, int width) {
        long[] bits = new long[Backend.signWords(width)];
        Arrays.setAll(bits, word -> random.nextLong());
        return bits;
    }

    private static UniformRandomProvider generator(Site site, long seed, Purpose purpose, int number) {
        return RandomStreams.of(seed, purpose, site.halfDepth().index(), site.token(), number);
    }
}
