package dev.greenfield.model;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * Tokens that are bytes, as text. Byte-level tokenizers store bytes in an alphabet of their own: printable Latin-1 stands for
 * itself, the other 68 bytes are U+0100 and up, in order. A blank is U+0120.
 */
final class ByteLevel {
    private static final int[] BYTE_OF = new int[256 + 68]; // by character; -1 for one that is not in the alphabet

    static {
        Arrays.fill(BYTE_OF, -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            BYTE_OF[printable ? b : next++] = b;
        }
    }

    private static final char[] CHARACTER_OF = new char[256];

    static {
        for (int c = 0; c < BYTE_OF.length; c++) {
            if (BYTE_OF[c] >= 0) {
                CHARACTER_OF[BYTE_OF[c]] = (char) c;
            }
        }
    }

    private ByteLevel() {}

    /** Bytes in the alphabet, a character each. */
    static String characters(byte[] bytes) {
        StringBuilder characters = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            characters.append(CHARACTER_OF[b & 0xff]);
        }
        return characters.toString();
    }

    /** What a piece in the alphabet reads; the piece itself if it is not in the alphabet. */
    static String text(String piece) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(piece.length());
        for (int i = 0; i < piece.length(); i++) {
            char c = piece.charAt(i);
            if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
                return piece;
            }
            bytes.write(BYTE_OF[c]);
        }
        return text(bytes.toByteArray());
    }

    /** The text that bytes encode in UTF-8, or each byte as {@code \xE2} where they are only a part of a character. */
    static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException partial) {
            StringBuilder shown = new StringBuilder();
            for (byte b : bytes) {
                // ASCII around the broken character stays readable.
                shown.append(
                        b >= ' ' && b < 0x7f
                                ? String.valueOf((char) b)
                                : String.format(Locale.ROOT, "\\x%02X", b & 0xff));
            }
            return shown.toString();
        }
    }
}
