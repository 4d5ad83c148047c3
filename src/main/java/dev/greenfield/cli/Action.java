package dev.greenfield.cli;

import java.io.IOException;

/** What one command does once its options are read. */
interface Action {
    /**
     * Does it; returns normally only when everything that was asked for is done.
     *
     * @throws IOException if a file cannot be read or written
     */
    void run(Terminal terminal) throws IOException;

    /** Options that every command has. */
    GeneralOptions general();
}
