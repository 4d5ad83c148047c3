package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import java.util.OptionalInt;

/**
 * Turns text into token ids and shows what ids mean. Every id that comes out is inside the model's vocabulary. Safe for
 * use by several threads.
 */
public interface Tokenizer extends AutoCloseable {
    /**
     * The token ids of a text, as it stands: no token is added in front or behind, nothing is cut off or padded. Special
     * tokens that are written out in the text, such as {@code <|endoftext|>}, become their one id.
     *
     * @throws dev.greenfield.failure.InputException if this model's words are not known, or the text has a word that is not
     *     in the vocabulary
     */
    int[] encode(String text);

    /**
     * The token ids of a prompt: those of the text, with {@link #beginning} or {@link #start} in front where {@code how} says so and the
     * text does not begin with it.
     *
     * @throws dev.greenfield.failure.InputException also if {@link Beginning#YES} is asked for and this tokenizer has no such token
     */
    default int[] encode(String text, Beginning how) {
        int[] ids = encode(text);
        OptionalInt first = switch (how) {
            case AUTO -> beginning();
            case YES -> start();
            case NO -> OptionalInt.empty();
        };
        if (how == Beginning.YES && first.isEmpty()) {
            throw new InputException("found a tokenizer without a token that begins texts, expected one that has it;"
                    + " write the token in front of the prompt");
        }
        if (first.isEmpty() || (ids.length > 0 && ids[0] == first.getAsInt())) {
            return ids;
        }
        int[] all = new int[ids.length + 1];
        all[0] = first.getAsInt();
        System.arraycopy(ids, 0, all, 1, ids.length);
        return all;
    }

    /**
     * The id of a text that is exactly one token; {@code #123} is the token with id 123, whatever the tokenizer.
     *
     * @throws dev.greenfield.failure.InputException if the text is several tokens, none or unknown, naming what was found
     */
    int single(String text);

    /**
     * What a token reads, for people: " Paris" with its blank, bytes that are no text on their own as {@code \xE2\x80}, and
     * {@code #123} where nothing is known of it.
     *
     * @throws dev.greenfield.failure.InputException if the id is not in the vocabulary
     */
    String text(int id);

    /**
     * The token that the model's own tokenizer puts in front of every text; empty where it puts none. {@link #encode(String)} adds
     * nothing, {@link #encode(String, Beginning)} does.
     */
    OptionalInt beginning();

    /**
     * The token that begins texts by what the model's files say, whether or not its tokenizer puts it in front: {@link #beginning}, or else
     * the {@code bos_token}. Empty where there is neither.
     */
    default OptionalInt start() {
        return beginning();
    }

    /** Whether {@link #encode(String)} can work; where it cannot, prompts have to be given as token ids. */
    boolean canEncode();

    /** Frees what the tokenizer holds. Closing again does nothing. */
    @Override
    void close();
}
