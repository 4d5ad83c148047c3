package dev.greenfield.cli.job;

import dev.greenfield.Model;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import java.util.Arrays;
import java.util.Map;

/**
 * A prompt of a suite with its observable, read at its last token, and the prompt that it is compared with.
 *
 * @param prompt itself
 * @param corrupt token ids of the other, as many; null where it is not needed
 * @param corruptText its text; null where the suite gives ids, and where it is not needed
 * @param observable logit(answer) - logit(foil), or the answer's logit where there is no foil
 * @param task what kind of prompt it is; null where the suite does not say
 * @param differs the token that the task hangs on; null where the suite does not name one of the prompt
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record SuitePair(
        SuitePrompt prompt, int[] corrupt, String corruptText, Observable observable, String task, Integer differs) {

    /**
     * Reads the rest of an entry.
     *
     * @throws InputException if something is missing, the model cannot read it, or the prompts cannot be compared
     */
    static SuitePair of(SuitePrompt prompt, Suite.Other other, Model model, boolean needsCorrupt) {
        if (other.answer() == null) {
            throw new InputException(
                    "found no answer, expected the key 'answer': the text of one token, or #id, for F to be its logit");
        }
        int answer = single("answer", other.answer(), model);
        if (other.foil() != null && single("foil", other.foil(), model) == answer) {
            throw new InputException("'answer' and 'foil' are the same token (id " + answer
                    + "), so their logit difference is always 0: choose two different tokens");
        }
        Observable f = other.foil() == null
                ? Observable.logit(other.answer())
                : Observable.logitDifference(other.answer(), other.foil());
        boolean named = other.differs() != null && other.differs() >= 0 && other.differs() < prompt.length();
        return new SuitePair(
                prompt,
                needsCorrupt ? corrupt(prompt, other, model) : null,
                needsCorrupt ? other.corrupt() : null,
                f,
                other.task(),
                named ? other.differs() : null);
    }

    /** For {@code result.json}: the prompt's fields, and what it is compared with and by. */
    Map<String, Object> toMap(Model model) {
        Map<String, Object> map = prompt.toMap();
        map.put("corrupt_tokens", corrupt);
        map.put("corrupt_text", corruptText);
        map.put("answer", Job.token(model, observable.answer()));
        map.put("foil", observable.foil() == null ? null : Job.token(model, observable.foil()));
        map.put("task", task);
        map.put("differs_at_token", differs);
        return map;
    }

    private static int single(String key, String text, Model model) {
        try {
            return model.tokenizer().single(text);
        } catch (InputException wrong) {
            throw new InputException("key '" + key + "': " + wrong.getMessage(), wrong);
        }
    }

    private static int[] corrupt(SuitePrompt prompt, Suite.Other other, Model model) {
        if (other.corrupt() == null && other.corruptIds() == null) {
            throw new InputException(
                    "found no corrupt prompt, expected the key 'corrupt' or 'corrupt_tokens': the prompt to"
                            + " compare with");
        }
        int[] tokens;
        try {
            tokens = other.corrupt() != null ? model.encode(other.corrupt()) : other.corruptIds();
            model.config().checkTokens(tokens);
        } catch (InputException wrong) {
            throw new InputException("the corrupt prompt: " + Suite.ofSuite(wrong.getMessage()), wrong);
        }
        if (tokens.length != prompt.length()) {
            throw new InputException("the prompt has " + prompt.length() + " tokens, the corrupt prompt "
                    + tokens.length + ": a patch needs prompts of equal length, reword one of them");
        }
        if (Arrays.equals(tokens, prompt.tokens())) {
            throw new InputException("the prompt and the corrupt prompt are the same tokens, so that patching changes"
                    + " nothing: change a word of one of them");
        }
        return tokens;
    }
}
