package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Lines;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Tokens beside the vocabulary. The published library does not take their ids from the file: a token that the vocabulary has keeps that
 * id, any other gets the next after all others. Where that is not what the file says, nobody knows which of the two was trained.
 */
final class AddedTokens {
    private AddedTokens() {}

    /**
     * The ids, as file and library agree on them.
     *
     * @param words the vocabulary
     * @param stored ids by content, in the order of the file
     * @throws InputException naming both ids where they do not agree
     */
    static Map<String, Integer> ids(Map<String, Integer> words, Map<String, Integer> stored, String origin) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        int next = words.size();
        Map<Integer, String> taken = new HashMap<>();
        for (Map.Entry<String, Integer> token : stored.entrySet()) {
            Integer known = words.get(token.getKey());
            int id = known == null ? next++ : known;
            if (id != token.getValue()) {
                throw differs(token.getKey(), token.getValue(), Integer.toString(id), origin);
            }
            String other = taken.put(id, token.getKey());
            if (other != null) {
                throw differs(token.getKey(), token.getValue(), "that of " + Lines.quoted(other), origin);
            }
            ids.put(token.getKey(), id);
        }
        return ids;
    }

    /**
     * Encodes each once.
     *
     * @throws InputException if one is not encoded as the id that the file gives it
     */
    static void check(AbstractTokenizer tokenizer, Map<String, Integer> tokens, String origin) {
        tokens.forEach((content, id) -> {
            int[] found = tokenizer.ids(content);
            if (found.length != 1 || found[0] != id) {
                String what = Arrays.toString(Arrays.copyOf(found, Math.min(8, found.length)));
                throw differs(content, id, found.length == 1 ? Integer.toString(found[0]) : what, origin);
            }
        });
    }

    private static InputException differs(String content, int stored, String found, String origin) {
        return new InputException(origin + ": the added token " + Lines.quoted(content) + " has id " + stored
                + " in the file and is encoded as " + found
                + ", expected one id in both; number the added tokens on from the vocabulary, or "
                + Remedy.USE_TOKEN_IDS);
    }
}
