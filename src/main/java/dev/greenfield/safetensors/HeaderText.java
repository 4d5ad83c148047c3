package dev.greenfield.safetensors;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * The characters of a header, decoded as they are asked for: a header may claim 100 MB, and what is not asked for costs nothing. Bytes
 * that are not UTF-8 are an error that names the first of them.
 */
final class HeaderText extends Reader {
    private static final int CHUNK = 1 << 14; // bytes

    private final Data data;
    private final int length;
    private final String origin;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private int taken; // bytes of the header that were decoded

    /** The text of the {@code length} bytes after the length field. */
    HeaderText(Data data, int length, String origin) {
        this.data = data;
        this.length = length;
        this.origin = origin;
    }

    /** The first character, or nothing of an empty header; where its bytes are broken, the replacement character. */
    String first() {
        String start = new String(data.copy(Header.LENGTH_BYTES, Math.min(4, length)), StandardCharsets.UTF_8);
        return start.isEmpty() ? "" : Character.toString(start.codePointAt(0));
    }

    @Override
    public int read(char[] into, int offset, int count) throws IOException {
        if (taken == length) {
            return -1;
        }
        CharBuffer out = CharBuffer.wrap(into, offset, count);
        // A character of four bytes is two Java characters: ask for no more bytes than there is certainly room for.
        int most = Math.min(Math.max(4, Math.min(CHUNK, count)), length - taken);
        ByteBuffer in = ByteBuffer.wrap(data.copy(Header.LENGTH_BYTES + (long) taken, most));
        CoderResult result = decoder.decode(in, out, taken + most == length);
        taken += in.position();
        if (result.isError()) {
            throw new SafetensorsException(origin + ": byte " + taken + " of the header of " + length
                    + " bytes is not UTF-8; the file is damaged or was written wrongly");
        }
        return out.position() - offset;
    }

    @Override
    public void close() {}
}
