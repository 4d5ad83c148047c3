package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import java.util.List;

/**
 * What normalized tangents of a token are multiplied with for the tangents of scores that come of them; see {@link KeyPath}. For a run
 * of E tokens and H heads a token has H (E + 1) factors [D]: of the queries from its own on, then of the keys up to its own, each for
 * all heads side by side.
 */
interface ScoreFactors {
    /** How many tokens' factors there is room for. */
    int atOnce();

    /** Makes the factors of the tokens from (inclusive) to (exclusive), at most {@link #atOnce}, unless they are there. */
    void hold(int from, int to);

    /** The factors of a token that is held, in their order; in several matrices [n, D], where they do not follow each other in memory. */
    List<Matrix> of(int token);
}
