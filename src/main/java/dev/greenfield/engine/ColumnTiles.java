package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import java.util.function.Consumer;

/**
 * Cuts the columns of a batch into tiles for attention. Columns do not see each other, so each tile goes from the stream through
 * queries, keys, values and attention back to the stream by itself: they stay in fast memory in between, and no batch needs room
 * for all of them. Where memory is fast and plenty, a batch may be one tile.
 */
final class ColumnTiles {
    private ColumnTiles() {}

    /** The most rows that a tile of a batch can have; {@code longest} is the most rows of a column. */
    static long mostRows(Backend backend, long rows, int longest) {
        long few = (long) backend.preferredAttentionColumns() * longest;
        return Math.min(rows, Math.max(backend.preferredAttentionRows(), few));
    }

    /**
     * Cuts the columns into tiles of about equally many rows, at most as many as the backend prefers to have in attention, unless the
     * fewest columns that it takes together have more. A batch that has no more rows than that is its own tile.
     *
     * @param work takes a tile: the batch, or a part of it
     */
    static void forEach(Backend backend, RaggedRows rows, Consumer<RaggedRows> work) {
        int wanted = backend.preferredAttentionRows();
        int least = backend.preferredAttentionColumns();
        if (rows.rows() <= wanted) {
            work.accept(rows);
            return;
        }
        int parts = (rows.rows() + wanted - 1) / wanted;
        int even = Math.min(wanted, (rows.rows() + parts - 1) / parts);
        int from = 0;
        while (from < rows.columns()) {
            int to = from;
            int sum = 0;
            while (to < rows.columns() && (to - from < least || sum + length(rows, to) <= even)) {
                sum += length(rows, to);
                to++;
            }
            if (to < rows.columns()) {
                to -= (to - from) % least;
            }
            Cancellation.check();
            work.accept(rows.columns(from, to));
            from = to;
        }
    }

    private static int length(RaggedRows rows, int column) {
        return rows.last(column) - rows.first(column) + 1;
    }
}
