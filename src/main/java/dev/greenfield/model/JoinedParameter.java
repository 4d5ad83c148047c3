package dev.greenfield.model;

import dev.greenfield.safetensors.Tensor;
import java.util.List;
import java.util.Objects;

/**
 * Tensors side by side: matrices [out, in] as one [in, sum of out], or vectors one after the other. Rows are best read hundreds at a
 * time: each read takes a run of every stored row, and those of some stored rows are turned together, so that what is written lies in
 * few lines of the cache.
 *
 * @param name canonical
 * @param shape of the whole
 * @param parts in their order
 */
record JoinedParameter(String name, long[] shape, List<Tensor> parts) implements Parameter {
    /** Stored rows that are turned together: as many floats as a line of the cache holds. */
    private static final int TOGETHER = 16;

    /** Elements of a stored row that are turned at a time, so that a tile stays in the first cache. */
    private static final int RUN = 512;

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public boolean single() {
        return parts.stream().allMatch(StoredParameter::single);
    }

    @Override
    public void read(long from, double[] into, int at, int count) {
        check(from, into.length, at, count);
        if (shape.length == 1) {
            inOrder(from, count, (part, first, done, n) -> part.read(first, into, at + done, n));
            return;
        }
        double[] tile = new double[TOGETHER * RUN];
        turned(from, count, new Turn() {
            @Override
            public void read(Tensor part, long element, int row, int n) {
                part.read(element, tile, row * RUN, n);
            }

            @Override
            public void put(int row, int column, int element) {
                into[at + element] = tile[row * RUN + column];
            }

            @Override
            public void put(int rows, int columns, int element, int stride) {
                for (int c = 0; c < columns; c++) {
                    for (int r = 0; r < rows; r++) {
                        into[at + element + c * stride + r] = tile[r * RUN + c];
                    }
                }
            }
        });
    }

    @Override
    public void read(long from, float[] into, int at, int count) {
        check(from, into.length, at, count);
        if (shape.length == 1) {
            inOrder(from, count, (part, first, done, n) -> part.read(first, into, at + done, n));
            return;
        }
        float[] tile = new float[TOGETHER * RUN];
        turned(from, count, new Turn() {
            @Override
            public void read(Tensor part, long element, int row, int n) {
                part.read(element, tile, row * RUN, n);
            }

            @Override
            public void put(int row, int column, int element) {
                into[at + element] = tile[row * RUN + column];
            }

            @Override
            public void put(int rows, int columns, int element, int stride) {
                for (int c = 0; c < columns; c++) {
                    for (int r = 0; r < rows; r++) {
                        into[at + element + c * stride + r] = tile[r * RUN + c];
                    }
                }
            }
        });
    }

    private void check(long from, int length, int at, int count) {
        Objects.checkFromIndexSize(from, count, ParameterLayout.elements(shape));
        Objects.checkFromIndexSize(at, count, length);
    }

    private interface Piece {
        void read(Tensor part, long first, int done, int n);
    }

    /** A run of vectors one after the other. */
    private void inOrder(long from, int count, Piece piece) {
        long start = 0; // of a part
        for (Tensor part : parts) {
            long length = part.shape()[0];
            long first = Math.max(from, start);
            int n = (int) (Math.min(from + count, start + length) - first);
            if (n > 0) {
                piece.read(part, first - start, (int) (first - from), n);
            }
            start += length;
        }
    }

    /** Takes tiles of stored rows in, and puts them where they belong. */
    private interface Turn {
        /** Reads {@code n} elements into a row of the tile. */
        void read(Tensor part, long element, int row, int n);

        /** Puts one element of the tile. */
        void put(int row, int column, int element);

        /** Puts a tile: its columns become rows, {@code stride} apart. */
        void put(int rows, int columns, int element, int stride);
    }

    /** A run of the matrix, which may begin and end within a row. */
    private void turned(long from, int count, Turn turn) {
        long out = shape[1];
        long firstRow = from / out;
        long lastRow = count == 0 ? firstRow - 1 : (from + count - 1) / out;
        for (long row = firstRow; row <= lastRow; row += RUN) {
            int n = (int) Math.min(RUN, lastRow + 1 - row);
            long column = 0;
            for (Tensor part : parts) {
                long rows = part.shape()[0];
                for (long stored = 0; stored < rows; stored += TOGETHER) {
                    int m = (int) Math.min(TOGETHER, rows - stored);
                    for (int r = 0; r < m; r++) {
                        turn.read(part, (stored + r) * shape[0] + row, r, n);
                    }
                    put(from, count, row, n, column + stored, m, turn);
                }
                column += rows;
            }
        }
    }

    private void put(long from, int count, long row, int n, long column, int m, Turn turn) {
        long out = shape[1];
        long first = row * out + column - from;
        long last = (row + n - 1) * out + column + m - 1 - from;
        if (first >= 0 && last < count) {
            turn.put(m, n, (int) first, (int) out);
            return;
        }
        for (int c = 0; c < n; c++) {
            for (int r = 0; r < m; r++) {
                long element = (row + c) * out + column + r - from;
                if (element >= 0 && element < count) {
                    turn.put(r, c, (int) element);
                }
            }
        }
    }
}
