package dev.greenfield.engine;

/**
 * What saves work at one token of a batch.
 *
 * @param kept whether the map of its MLP is there already; see {@link KeptTokens}
 * @param zero whether its rows are those of cotangents that no attention has brought here yet: they are left out
 */
public record TokenState(boolean kept, boolean zero) {
    /** Rows that are not zero, with or without a map that is kept. */
    public static TokenState kept(boolean kept) {
        return new TokenState(kept, false);
    }
}
