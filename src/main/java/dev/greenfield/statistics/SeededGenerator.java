package dev.greenfield.statistics;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.SplitMix64;
import org.apache.commons.rng.core.source64.XoRoShiRo128PlusPlus;

/** The generator behind everything that is drawn at random. */
public final class SeededGenerator {
    private SeededGenerator() {}

    /** Numbers that follow from a seed alone. SplitMix64 spreads the seed, so that near seeds give unrelated numbers. */
    public static UniformRandomProvider of(long seed) {
        SplitMix64 seeds = new SplitMix64(seed);
        return new XoRoShiRo128PlusPlus(seeds.nextLong(), seeds.nextLong());
    }
}
