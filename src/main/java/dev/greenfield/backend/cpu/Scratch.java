package dev.greenfield.backend.cpu;

/** Arrays of one thread, kept between operations so that no operation allocates in its loops. Contents are arbitrary. */
final class Scratch {
    private static final ThreadLocal<Scratch> MINE = ThreadLocal.withInitial(Scratch::new);

    private final float[][] floats = new float[6][0];
    private double[] doubles = new double[0];

    private Scratch() {}

    static Scratch mine() {
        return MINE.get();
    }

    /** Array number {@code slot} (0 to 5) with at least {@code length} elements. */
    float[] floats(int slot, int length) {
        if (floats[slot].length < length) {
            floats[slot] = new float[length];
        }
        return floats[slot];
    }

    double[] doubles(int length) {
        if (doubles.length < length) {
            doubles = new double[length];
        }
        return doubles;
    }
}
