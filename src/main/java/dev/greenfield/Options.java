package dev.greenfield;

import dev.greenfield.failure.InputException;
import dev.greenfield.model.Beginning;
import dev.greenfield.model.Precision;
import dev.greenfield.model.WeightPlacement;
import java.io.Serializable;
import java.util.Objects;

/**
 * How a model is run. Immutable: each method returns changed options.
 *
 * @param backend {@code auto}, {@code cpu}, {@code cuda} or {@code reference}
 * @param precision what to compute in; null for the backend's own
 * @param threads processor threads to use; 0 for all
 * @param memoryBytes the most memory that weights, runs and sweeps may take together; 0 for half of the machine's
 * @param weights whether the weights of all blocks are kept in memory, or read as a sweep comes to them
 * @param beginning whether prompts get the token that the model's own tokenizer puts in front of every text
 */
public record Options(
        String backend,
        Precision precision,
        int threads,
        long memoryBytes,
        WeightPlacement weights,
        Beginning beginning)
        implements Serializable {
    /** The best backend there is, all processors, half of the memory. */
    public static Options defaults() {
        return new Options("auto", null, 0, 0, WeightPlacement.AUTO, Beginning.AUTO);
    }

    public Options {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(beginning, "beginning");
        if (memoryBytes < 0) {
            throw new InputException("memory budget " + memoryBytes + ": expected a positive number of bytes");
        }
    }

    /** With this backend: {@code auto}, {@code cpu}, {@code cuda} or {@code reference}. */
    public Options backend(String name) {
        return new Options(name, precision, threads, memoryBytes, weights, beginning);
    }

    /** Computing in this precision. */
    public Options precision(Precision wanted) {
        return new Options(backend, wanted, threads, memoryBytes, weights, beginning);
    }

    /** On this many processor threads. */
    public Options threads(int count) {
        return new Options(backend, precision, count, memoryBytes, weights, beginning);
    }

    /** Within this many bytes. */
    public Options memory(long bytes) {
        return new Options(backend, precision, threads, bytes, weights, beginning);
    }

    /** With the weights kept in memory, or read as a sweep comes to them. Results are the same to the bit. */
    public Options weights(WeightPlacement where) {
        return new Options(backend, precision, threads, memoryBytes, where, beginning);
    }

    /** With or without the token that the model's own tokenizer puts in front of every text. */
    public Options beginning(Beginning how) {
        return new Options(backend, precision, threads, memoryBytes, weights, how);
    }
}
