package dev.greenfield.engine;

/**
 * What a sweep is told of others like it: whether a token's map pays depends on the rows of all of them, where it can be kept.
 *
 * @param maps that are kept
 * @param others rows of each token that other sweeps have
 */
record Retention(KeptMaps maps, long others) {
    /** Rows of a token to be expected in all where this sweep has {@code count}. */
    long rows(long count) {
        return count + others;
    }
}
