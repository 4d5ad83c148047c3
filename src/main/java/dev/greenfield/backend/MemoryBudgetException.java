package dev.greenfield.backend;

/** The work does not fit the memory budget however it is cut. The command line exits with status 4 on it. */
public final class MemoryBudgetException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MemoryBudgetException(String message) {
        super(message);
    }
}
