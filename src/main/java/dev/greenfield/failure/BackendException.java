package dev.greenfield.failure;

/** A device or a native library failed or is not there. The command line exits with status 3 on it. */
public final class BackendException extends GreenfieldException {
    private static final long serialVersionUID = 1L;

    private final String found;
    private final String remedy;

    public BackendException(String message) {
        super(message);
        this.found = message;
        this.remedy = null;
    }

    public BackendException(String message, Throwable cause) {
        super(message, cause);
        this.found = message;
        this.remedy = null;
    }

    /**
     * The message says both, where there are both.
     *
     * @param found what was found
     * @param remedy what to do about it, or null
     */
    public BackendException(String found, String remedy) {
        super(remedy == null ? found : found + ": " + remedy);
        this.found = found;
        this.remedy = remedy;
    }

    /** What was found, without the remedy where the two were given apart. */
    public String found() {
        return found;
    }

    /** What to do about it; null where it was not given apart. */
    public String remedy() {
        return remedy;
    }
}
