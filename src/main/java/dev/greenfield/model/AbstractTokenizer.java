package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Lines;
import dev.greenfield.text.Nearest;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What all tokenizers share: ids written as {@code #123}, range checks and the messages for what is not one token. */
abstract class AbstractTokenizer implements Tokenizer {
    private static final int SHOWN = 8; // tokens that a message lists

    private final int vocabulary;
    private OptionalInt beginning = OptionalInt.empty();
    private OptionalInt start = OptionalInt.empty();

    AbstractTokenizer(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** The ids of a well-formed text. */
    abstract int[] ids(String text);

    /** What an id inside the vocabulary reads, or null where that is not known. */
    abstract String piece(int id);

    final int vocabulary() {
        return vocabulary;
    }

    @Override
    public final int[] encode(String text) {
        requireWellFormed(text);
        int[] ids = ids(text);
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new InputException("the tokenizer gives id " + id + " for a part of " + Lines.quoted(text)
                        + ", expected 0 to " + (vocabulary - 1)
                        + ", the vocabulary in config.json; use the tokenizer.json that belongs to this model");
            }
        }
        return ids;
    }

    @Override
    public int single(String text) {
        if (isId(text)) {
            return id(text);
        }
        int[] ids;
        try {
            ids = encode(text);
        } catch (InputException unknown) {
            return reading(text).orElseThrow(() -> unknown);
        }
        if (ids.length == 1) {
            return ids[0];
        }
        OptionalInt shown = reading(text);
        if (shown.isPresent()) {
            return shown.getAsInt();
        }
        throw new InputException(Lines.quoted(text) + " is " + (ids.length == 0 ? "no token" : list(ids))
                + ", expected exactly one token; " + remedy(text));
    }

    /**
     * The one token that reads so. A tokenizer that puts a blank in front of every text makes two tokens of " Lily", though that is how it
     * shows the one that it makes of "Lily".
     */
    private OptionalInt reading(String text) {
        OptionalInt found = OptionalInt.empty();
        for (int id = 0; id < vocabulary && text.startsWith(" "); id++) {
            if (text.equals(piece(id))) {
                if (found.isPresent()) {
                    return OptionalInt.empty();
                }
                found = OptionalInt.of(id);
            }
        }
        return found;
    }

    @Override
    public final String text(int id) {
        if (id < 0 || id >= vocabulary) {
            throw outOfRange("token id " + id);
        }
        String piece = piece(id);
        return piece == null ? "#" + id : piece;
    }

    /** Says which token belongs in front of every text. */
    final void beginsWith(int id) {
        beginning = OptionalInt.of(id);
        start = beginning;
    }

    /** Says which token begins texts where somebody puts one in front. */
    final void mayBeginWith(int id) {
        start = OptionalInt.of(id);
    }

    @Override
    public final OptionalInt start() {
        return start;
    }

    @Override
    public final OptionalInt beginning() {
        return beginning;
    }

    @Override
    public boolean canEncode() {
        return true;
    }

    @Override
    public void close() {}

    /** Whether a text is an id written as {@code #123}. */
    static boolean isId(String text) {
        return text.length() > 1
                && text.charAt(0) == '#'
                && text.chars().skip(1).allMatch(c -> c >= '0' && c <= '9');
    }

    /** The id that a text such as {@code #123} names. */
    final int id(String text) {
        // Nine digits are always an int; more, leading zeros aside, are outside any vocabulary in use.
        String digits = text.substring(1).replaceFirst("^0+(?=.)", "");
        if (digits.length() > 9 || Integer.parseInt(digits) >= vocabulary) {
            throw outOfRange("token " + Lines.one(text));
        }
        return Integer.parseInt(digits);
    }

    /** The error for a word that would become the unknown token or vanish. */
    final InputException unknown(String word, String origin) {
        return new InputException("found the word " + Lines.quoted(word) + Nearest.question(word, pieces())
                + ", expected words of the vocabulary in " + origin
                + "; use another word, or #123 for the token with that id, or " + Remedy.USE_TOKEN_IDS);
    }

    /** What the tokens read, as far as that is known. */
    final List<String> pieces() {
        return IntStream.range(0, vocabulary)
                .mapToObj(this::piece)
                .filter(Objects::nonNull)
                .toList();
    }

    /** What to do about a text that is several tokens: byte-level vocabularies want the blank in front of a word. */
    private String remedy(String text) {
        String spaced = " " + text;
        if (!text.isEmpty() && text.charAt(0) != ' ' && isOne(spaced)) {
            return Lines.quoted(spaced) + " with a blank in front is one";
        }
        return Nearest.of(text, pieces())
                .filter(this::isOne)
                .map(near -> "did you mean " + Lines.quoted(near) + "? Choose another text or give an id as #123")
                .orElse("choose another text or give an id as #123");
    }

    private boolean isOne(String text) {
        try {
            return ids(text).length == 1;
        } catch (InputException unknown) {
            return false;
        }
    }

    private String list(int[] ids) {
        String shown = Arrays.stream(ids)
                .limit(SHOWN)
                .mapToObj(id -> Lines.quoted(text(id)) + " #" + id)
                .collect(Collectors.joining(", "));
        return ids.length + " tokens (" + shown + (ids.length > SHOWN ? ", ..." : "") + ")";
    }

    private InputException outOfRange(String found) {
        return new InputException(
                found + " is not in the vocabulary, expected an id from 0 to " + (vocabulary - 1) + "; correct the id");
    }

    /** Half a surrogate pair is no text: tokenizers would replace it by something else without a word. */
    private static void requireWellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isHighSurrogate(text.charAt(i))
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(text.charAt(i))) {
                throw new InputException("the text has half of a surrogate pair at character " + i
                        + ", expected well-formed Unicode; correct the text");
            }
        }
    }
}
