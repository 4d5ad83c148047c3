package dev.greenfield.backend;

/**
 * A row-major view of part of a buffer: element (i, j) is at {@code offset + i * stride + j}.
 *
 * @param buffer where the elements are
 * @param offset index of element (0, 0) in the buffer
 * @param rows number of rows
 * @param columns number of columns
 * @param stride elements from one row to the next, at least {@code columns}
 */
public record Matrix(Buffer buffer, long offset, int rows, int columns, int stride) {
    public Matrix {
        if (offset < 0 || rows < 0 || columns < 0 || stride < columns) {
            throw new IllegalArgumentException(
                    "matrix " + rows + " x " + columns + " with stride " + stride + " at " + offset);
        }
        if (rows > 0 && columns > 0 && offset + (rows - 1L) * stride + columns > buffer.length()) {
            throw new IllegalArgumentException("matrix " + rows + " x " + columns + " with stride " + stride + " at "
                    + offset + " runs past the " + buffer.length() + " elements of '" + buffer.label() + "'");
        }
    }

    /** The first {@code rows * columns} elements of a buffer as a matrix without gaps. */
    public static Matrix of(Buffer buffer, int rows, int columns) {
        return new Matrix(buffer, 0, rows, columns, columns);
    }

    /** {@code count} rows from row {@code from} on. */
    public Matrix rows(int from, int count) {
        return new Matrix(buffer, offset + (long) from * stride, count, columns, stride);
    }

    /** Index in the buffer of the first element of a row. */
    public long at(int row) {
        return offset + (long) row * stride;
    }
}
