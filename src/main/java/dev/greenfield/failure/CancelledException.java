package dev.greenfield.failure;

/**
 * A call was given up because its thread was interrupted or its {@link Cancellation} was cancelled. The thread's interrupt status
 * stays as it was; what the call had allocated is free again, and the model can be used further.
 */
public final class CancelledException extends GreenfieldException {
    private static final long serialVersionUID = 1L;

    public CancelledException(String message) {
        super(message);
    }

    public CancelledException(String message, Throwable cause) {
        super(message, cause);
    }
}
