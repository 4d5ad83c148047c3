package dev.greenfield.backend;

/** A device or a native library failed or is not there. The command line exits with status 3 on it. */
public final class BackendException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BackendException(String message) {
        super(message);
    }

    public BackendException(String message, Throwable cause) {
        super(message, cause);
    }
}
