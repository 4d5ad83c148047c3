package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Terminal;
import java.io.IOException;

/** What one command does once its options are read. */
public interface Action {
    /**
     * Does it; returns normally only when everything that was asked for is done.
     *
     * @throws IOException if a file cannot be read or written
     */
    void run(Terminal terminal) throws IOException;

    /** Options that every command has. */
    GeneralOptions general();
}
