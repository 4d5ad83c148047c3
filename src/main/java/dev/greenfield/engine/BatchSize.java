package dev.greenfield.engine;

import dev.greenfield.backend.RaggedRows;

/**
 * What a batch is as a whole, as far as it decides how its rows are pushed.
 *
 * @param tokens those up to the last that the batch has rows at
 * @param rows of all tokens
 */
record BatchSize(int tokens, long rows) {
    static BatchSize of(RaggedRows rows) {
        return new BatchSize(rows.columns() == 0 ? 0 : rows.last(0) + 1, rows.rows());
    }
}
