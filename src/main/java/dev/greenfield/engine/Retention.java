package dev.greenfield.engine;

/**
 * What a sweep is told of others like it: whether a token's map pays depends on the rows of all of them, where it can be kept.
 *
 * @param maps that are kept
 * @param times how often as many rows come in all, this sweep included
 * @param before rows of each token that came before; as many are to be expected again
 */
record Retention(KeptMaps maps, int times, long before) {
    /** Rows of a token to be expected in all where this sweep has {@code count}. */
    long rows(long count) {
        return count * times + before;
    }
}
