package dev.greenfield.failure;

/**
 * A device had less memory than the budget promised, because other programs hold some of it or because it is in pieces. The
 * same work in smaller batches may succeed: {@code engine.Batches} tries that.
 */
public final class DeviceMemoryException extends MemoryBudgetException {
    private static final long serialVersionUID = 1L;

    public DeviceMemoryException(String message) {
        super(message);
    }
}
