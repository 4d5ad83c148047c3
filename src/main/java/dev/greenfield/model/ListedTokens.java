package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import dev.greenfield.text.Nearest;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Tokens that are listed in {@code tokens.json}, or not at all: they can be shown and named, but text cannot be split. */
final class ListedTokens extends AbstractTokenizer {
    private final String[] pieces; // one an id; null where nothing lists them

    private final String why; // text cannot be split

    private ListedTokens(int vocabulary, String[] pieces, String why) {
        super(vocabulary);
        this.pieces = pieces;
        this.why = why;
    }

    /** Tokens of which nothing but the number is known. */
    static ListedTokens unnamed(int vocabulary) {
        return new ListedTokens(vocabulary, null, null);
    }

    /**
     * Tokens of which nothing but the number is known here.
     *
     * @param why a clause about the file that names them
     */
    static ListedTokens unnamed(int vocabulary, String why) {
        return new ListedTokens(vocabulary, null, why);
    }

    /**
     * Reads a JSON array with the text of every token, in the order of ids. It may be shorter than the vocabulary, which is
     * often padded to a round number; the ids that are left have no text.
     *
     * @throws InputException if it is anything else
     */
    static ListedTokens read(byte[] json, String origin, int vocabulary) throws IOException {
        JsonNode list = Json.parse(json, origin);
        if (!list.isArray() || list.size() > vocabulary) {
            throw new InputException(origin + ": found "
                    + (list.isArray() ? "an array of " + list.size() : "something else than an array")
                    + ", expected an array of at most " + vocabulary
                    + " strings, one a token of the vocabulary; correct the file or remove it and "
                    + Remedy.USE_TOKEN_IDS);
        }
        String[] pieces = new String[vocabulary];
        for (int id = 0; id < list.size(); id++) {
            if (!list.get(id).isTextual()) {
                throw new InputException(origin + ": element " + id + " is "
                        + Lines.one(list.get(id).toString())
                        + ", expected a string, the text of that token; correct the file");
            }
            pieces[id] = list.get(id).textValue();
        }
        return new ListedTokens(vocabulary, pieces, null);
    }

    @Override
    public boolean canEncode() {
        return false;
    }

    @Override
    public int single(String text) {
        if (isId(text)) {
            return id(text);
        }
        if (why != null) {
            throw another();
        }
        if (pieces == null) {
            throw new InputException("found the text " + Lines.quoted(text)
                    + " for a token of a model without tokenizer.json, expected an id; write it as #123");
        }
        int[] matches = matches(text);
        if (matches.length == 0) {
            matches = matches(" " + text);
        }
        if (matches.length == 0) {
            throw new InputException(Lines.quoted(text) + Nearest.question(text, pieces())
                    + " is not in tokens.json, expected the exact text of one token; give its id as #123");
        }
        if (matches.length > 1) {
            String ids =
                    Arrays.stream(matches).limit(8).mapToObj(id -> "#" + id).collect(Collectors.joining(", "))
                            + (matches.length > 8 ? ", ..." : "");
            throw new InputException(Lines.quoted(text) + " is the text of several tokens in tokens.json (" + ids
                    + "), expected one; give the id that is meant");
        }
        return matches[0];
    }

    private int[] matches(String text) {
        return IntStream.range(0, pieces.length)
                .filter(id -> text.equals(pieces[id]))
                .toArray();
    }

    @Override
    int[] ids(String text) {
        if (why != null) {
            throw another();
        }
        throw new InputException("found a text for a model without tokenizer.json, which alone says how to split it,"
                + " expected numbers such as 1,2,3; " + Remedy.USE_TOKEN_IDS);
    }

    private InputException another() {
        return new InputException(why
                + ", expected tokenizer.json, or vocab.json and merges.txt of GPT-2's kind; save the tokenizer anew"
                + " (AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR) does), or " + Remedy.USE_TOKEN_IDS);
    }

    @Override
    String piece(int id) {
        return pieces == null ? null : pieces[id];
    }
}
