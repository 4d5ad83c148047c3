package dev.greenfield.backend.cpu;

/**
 * A row-major matrix somewhere in a block, perhaps to be read transposed: an operand of a {@link Gemm}.
 *
 * @param block where the floats are
 * @param offset index of the first float
 * @param rows rows as stored
 * @param columns columns as stored
 * @param stride floats from one stored row to the next
 * @param transposed whether it takes part as its transpose
 */
record View(CpuMemory.Block block, long offset, int rows, int columns, int stride, boolean transposed) {
    View(CpuMemory.Block block, long offset, int rows, int columns, int stride) {
        this(block, offset, rows, columns, stride, false);
    }

    /** The same numbers as the transposed matrix. */
    View transpose() {
        return new View(block, offset, rows, columns, stride, !transposed);
    }

    /** Rows of the matrix that takes part. */
    int height() {
        return transposed ? columns : rows;
    }

    /** Columns of the matrix that takes part. */
    int breadth() {
        return transposed ? rows : columns;
    }
}
