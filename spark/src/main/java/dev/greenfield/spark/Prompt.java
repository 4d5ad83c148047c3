package dev.greenfield.spark;

import dev.greenfield.lattice.Observable;
import java.io.Serializable;

/**
 * One prompt in a model's tokens, on its way to an executor.
 *
 * @param number in the suite, from 1: what its random directions follow from
 * @param tokens ids, [T]
 * @param corrupt ids of the prompt that it is compared with; null where there is none
 * @param answer a token's text, or #id; null where there is none
 * @param foil likewise
 * @param task what kind of prompt it is; null where nothing is said
 * @param differs the token that the task hangs on; null where nothing is said
 */
record Prompt(int number, int[] tokens, int[] corrupt, String answer, String foil, String task, Integer differs)
        implements Serializable {
    int length() {
        return tokens.length;
    }

    /** logit(answer) - logit(foil), or the answer's logit where there is no foil. */
    Observable observable() {
        return foil == null ? Observable.logit(answer) : Observable.logitDifference(answer, foil);
    }
}
