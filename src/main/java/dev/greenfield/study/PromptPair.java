package dev.greenfield.study;

import dev.greenfield.lattice.Observable;
import java.util.Objects;

/**
 * One entry of a suite as a model reads it.
 *
 * @param number its number in the suite, from 1
 * @param tokens ids of the prompt, [T]
 * @param corrupt ids of the prompt that it is compared with, [T]
 * @param observable what is read at its last token
 * @param task what kind of prompt it is; null where the suite does not say
 * @param differs the token that the mechanism of the task hangs on; null where the suite does not say
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record PromptPair(int number, int[] tokens, int[] corrupt, Observable observable, String task, Integer differs) {
    /** Both prompts must have one length. */
    public PromptPair {
        Objects.requireNonNull(observable, "observable");
        if (tokens.length != corrupt.length) {
            throw new IllegalArgumentException(
                    "prompts of " + tokens.length + " and " + corrupt.length + " tokens cannot be compared");
        }
    }

    /** The first token where the two prompts differ. */
    int firstDifference() {
        int t = 0;
        while (t < tokens.length - 1 && tokens[t] == corrupt[t]) {
            t++;
        }
        return t;
    }
}
