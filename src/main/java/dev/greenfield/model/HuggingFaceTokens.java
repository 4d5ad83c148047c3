package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Lines;

/**
 * Any {@code tokenizer.json}, applied by Hugging Face's own library in a process of its own: a file that ends the library, as some do,
 * ends that process and is refused here.
 */
final class HuggingFaceTokens extends AbstractTokenizer {
    private final byte[] file; // as the library is given it
    private final TokenizerJson json;
    private final String origin;
    private TokenizerProcess process; // that has the tokenizer
    private long handle; // of the tokenizer in it
    private boolean closed;

    private HuggingFaceTokens(byte[] file, TokenizerJson json, String origin, int vocabulary) {
        super(vocabulary);
        this.file = file;
        this.json = json;
        this.origin = origin;
    }

    /**
     * Loads the tokenizer.
     *
     * @param file without truncation, padding and dropout
     * @throws InputException if the library refuses the file, or it ends the library
     * @throws NativeLibraryException if the library cannot be used here
     */
    static HuggingFaceTokens load(byte[] file, TokenizerJson json, String origin, int vocabulary) {
        HuggingFaceTokens tokens = new HuggingFaceTokens(file, json, origin, vocabulary);
        tokens.require();
        return tokens;
    }

    /** Makes the tokenizer in the process that runs now, unless it is there: another file may have ended the one that had it. */
    private void require() {
        try {
            inProcess(() -> null);
        } catch (TokenizerProcess.Refused refused) {
            throw new InputException(
                    origin + ": the tokenizer library refuses the file (" + Lines.reason(refused)
                            + "), expected a Hugging Face tokenizer; get the file again, or " + Remedy.USE_TOKEN_IDS,
                    refused);
        } catch (TokenizerProcess.Ended ended) {
            throw fatal("reading the file", ended);
        }
    }

    private interface Question<T> {
        T ask() throws TokenizerProcess.Refused, TokenizerProcess.Ended;
    }

    /** Asks the process, and where that ended, another one once more: what another thread asked may have ended the first. */
    private <T> T inProcess(Question<T> question) throws TokenizerProcess.Refused, TokenizerProcess.Ended {
        for (int attempt = 1; ; attempt++) {
            TokenizerProcess now = TokenizerProcess.get();
            try {
                if (now != process) {
                    handle = now.load(file);
                    process = now;
                }
                return question.ask();
            } catch (TokenizerProcess.Ended ended) {
                if (attempt == 2 || !ended.worthAnother()) {
                    throw ended;
                }
            }
        }
    }

    private InputException fatal(String work, TokenizerProcess.Ended ended) {
        return new InputException(
                origin + ": the tokenizer library broke down when " + work + " (" + ended.getMessage()
                        + "), expected a Hugging Face tokenizer; the file is damaged or made to do harm: get it again, or "
                        + Remedy.USE_TOKEN_IDS,
                ended);
    }

    @Override
    synchronized int[] ids(String text) {
        if (closed) {
            throw new IllegalStateException("the tokenizer of " + origin + " is closed");
        }
        require();
        TokenizerProcess.Encoded encoded;
        try {
            encoded = inProcess(() -> process.encode(handle, text));
        } catch (TokenizerProcess.Refused refused) {
            throw new InputException(
                    origin + ": " + Lines.quoted(text) + " cannot be split into tokens (" + Lines.reason(refused)
                            + "), expected words of the vocabulary; use other words, or " + Remedy.USE_TOKEN_IDS,
                    refused);
        } catch (TokenizerProcess.Ended ended) {
            throw fatal("splitting " + Lines.quoted(text), ended);
        }
        refuseUnknown(text, encoded);
        if (json.dropsUnknown()) {
            refuseDropped(text, encoded);
        }
        int[] ids = new int[encoded.ids().length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.toIntExact(encoded.ids()[i]);
        }
        return ids;
    }

    /** The unknown token is only right where the text spells it out. */
    private void refuseUnknown(String text, TokenizerProcess.Encoded encoded) {
        for (int i = 0; i < encoded.ids().length; i++) {
            if (json.unknownId() >= 0 && encoded.ids()[i] == json.unknownId() && encoded.starts()[i] >= 0) {
                String word =
                        slice(text, encoded.starts()[i], encoded.ends()[i]).strip();
                if (!word.equals(json.piece(json.unknownId()))) {
                    throw unknown(word, origin);
                }
            }
        }
    }

    /** Everything but blanks has to be inside some token. */
    private void refuseDropped(String text, TokenizerProcess.Encoded encoded) {
        int[] characters = text.codePoints().toArray();
        boolean[] seen = new boolean[characters.length];
        for (int token = 0; token < encoded.ids().length; token++) {
            for (int i = Math.max(0, encoded.starts()[token]); i < Math.min(seen.length, encoded.ends()[token]); i++) {
                seen[i] = true;
            }
        }
        for (int i = 0; i < characters.length; i++) {
            if (!seen[i] && !Character.isWhitespace(characters[i]) && !Character.isSpaceChar(characters[i])) {
                throw unknown(Character.toString(characters[i]), origin);
            }
        }
    }

    /** Spans count code points, Java strings UTF-16 units. */
    private static String slice(String text, int from, int to) {
        int start = text.offsetByCodePoints(0, from);
        return text.substring(start, text.offsetByCodePoints(start, to - from));
    }

    @Override
    String piece(int id) {
        return json.shown(id);
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (process != null && process.isAlive()) {
                process.free(handle);
            }
        } catch (TokenizerProcess.Refused | TokenizerProcess.Ended gone) {
            // With its process the tokenizer went, which is what was wanted.
            process = null;
        }
    }
}
