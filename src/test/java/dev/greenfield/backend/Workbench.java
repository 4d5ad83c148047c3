package dev.greenfield.backend;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Lays the arguments of one operation out on a backend and reads results back. Whatever an operation should neither read nor
 * write is poisoned with NaN: the elements before a matrix and between its rows, and memory that is to be overwritten. NaN
 * spreads when it is read and is missed when it was written over, so both mistakes show.
 */
public final class Workbench implements AutoCloseable {
    private static final int LEAD = 3;
    private static final int GAP = 5;

    private final Backend backend;
    private final boolean padded;
    private final List<Buffer> buffers = new ArrayList<>();

    /**
     * @param padded whether matrices begin inside their buffer and have gaps between their rows; otherwise they are dense
     */
    public Workbench(Backend backend, boolean padded) {
        this.backend = backend;
        this.padded = padded;
    }

    public Backend backend() {
        return backend;
    }

    /** A matrix whose elements are to be overwritten before anyone reads them. */
    public Matrix poison(int rows, int columns) {
        int stride = columns + (padded ? GAP : 0);
        int offset = padded ? LEAD : 0;
        Buffer buffer = backend.allocate("poisoned " + rows + " x " + columns, offset + (long) rows * stride);
        buffers.add(buffer);
        double[] poison = new double[(int) buffer.length()];
        Arrays.fill(poison, Double.NaN);
        backend.upload(poison, 0, buffer, 0, poison.length);
        return new Matrix(buffer, offset, rows, columns, stride);
    }

    /** A matrix with these elements, row after row. */
    public Matrix matrix(double[] values, int rows, int columns) {
        Matrix matrix = poison(rows, columns);
        write(values, matrix);
        return matrix;
    }

    /** A matrix whose first rows are poisoned and whose rows from {@code fromRow} on are these. */
    public Matrix matrixFrom(int fromRow, double[] values, int rows, int columns) {
        Matrix matrix = poison(rows, columns);
        write(values, matrix.rows(fromRow, rows - fromRow));
        return matrix;
    }

    private void write(double[] values, Matrix matrix) {
        if (values.length != matrix.rows() * matrix.columns()) {
            throw new IllegalArgumentException(values.length + " values for " + matrix);
        }
        for (int i = 0; i < matrix.rows(); i++) {
            backend.upload(values, i * matrix.columns(), matrix.buffer(), matrix.at(i), matrix.columns());
        }
    }

    /** A buffer with these elements. */
    public Buffer vector(double[] values) {
        Buffer buffer = backend.allocate("vector of " + values.length, values.length);
        buffers.add(buffer);
        backend.upload(values, 0, buffer, 0, values.length);
        return buffer;
    }

    /** A buffer to be overwritten. */
    public Buffer poison(int count) {
        double[] poison = new double[count];
        Arrays.fill(poison, Double.NaN);
        return vector(poison);
    }

    public double[] read(Buffer buffer) {
        double[] values = new double[(int) buffer.length()];
        backend.download(buffer, 0, values, 0, values.length);
        return values;
    }

    /** The elements of a matrix, row after row; fails if anything around them was written. */
    public double[] read(Matrix matrix) {
        return readFrom(0, matrix);
    }

    /** The rows from {@code fromRow} on; fails if anything around them, the rows before included, was written. */
    public double[] readFrom(int fromRow, Matrix matrix) {
        double[] all = read(matrix.buffer());
        int n = matrix.columns();
        double[] values = new double[(matrix.rows() - fromRow) * n];
        for (int i = fromRow; i < matrix.rows(); i++) {
            int at = (int) matrix.at(i);
            System.arraycopy(all, at, values, (i - fromRow) * n, n);
            Arrays.fill(all, at, at + n, Double.NaN);
        }
        for (int i = 0; i < all.length; i++) {
            if (!Double.isNaN(all[i])) {
                throw new AssertionError(
                        "element " + i + " of '" + matrix.buffer().label() + "' was written (" + all[i]
                                + ") though it is outside " + matrix + " from row " + fromRow + " on");
            }
        }
        return values;
    }

    @Override
    public void close() {
        buffers.forEach(Buffer::close);
    }
}
