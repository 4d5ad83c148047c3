package dev.greenfield.natives;

/** A native library that could not be put where the system can load it. */
public final class ExtractionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String found;
    private final String remedy;

    ExtractionException(String found, String remedy, Throwable cause) {
        super(found + ": " + remedy, cause);
        this.found = found;
        this.remedy = remedy;
    }

    /** What is wrong. */
    public String found() {
        return found;
    }

    /** What the user can do about it. */
    public String remedy() {
        return remedy;
    }
}
