package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Injects the seeds of a half depth into a batch. Unit vectors and signs are described to the backend, which makes them; other
 * vectors are sent, as many at a time as the staging rows hold.
 */
final class SeedInjection implements AutoCloseable {
    /** Enough for sending them to take longer than asking for it. */
    private static final int STAGED = 512;

    private final Backend backend;
    private final int width;
    private final Buffer staging; // null when nothing is sent

    /**
     * Takes what memory it needs on the backend.
     *
     * @param levels the seeds of each half depth
     */
    SeedInjection(Backend backend, int width, Collection<List<Seeds.Seed>> levels) {
        this.backend = backend;
        this.width = width;
        long most = 0;
        for (List<Seeds.Seed> seeds : levels) {
            most = Math.max(
                    most,
                    seeds.stream()
                            .filter(seed -> seed.vector() instanceof SeedVector.Given)
                            .count());
        }
        this.staging = most == 0 ? null : backend.allocate("sources", Math.min(STAGED, most) * width);
    }

    /** The most staging rows of a sweep over {@code rows} rows. */
    static long stagedRows(long rows) {
        return Math.min(rows, STAGED);
    }

    /**
     * Injects seeds.
     *
     * @param x the batch, [R, D]
     * @param index per seed the row that takes it in
     * @param keep what that row keeps of itself: 1 to add, 0 to replace, which unit vectors and signs cannot
     */
    void inject(Matrix x, int[] index, List<Seeds.Seed> seeds, double keep) {
        int n = index.length;
        int[] unitRows = new int[n];
        int[] components = new int[n];
        int[] signRows = new int[n];
        int words = Backend.signWords(width);
        long[] bits = new long[seeds.get(0).vector() instanceof SeedVector.Signs ? n * words : 0];
        int units = 0;
        int signs = 0;
        int given = 0;
        for (int i = 0; i < n; i++) {
            SeedVector vector = seeds.get(i).vector();
            if (vector instanceof SeedVector.Unit unit) {
                unitRows[units] = index[i];
                components[units++] = unit.component();
            } else if (vector instanceof SeedVector.Signs drawn) {
                signRows[signs] = index[i];
                bits = bits.length < (signs + 1) * words ? Arrays.copyOf(bits, n * words) : bits;
                System.arraycopy(drawn.bits().get(), 0, bits, signs++ * words, words);
            } else if (vector instanceof SeedVector.Resident resident) {
                backend.inject(x, new int[] {index[i]}, resident.row(), keep);
            } else {
                given++;
            }
        }
        if (units + signs > 0 && keep != 1) {
            throw new IllegalArgumentException("unit vectors and signs are added, found a row that keeps " + keep);
        }
        if (units > 0) {
            backend.injectUnits(x, Arrays.copyOf(unitRows, units), Arrays.copyOf(components, units));
        }
        if (signs > 0) {
            backend.injectSigns(x, Arrays.copyOf(signRows, signs), bits);
        }
        if (given > 0) {
            send(x, index, seeds, keep, Math.min(given, STAGED));
        }
    }

    /** Sends the given ones, {@code atOnce} at a time. */
    private void send(Matrix x, int[] index, List<Seeds.Seed> seeds, double keep, int atOnce) {
        double[] values = new double[atOnce * width];
        int[] staged = new int[atOnce];
        int n = 0;
        for (int i = 0; i < index.length; i++) {
            if (seeds.get(i).vector() instanceof SeedVector.Given vector) {
                System.arraycopy(vector.values().get(), 0, values, n * width, width);
                staged[n++] = index[i];
                if (n == atOnce) {
                    send(x, staged, values, n, keep);
                    n = 0;
                }
            }
        }
        if (n > 0) {
            send(x, staged, values, n, keep);
        }
    }

    private void send(Matrix x, int[] staged, double[] values, int n, double keep) {
        backend.upload(values, 0, staging, 0, n * width);
        backend.inject(x, Arrays.copyOf(staged, n), Matrix.of(staging, n, width), keep);
    }

    @Override
    public void close() {
        if (staging != null) {
            staging.close();
        }
    }
}
