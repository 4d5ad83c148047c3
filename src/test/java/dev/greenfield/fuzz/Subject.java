package dev.greenfield.fuzz;

import java.io.IOException;

/** A kind of file that is read: makes one from choices, and reads it. */
interface Subject extends AutoCloseable {
    /**
     * Makes and reads a file.
     *
     * @throws IOException or one of our exceptions, if it is refused
     * @throws AssertionError if something else than a refusal or the right result came out
     */
    void read(Choices choices) throws IOException;

    @Override
    default void close() throws IOException {}
}
