package dev.greenfield.model;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The program of the process that Hugging Face's library works in. A file can end that process, by a panic or a stack overflow behind
 * the library's JNI, and no other. It loads the library that its arguments name, answers on standard output what is asked on standard
 * input, and ends with it. It needs this class and the library's own beside the Java platform.
 */
final class TokenizerChild {
    static final int LOAD = 1;
    static final int ENCODE = 2;
    static final int FREE = 3;
    static final int ANSWER = 0;
    static final int REFUSED = 1;

    private TokenizerChild() {}

    /** Answers until standard input ends. */
    public static void main(String[] libraries) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
        for (String library : libraries) {
            System.load(library);
        }
        out.writeInt(ANSWER);
        out.flush();
        try {
            while (true) {
                answer(in, out);
                out.flush();
            }
        } catch (EOFException parentDone) {
            System.exit(0);
        }
    }

    private static void answer(DataInputStream in, DataOutputStream out) throws IOException {
        int question = in.readInt();
        switch (question) {
            case LOAD -> {
                String json = text(in);
                long handle;
                try {
                    handle = TokenizersLibrary.LIB.createTokenizerFromString(json);
                } catch (RuntimeException refused) {
                    refuse(out, refused);
                    return;
                }
                out.writeInt(ANSWER);
                out.writeLong(handle);
            }
            case ENCODE -> {
                long handle = in.readLong();
                encode(handle, text(in), out);
            }
            case FREE -> {
                TokenizersLibrary.LIB.deleteTokenizer(in.readLong());
                out.writeInt(ANSWER);
            }
            default -> throw new IOException("question " + question);
        }
    }

    private static void encode(long handle, String text, DataOutputStream out) throws IOException {
        long[] ids;
        CharSpan[] spans;
        try {
            long encoding = TokenizersLibrary.LIB.encode(handle, text, false);
            try {
                ids = TokenizersLibrary.LIB.getTokenIds(encoding);
                spans = TokenizersLibrary.LIB.getTokenCharSpans(encoding);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        } catch (RuntimeException refused) {
            refuse(out, refused);
            return;
        }
        out.writeInt(ANSWER);
        out.writeInt(ids.length);
        for (int i = 0; i < ids.length; i++) {
            out.writeLong(ids[i]);
            out.writeInt(spans[i] == null ? -1 : spans[i].getStart());
            out.writeInt(spans[i] == null ? -1 : spans[i].getEnd());
        }
    }

    private static void refuse(DataOutputStream out, RuntimeException refused) throws IOException {
        byte[] why = String.valueOf(refused.getMessage()).getBytes(StandardCharsets.UTF_8);
        out.writeInt(REFUSED);
        out.writeInt(why.length);
        out.write(why);
    }

    private static String text(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
