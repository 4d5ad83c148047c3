package dev.greenfield.failure;

/**
 * What the caller asked for cannot be done: a wrong argument, prompt, token, file or option. The message is one line that
 * says what was found, what was expected and what to do. The command line exits with status 2 on it.
 */
public final class InputException extends GreenfieldException {
    private static final long serialVersionUID = 1L;

    public InputException(String message) {
        super(message);
    }

    public InputException(String message, Throwable cause) {
        super(message, cause);
    }
}
