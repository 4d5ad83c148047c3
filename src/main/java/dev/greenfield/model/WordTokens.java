package dev.greenfield.model;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Words separated by blanks: the plainest {@code tokenizer.json} there is, and the demo's. Done here because loading the
 * tokenizer library costs a tenth of a second and a native library, which the demo must not depend on.
 */
final class WordTokens extends AbstractTokenizer {
    // Unicode's White_Space, which is what the library splits at; Java's own \s leaves some of it out.
    private static final Pattern WORD = Pattern.compile("\\P{IsWhite_Space}+");

    private final TokenizerJson json;
    private final String origin;
    private final Map<String, Integer> words = new HashMap<>();
    private final Pattern added; // null if there are none

    WordTokens(TokenizerJson json, String origin, int vocabulary) {
        super(vocabulary);
        this.json = json;
        this.origin = origin;
        for (int id = 0; id < vocabulary; id++) {
            if (json.piece(id) != null) {
                words.put(json.piece(id), id);
            }
        }
        // Longest first: where two added tokens begin at the same place, the library takes the longer one.
        added = json.added().isEmpty()
                ? null
                : Pattern.compile(json.added().keySet().stream()
                        .sorted((a, b) -> Integer.compare(b.length(), a.length()))
                        .map(Pattern::quote)
                        .collect(Collectors.joining("|")));
    }

    @Override
    int[] ids(String text) {
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        if (added != null) {
            Matcher special = added.matcher(text);
            while (special.find()) {
                split(text.substring(from, special.start()), ids);
                ids.add(json.added().get(special.group()));
                from = special.end();
            }
        }
        split(text.substring(from), ids);
        return ids.build().toArray();
    }

    private void split(String text, IntStream.Builder ids) {
        Matcher word = WORD.matcher(text);
        while (word.find()) {
            Integer id = words.get(word.group());
            if (id == null) {
                throw unknown(word.group(), origin);
            }
            ids.add(id);
        }
    }

    @Override
    String piece(int id) {
        return json.piece(id);
    }
}
