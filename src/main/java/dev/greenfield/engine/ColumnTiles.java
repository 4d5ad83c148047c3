package dev.greenfield.engine;

import dev.greenfield.backend.RaggedRows;

/**
 * Cuts the columns of a batch into tiles for attention. Columns do not see each other, so each tile goes from the stream through
 * queries, keys, values and attention back to the stream by itself: they stay in fast memory in between, and no batch needs room
 * for all of them.
 */
final class ColumnTiles {
    private ColumnTiles() {}

    /** Takes some columns of a batch. */
    interface Work {
        /**
         * Takes them.
         *
         * @param tile their rows
         * @param columns their numbers in the batch
         */
        void take(RaggedRows tile, int[] columns);
    }

    /** The most rows that a tile of a batch can have. */
    static int mostRows(int rows, int longestColumn, int wanted) {
        return Math.min(rows, Math.max(wanted, longestColumn));
    }

    /** Cuts the columns into tiles of about equally many rows, at most {@code wanted} unless a single column has more. */
    static void forEach(RaggedRows rows, int wanted, Work work) {
        int parts = Math.max(1, (rows.rows() + wanted - 1) / wanted);
        int even = Math.min(wanted, (rows.rows() + parts - 1) / parts);
        int from = 0;
        while (from < rows.columns()) {
            int to = from;
            int sum = 0;
            while (to < rows.columns() && (to == from || sum + length(rows, to) <= even)) {
                sum += length(rows, to);
                to++;
            }
            int[] columns = new int[to - from];
            for (int c = 0; c < columns.length; c++) {
                columns[c] = from + c;
            }
            work.take(rows.columns(from, to), columns);
            from = to;
        }
    }

    private static int length(RaggedRows rows, int column) {
        return rows.last(column) - rows.first(column) + 1;
    }

    /** Where a tile's rows from a token on stand in the batch. */
    static int[] index(RaggedRows rows, RaggedRows tile, int[] columns, int fromToken) {
        int[] index = new int[tile.rows() - tile.start(fromToken)];
        for (int t = fromToken; t < tile.tokens(); t++) {
            for (int c = 0; c < tile.count(t); c++) {
                index[tile.row(t, c) - tile.start(fromToken)] = rows.row(t, columns[c]);
            }
        }
        return index;
    }
}
