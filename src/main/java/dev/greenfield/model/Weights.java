package dev.greenfield.model;

import java.io.IOException;

/** Where the numbers of a model come from. Safe for use by several threads. */
interface Weights extends AutoCloseable {
    /** The parameter of a canonical name that {@link ParameterLayout} lists, or null. */
    Parameter parameter(String name);

    /** Lower-case hexadecimal SHA-256 of the bytes that hold the numbers; computed anew at each call. */
    String sha256() throws IOException;

    /** Checks that what holds the numbers has not been written to since it was opened. */
    default void requireUnchanged() throws IOException {}

    @Override
    void close() throws IOException;
}
