package dev.greenfield.failure;

/**
 * What a call of this library can fail with. It is unchecked. Catch it to meet every failure that the library foresees; its subclasses
 * say of what kind one is. Not among them are Java's own: {@link java.io.IOException} and {@link java.io.UncheckedIOException} for
 * files, {@link NullPointerException} for an argument that is null, {@link IllegalStateException} for what is closed already.
 */
public abstract class GreenfieldException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GreenfieldException(String message) {
        super(message);
    }

    GreenfieldException(String message, Throwable cause) {
        super(message, cause);
    }
}
