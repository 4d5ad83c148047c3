package dev.greenfield.safetensors;

import java.io.IOException;

/**
 * A safetensors file that is malformed, or that lacks what was asked of it. The message is one line: it names the file, the
 * tensor where there is one, and the numbers that disagree.
 */
public final class SafetensorsException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Makes an exception with a message of one line. */
    public SafetensorsException(String message) {
        super(message);
    }

    /** Makes an exception with a message of one line and the error that it reports. */
    public SafetensorsException(String message, Throwable cause) {
        super(message, cause);
    }
}
