package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.model.Parameter;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * A linear layer as it is stored, and the norm before it: what goes to a backend is diag(gain) W and bias + shift W, worked out in
 * double precision and rounded once. Nothing of W is kept here; it is read where it lies each time that it is put on a backend, and
 * gives the same bits each time.
 *
 * @param weight W, [in, out]
 * @param gain of the norm, [in]; null where there is none
 * @param shift of the norm, [in]; null where there is none
 * @param bias of the layer, [out]; zeros where it has none
 */
record FoldedWeights(Parameter weight, double[] gain, double[] shift, double[] bias) {
    /** Rows that are read at a time where doubles are wanted. */
    private static final int ROWS = 64;

    /** Elements of W that each thread reads at a time: what is stored transposed is then read in runs of hundreds. */
    private static final int CHUNK = 1 << 23;

    int in() {
        return (int) weight.shape()[0];
    }

    int out() {
        return (int) weight.shape()[1];
    }

    /** Elements of matrix and bias. */
    long elements() {
        return (long) out() * (in() + 1L);
    }

    /**
     * Puts the layer on a backend.
     *
     * @param matrix receives diag(gain) W, [in, out], without gaps between its rows
     * @param biases receives bias + shift W, [out]
     * @param before is told how many rows are done
     * @throws dev.greenfield.failure.InputException if a number is not finite
     */
    void put(Backend backend, Matrix matrix, Buffer biases, IntConsumer before) {
        double[] sum = bias.clone();
        if (weight.single() && backend.precision().bytes() == Float.BYTES) {
            putFloats(backend, matrix, sum, before);
        } else {
            putDoubles(backend, matrix, sum, before);
        }
        backend.upload(sum, 0, biases, 0, sum.length);
        backend.keepAsFactor(matrix);
    }

    private void putDoubles(Backend backend, Matrix matrix, double[] sum, IntConsumer before) {
        int in = in();
        int out = out();
        double[] rows = new double[ROWS * out];
        for (int i0 = 0; i0 < in; i0 += ROWS) {
            Cancellation.check();
            before.accept(i0);
            int n = Math.min(ROWS, in - i0);
            weight.read((long) i0 * out, rows, 0, n * out);
            TokenRows.requireFinite(weight.name(), rows, n * out, (long) i0 * out);
            for (int i = 0; i < n; i++) {
                for (int j = 0; shift != null && j < out; j++) {
                    sum[j] += shift[i0 + i] * rows[i * out + j];
                }
                for (int j = 0; gain != null && j < out; j++) {
                    rows[i * out + j] *= gain[i0 + i];
                }
            }
            backend.upload(rows, 0, matrix.buffer(), matrix.at(i0), n * out);
        }
    }

    /** What is stored as float32 or less is the same as a double, and on a float32 backend half the work. */
    private void putFloats(Backend backend, Matrix matrix, double[] sum, IntConsumer before) {
        int in = in();
        int out = out();
        int rows = Math.min(in, Math.max(1, CHUNK / out));
        int chunks = (in + rows - 1) / rows;
        int atOnce = Math.min(chunks, Runtime.getRuntime().availableProcessors());
        rows = Math.min(rows, (in + atOnce - 1) / atOnce);
        float[][] read = new float[atOnce][rows * out];
        for (int i0 = 0; i0 < in; i0 += atOnce * rows) {
            Cancellation.check();
            before.accept(i0);
            putGroup(backend, matrix, sum, i0, rows, read);
        }
    }

    /** As many chunks of rows as there are arrays to read them into, side by side. */
    private void putGroup(Backend backend, Matrix matrix, double[] sum, int from, int rows, float[][] read) {
        int in = in();
        int out = out();
        int chunks = Math.min(read.length, (in - from + rows - 1) / rows);
        IntStream.range(0, chunks).parallel().forEach(c -> {
            int i0 = from + c * rows;
            int n = Math.min(rows, in - i0);
            weight.read((long) i0 * out, read[c], 0, n * out);
            TokenRows.requireFinite(weight.name(), read[c], n * out, (long) i0 * out);
        });
        if (shift != null) {
            addShift(sum, from, rows, chunks, read);
        }
        IntStream.range(0, chunks).parallel().forEach(c -> {
            int i0 = from + c * rows;
            int n = Math.min(rows, in - i0);
            for (int i = 0; gain != null && i < n; i++) {
                double factor = gain[i0 + i];
                for (int j = i * out; j < (i + 1) * out; j++) {
                    read[c][j] = (float) (read[c][j] * factor);
                }
            }
            backend.upload(read[c], 0, matrix.buffer(), matrix.at(i0), n * out);
        });
    }

    /** Columns side by side, so that each is summed in the order of its rows. */
    private void addShift(double[] sum, int from, int rows, int chunks, float[][] read) {
        int out = out();
        int last = Math.min(in() - from, chunks * rows);
        int strips = Math.min(out, read.length);
        IntStream.range(0, strips).parallel().forEach(s -> {
            int j0 = (int) ((long) out * s / strips);
            int j1 = (int) ((long) out * (s + 1) / strips);
            for (int i = 0; i < last; i++) {
                float[] chunk = read[i / rows];
                int row = i % rows * out;
                double factor = shift[from + i];
                for (int j = j0; j < j1; j++) {
                    sum[j] += factor * chunk[row + j];
                }
            }
        });
    }
}
