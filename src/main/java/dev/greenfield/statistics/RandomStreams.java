package dev.greenfield.statistics;

import java.nio.charset.StandardCharsets;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.SplitMix64;
import org.apache.commons.rng.core.source64.XoRoShiRo128PlusPlus;

/**
 * The one derivation of all random numbers. A stream is named by a seed, a purpose, and numbers such as that of a draw or of a site; the
 * seed may be that of a prompt, which {@link #prompt} derives. Each part of the name is mixed into the state before the next one is
 * added, by the finalizer of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014):
 *
 * <pre>  state = mix(mix(state) ^ part)</pre>
 *
 * so that neighbouring seeds, prompts and numbers give unrelated streams, and sums of them never meet: prompt 3, draw 5 is not prompt 4,
 * draw 4. What is drawn depends on its name alone, not on what was drawn before it or where.
 */
public final class RandomStreams {
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private RandomStreams() {}

    /** The seed of one prompt: what is drawn for different prompts is independent. */
    public static long prompt(long seed, int number) {
        return seed(seed, Purpose.PROMPT, number);
    }

    /** The seed of a stream. */
    public static long seed(long seed, Purpose purpose, long... numbers) {
        long state = seed(seed, purpose.name());
        for (long number : numbers) {
            state = mix(mix(state) ^ number);
        }
        return state;
    }

    /** The seed of a stream that has a name, such as a tensor's: FNV-1a of its bytes in UTF-8 is the part that is mixed in. */
    public static long seed(long seed, String name) {
        long hash = FNV_OFFSET;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * FNV_PRIME;
        }
        return mix(mix(seed) ^ hash);
    }

    /** A stream, from its beginning. */
    public static UniformRandomProvider of(long seed, Purpose purpose, long... numbers) {
        return generator(seed(seed, purpose, numbers));
    }

    /** The numbers that follow from the seed of a stream. */
    public static UniformRandomProvider generator(long stream) {
        SplitMix64 states = new SplitMix64(stream);
        return new XoRoShiRo128PlusPlus(states.nextLong(), states.nextLong());
    }

    /** Spreads a number over all 64 bits, one to one. */
    public static long mix(long value) {
        return new SplitMix64(value).nextLong();
    }
}
