package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import java.util.function.Supplier;

/**
 * A vector [D] that enters a sweep, in a form that says no more than it must: a backend makes unit vectors and signs where its rows
 * are, and may have the vector already. What is given or drawn is asked for when the sweep takes it in.
 */
public sealed interface SeedVector {
    /** Any numbers, [D]; not copied. */
    record Given(Supplier<double[]> values) implements SeedVector {}

    /** The unit vector of one component. */
    record Unit(int component) implements SeedVector {}

    /**
     * Components of 1 and -1.
     *
     * @param bits [D / 64], rounded up: component j is 1 where bit j mod 64 of word j / 64 is set
     */
    record Signs(Supplier<long[]> bits) implements SeedVector {
        /** What signs these bits stand for, [width]. */
        public static double[] of(long[] bits, int width) {
            double[] signs = new double[width];
            for (int j = 0; j < width; j++) {
                signs[j] = 2 * (bits[j / Long.SIZE] >>> j & 1) - 1;
            }
            return signs;
        }
    }

    /**
     * A vector that the backend holds.
     *
     * @param row [1, D]; stays the caller's, and must be open until the sweep has taken it in
     */
    record Resident(Matrix row) implements SeedVector {}

    /** Numbers that are there already, [D]; not copied. */
    static SeedVector of(double[] values) {
        return new Given(() -> values);
    }
}
