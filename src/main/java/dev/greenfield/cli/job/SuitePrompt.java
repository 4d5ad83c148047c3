package dev.greenfield.cli.job;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One prompt of a suite as the model reads it.
 *
 * @param number its number in the suite, from 1
 * @param text as the suite has it; null where that gives token ids
 * @param tokens ids, [T]
 * @param tokenText what each token reads, [T]
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record SuitePrompt(int number, String text, int[] tokens, List<String> tokenText) {
    public int length() {
        return tokens.length;
    }

    /** The text, or that of the tokens one after another. */
    String shown() {
        return text != null ? text : String.join(" ", tokenText);
    }

    /** For {@code result.json}. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("number", number);
        map.put("tokens", tokens);
        map.put("token_text", tokenText);
        map.put("text", text);
        return map;
    }
}
