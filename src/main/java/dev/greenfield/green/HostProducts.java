package dev.greenfield.green;

import dev.greenfield.backend.Backend;
import dev.greenfield.failure.Cancellation;
import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Products of many long vectors on the host, in float64 and on all threads that it is given. Vectors are kept one an array. Eight of them
 * at a time are added to a short piece of a result that stays in cache, which is the form of a product that the compiler vectorizes.
 * A number is summed in the same order however many threads there are.
 */
final class HostProducts {
    /** Numbers of a piece of a result: long enough for a vectorized loop, short enough for the nearest cache. */
    private static final int PIECE = 128;

    /** Vectors that a piece is made of at a time. */
    private static final int DEPTH = 32;

    /** Results that share what was packed for them. */
    private static final int ROWS = 96;

    private final Threads threads;

    /** Runs task(0) to task(tasks - 1), in any order; returns when all are done. */
    private interface Threads {
        void share(int tasks, IntConsumer task);
    }

    private HostProducts(Threads threads) {
        this.threads = threads;
    }

    /** On the threads that a backend may use. */
    HostProducts(Backend backend) {
        this(backend::share);
    }

    /** On all processors of this machine, for work that belongs to no backend. */
    static HostProducts onAllProcessors() {
        return new HostProducts(
                (tasks, task) -> IntStream.range(0, tasks).parallel().forEach(task));
    }

    /** All inner products x_i . y_j, [p][q], of vectors of one length, x [p][n] and y [q][n]. */
    double[][] inner(double[][] x, double[][] y) {
        double[][] products = new double[x.length][y.length];
        int rowPieces = pieces(x.length, ROWS);
        int columnPieces = pieces(y.length, PIECE);
        share(
                rowPieces * columnPieces,
                task -> inner(
                        x,
                        part(x.length, rowPieces, task / columnPieces),
                        part(x.length, rowPieces, task / columnPieces + 1),
                        y,
                        part(y.length, columnPieces, task % columnPieces),
                        part(y.length, columnPieces, task % columnPieces + 1),
                        products));
        return products;
    }

    private static void inner(
            double[][] x, int fromRow, int toRow, double[][] y, int fromColumn, int toColumn, double[][] products) {
        int n = x[0].length;
        int columns = toColumn - fromColumn;
        double[][] panel = new double[DEPTH][columns]; // transposed: number k of every y in row k
        double[] sum = new double[columns];
        for (int k0 = 0; k0 < n; k0 += DEPTH) {
            int depth = Math.min(DEPTH, n - k0);
            for (int j = 0; j < columns; j++) {
                double[] vector = y[fromColumn + j];
                for (int k = 0; k < depth; k++) {
                    panel[k][j] = vector[k0 + k];
                }
            }
            for (int i = fromRow; i < toRow; i++) {
                Arrays.fill(sum, 0);
                add(x[i], k0, 1, panel, 0, depth, sum, 0, columns);
                double[] row = products[i];
                for (int j = 0; j < columns; j++) {
                    row[fromColumn + j] += sum[j];
                }
            }
        }
    }

    /**
     * Adds combinations of vectors: z_i += factor sum_j w_ij y_j.
     *
     * @param z [p][n]
     * @param w [p][q], or longer rows
     * @param y [q][n]
     */
    void addCombinations(double[][] z, double factor, double[][] w, double[][] y) {
        if (z.length == 0) {
            return;
        }
        int n = z[0].length;
        int pieces = pieces(n, PIECE);
        share(pieces, task -> {
            int from = part(n, pieces, task);
            int to = part(n, pieces, task + 1);
            for (int j0 = 0; j0 < y.length; j0 += DEPTH) {
                int depth = Math.min(DEPTH, y.length - j0);
                for (int i = 0; i < z.length; i++) {
                    add(w[i], j0, factor, y, j0, depth, z[i], from, to);
                }
            }
        });
    }

    private void share(int tasks, IntConsumer task) {
        Cancellation.check();
        threads.share(tasks, task);
    }

    private static int pieces(int length, int most) {
        return (length + most - 1) / most;
    }

    /** Where piece i of so many begins. */
    private static int part(int length, int pieces, int i) {
        return (int) ((long) length * i / pieces);
    }

    /** sum[from..to) += factor times the weighted sum of rows first to first + depth - 1. */
    private static void add(
            double[] weights,
            int at,
            double factor,
            double[][] rows,
            int first,
            int depth,
            double[] sum,
            int from,
            int to) {
        int k = 0;
        for (; k + 7 < depth; k += 8) {
            addEight(weights, at + k, factor, rows, first + k, sum, from, to);
        }
        for (; k < depth; k++) {
            double w = factor * weights[at + k];
            double[] row = rows[first + k];
            for (int j = from; j < to; j++) {
                sum[j] += w * row[j];
            }
        }
    }

    private static void addEight(
            double[] w, int at, double factor, double[][] rows, int k, double[] sum, int from, int to) {
        double w0 = factor * w[at];
        double w1 = factor * w[at + 1];
        double w2 = factor * w[at + 2];
        double w3 = factor * w[at + 3];
        double w4 = factor * w[at + 4];
        double w5 = factor * w[at + 5];
        double w6 = factor * w[at + 6];
        double w7 = factor * w[at + 7];
        double[] b0 = rows[k];
        double[] b1 = rows[k + 1];
        double[] b2 = rows[k + 2];
        double[] b3 = rows[k + 3];
        double[] b4 = rows[k + 4];
        double[] b5 = rows[k + 5];
        double[] b6 = rows[k + 6];
        double[] b7 = rows[k + 7];
        for (int j = from; j < to; j++) {
            sum[j] += ((w0 * b0[j] + w1 * b1[j]) + (w2 * b2[j] + w3 * b3[j]))
                    + ((w4 * b4[j] + w5 * b5[j]) + (w6 * b6[j] + w7 * b7[j]));
        }
    }
}
