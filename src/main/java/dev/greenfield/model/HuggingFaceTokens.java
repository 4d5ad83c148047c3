package dev.greenfield.model;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Lines;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Any {@code tokenizer.json}, applied by Hugging Face's own library through DJL, with no network. */
final class HuggingFaceTokens extends AbstractTokenizer {
    private static final Map<String, String> OFFLINE =
            Map.of("ai.djl.offline", "true", "OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu");

    private static final Logger JNA = Logger.getLogger("com.sun.jna");

    private final HuggingFaceTokenizer tokenizer;
    private final TokenizerJson json;
    private final String origin;
    private boolean closed;

    private HuggingFaceTokens(HuggingFaceTokenizer tokenizer, TokenizerJson json, String origin, int vocabulary) {
        super(vocabulary);
        this.tokenizer = tokenizer;
        this.json = json;
        this.origin = origin;
    }

    /**
     * Loads the tokenizer.
     *
     * @throws InputException if the library refuses the file
     * @throws NativeLibraryException if it cannot be loaded here
     */
    static HuggingFaceTokens load(byte[] bytes, TokenizerJson json, String origin, int vocabulary) throws IOException {
        // These win over the truncation and padding that a tokenizer.json may ask for.
        Map<String, String> asItStands = Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");
        try {
            HuggingFaceTokenizer tokenizer =
                    offline(() -> HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(bytes), asItStands));
            return new HuggingFaceTokens(tokenizer, json, origin, vocabulary);
        } catch (EngineException | LinkageError | AssertionError absent) { // the last is DJL's for an unknown platform
            throw new NativeLibraryException(
                    "the tokenizer library cannot be loaded on this machine (" + Lines.reason(first(absent))
                            + "), expected Linux, macOS or Windows on a common processor, and a temporary and a home"
                            + " directory that can be written; " + Remedy.USE_TOKEN_IDS,
                    absent);
        } catch (RuntimeException refused) {
            throw new InputException(
                    origin + ": the tokenizer library refuses the file (" + Lines.reason(refused)
                            + "), expected a Hugging Face tokenizer; get the file again, or " + Remedy.USE_TOKEN_IDS,
                    refused);
        }
    }

    /**
     * The failure that led to the others, DJL's own left out: where its files cannot be written it ends up complaining about
     * what it would download instead.
     */
    private static Throwable first(Throwable failure) {
        Throwable first = failure;
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            if (!(cause instanceof EngineException)) {
                first = cause;
            }
        }
        return first;
    }

    /**
     * Loads with DJL kept off the network: otherwise each load may send a usage report, and the first one may download another
     * build of the library. JNA, which only asks for the platform, would print stack traces where it cannot unpack itself. A
     * program that uses either finds its settings as they were.
     */
    private static synchronized HuggingFaceTokenizer offline(Loading loading) throws IOException {
        Map<String, String> before = new HashMap<>();
        Level loud = JNA.getLevel();
        JNA.setLevel(Level.OFF);
        OFFLINE.forEach((property, value) -> before.put(property, System.setProperty(property, value)));
        try {
            return loading.load();
        } finally {
            JNA.setLevel(loud);
            before.forEach((property, value) -> {
                if (value == null) {
                    System.clearProperty(property);
                } else {
                    System.setProperty(property, value);
                }
            });
        }
    }

    private interface Loading {
        HuggingFaceTokenizer load() throws IOException;
    }

    @Override
    synchronized int[] ids(String text) {
        if (closed) {
            throw new IllegalStateException("the tokenizer of " + origin + " is closed");
        }
        Encoding encoding;
        try {
            encoding = tokenizer.encode(text, false, false);
        } catch (RuntimeException refused) {
            throw new InputException(
                    origin + ": " + Lines.quoted(text) + " cannot be split into tokens (" + Lines.reason(refused)
                            + "), expected words of the vocabulary; use other words, or " + Remedy.USE_TOKEN_IDS,
                    refused);
        }
        long[] found = encoding.getIds();
        CharSpan[] spans = encoding.getCharTokenSpans();
        refuseUnknown(text, found, spans);
        if (json.dropsUnknown()) {
            refuseDropped(text, spans);
        }
        int[] ids = new int[found.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.toIntExact(found[i]);
        }
        return ids;
    }

    /** The unknown token is only right where the text spells it out. */
    private void refuseUnknown(String text, long[] ids, CharSpan[] spans) {
        for (int i = 0; i < ids.length; i++) {
            if (json.unknownId() >= 0 && ids[i] == json.unknownId() && spans[i] != null) {
                String word = slice(text, spans[i]).strip();
                if (!word.equals(json.piece(json.unknownId()))) {
                    throw WordTokens.unknown(word, origin);
                }
            }
        }
    }

    /** Everything but blanks has to be inside some token. */
    private void refuseDropped(String text, CharSpan[] spans) {
        int[] characters = text.codePoints().toArray();
        boolean[] seen = new boolean[characters.length];
        for (CharSpan span : spans) {
            for (int i = span == null ? 0 : span.getStart(); span != null && i < span.getEnd(); i++) {
                seen[i] = true;
            }
        }
        for (int i = 0; i < characters.length; i++) {
            if (!seen[i] && !Character.isWhitespace(characters[i]) && !Character.isSpaceChar(characters[i])) {
                throw WordTokens.unknown(Character.toString(characters[i]), origin);
            }
        }
    }

    /** Spans count code points, Java strings UTF-16 units. */
    private static String slice(String text, CharSpan span) {
        int start = text.offsetByCodePoints(0, span.getStart());
        return text.substring(start, text.offsetByCodePoints(start, span.getEnd() - span.getStart()));
    }

    @Override
    String piece(int id) {
        String piece = json.piece(id);
        if (piece == null || json.added().containsKey(piece)) {
            return piece;
        }
        if (json.byteLevel()) {
            return ByteLevel.text(piece);
        }
        return json.marksBlanks() ? piece.replace('\u2581', ' ') : piece;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            tokenizer.close();
        }
    }
}
