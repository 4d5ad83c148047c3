package dev.greenfield.hub;

import dev.greenfield.text.Digest;
import java.util.regex.Pattern;

/**
 * What the hub says a file's bytes are: the SHA-256 of a large file, the SHA-1 that git names a small one by. The cache names the bytes
 * by it.
 */
record Etag(String hex) {
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");

    /** From a header or a field of a listing; null where it is no digest that can be checked. */
    static Etag of(String text) {
        if (text == null) {
            return null;
        }
        String plain = text.startsWith("W/") ? text.substring(2) : text;
        if (plain.length() > 1 && plain.startsWith("\"") && plain.endsWith("\"")) {
            plain = plain.substring(1, plain.length() - 1);
        }
        return HEX.matcher(plain).matches() ? new Etag(plain) : null;
    }

    /** The digest that the whole of a file of that size must have. */
    Digest digest(long bytes) {
        return hex.length() == 64 ? new Digest() : Digest.gitBlob(bytes);
    }
}
