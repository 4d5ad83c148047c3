package dev.greenfield.cli;

import dev.greenfield.Model;
import dev.greenfield.lattice.InputException;
import dev.greenfield.lattice.Observable;
import java.util.Arrays;

/**
 * Two prompts of a suite that are compared, with what is read of both.
 *
 * @param prompt the clean one
 * @param corrupt ids of the other, [T]
 * @param observable F, at the last token
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
record SuitePair(SuitePrompt prompt, int[] corrupt, Observable observable) {
    /**
     * The pair of an entry.
     *
     * @throws InputException if it is none; the message does not name the entry
     */
    static SuitePair of(SuitePrompt prompt, Suite.Pair pair, Model model) {
        if ((pair.corrupt() == null) == (pair.corruptIds() == null)) {
            throw new InputException((pair.corrupt() == null ? "found no corrupt prompt" : "found two corrupt prompts")
                    + ", expected one of the keys 'corrupt' and 'corrupt_tokens'");
        }
        if (pair.answer() == null) {
            throw new InputException("found no answer, expected the key 'answer' with the text of one token or #id");
        }
        int[] corrupt = pair.corruptIds() != null
                ? pair.corruptIds()
                : model.tokenizer().encode(pair.corrupt());
        model.config().checkTokens(corrupt);
        if (corrupt.length != prompt.length()) {
            throw new InputException("the prompt has " + prompt.length() + " tokens, the corrupt prompt "
                    + corrupt.length + ": expected equal lengths");
        }
        if (Arrays.equals(corrupt, prompt.tokens())) {
            throw new InputException("the prompt and the corrupt prompt are the same tokens, expected different ones");
        }
        int answer = model.tokenizer().single(pair.answer());
        if (pair.foil() != null && model.tokenizer().single(pair.foil()) == answer) {
            throw new InputException("answer and foil are the same token, expected two different ones");
        }
        Observable f = pair.foil() == null
                ? Observable.logit(pair.answer())
                : Observable.logitDifference(pair.answer(), pair.foil());
        return new SuitePair(prompt, corrupt, f);
    }

    /** Number of tokens. */
    int length() {
        return corrupt.length;
    }
}
