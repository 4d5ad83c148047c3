package dev.greenfield.failure;

/** A native library could not be loaded. The message says which, why, and what to do. The command line exits with status 3 on it. */
public final class NativeLibraryException extends GreenfieldException {
    private static final long serialVersionUID = 1L;

    public NativeLibraryException(String message, Throwable cause) {
        super(message, cause);
    }
}
