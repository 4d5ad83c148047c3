package dev.greenfield.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.IntConsumer;

/** A digest as a place to write to: SHA-256, or what git names a file's contents by. */
public final class Digest extends OutputStream {
    private final MessageDigest digest;

    /** A SHA-256 of nothing yet. */
    public Digest() {
        this("SHA-256");
    }

    private Digest(String algorithm) {
        try {
            digest = MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException absent) {
            throw new IllegalStateException("every Java platform has " + algorithm + ", this one does not", absent);
        }
    }

    /**
     * The name that git gives to contents that are yet to be written: the SHA-1 of a header and of them. It finds damage; against a
     * forger SHA-1 is weak.
     *
     * @param bytes how many will be written
     */
    public static Digest gitBlob(long bytes) {
        Digest digest = new Digest("SHA-1");
        digest.write(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
        return digest;
    }

    /** The SHA-256 of these bytes in lower-case hexadecimal. */
    public static String sha256(byte[] contents) {
        Digest digest = new Digest();
        digest.write(contents, 0, contents.length);
        return digest.hex();
    }

    @Override
    public void write(int value) {
        digest.update((byte) value);
    }

    @Override
    public void write(byte[] bytes) {
        digest.update(bytes);
    }

    @Override
    public void write(byte[] bytes, int from, int count) {
        digest.update(bytes, from, count);
    }

    /**
     * Takes all that is left of a stream.
     *
     * @param took is told each time how many bytes were taken; may give up by an exception
     */
    public void drain(InputStream stream, IntConsumer took) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
            digest.update(buffer, 0, n);
            took.accept(n);
        }
    }

    /** The digest in lower-case hexadecimal; starts afresh. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
