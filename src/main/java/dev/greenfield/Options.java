package dev.greenfield;

import dev.greenfield.failure.InputException;
import dev.greenfield.model.Beginning;
import dev.greenfield.model.Precision;
import dev.greenfield.model.WeightPlacement;
import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * How a model is run. Immutable: each method returns changed options.
 *
 * @param backend {@code auto}, {@code cpu}, {@code cuda} or {@code reference}
 * @param precision what to compute in; null for the backend's own
 * @param threads processor threads to use; 0 for all
 * @param memoryBytes the most memory that weights, runs and sweeps may take together; 0 for half of the machine's
 * @param weights whether the weights of all blocks are kept in memory, or read as a sweep comes to them
 * @param beginning whether prompts get the token that the model's own tokenizer puts in front of every text
 * @param devices numbers of the GPUs to use, counted from 0, the first one for whatever needs but one; empty for the default
 */
public record Options(
        String backend,
        Precision precision,
        int threads,
        long memoryBytes,
        WeightPlacement weights,
        Beginning beginning,
        List<Integer> devices)
        implements Serializable {
    /** The best backend there is, all processors, half of the memory. */
    public static Options defaults() {
        return new Options("auto", null, 0, 0, WeightPlacement.AUTO, Beginning.AUTO, List.of());
    }

    public Options {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(beginning, "beginning");
        Objects.requireNonNull(devices, "devices");
        if (memoryBytes < 0) {
            throw new InputException("memory budget " + memoryBytes + ": expected a positive number of bytes");
        }
        devices = List.copyOf(devices);
        if (devices.stream().anyMatch(number -> number < 0) || new HashSet<>(devices).size() < devices.size()) {
            throw new InputException("devices " + devices + ": expected numbers of GPUs from 0, each once");
        }
    }

    /** With this backend: {@code auto}, {@code cpu}, {@code cuda} or {@code reference}. */
    public Options backend(String name) {
        return new Options(name, precision, threads, memoryBytes, weights, beginning, devices);
    }

    /** Computing in this precision. */
    public Options precision(Precision wanted) {
        return new Options(backend, wanted, threads, memoryBytes, weights, beginning, devices);
    }

    /** On this many processor threads. */
    public Options threads(int count) {
        return new Options(backend, precision, count, memoryBytes, weights, beginning, devices);
    }

    /** Within this many bytes. */
    public Options memory(long bytes) {
        return new Options(backend, precision, threads, bytes, weights, beginning, devices);
    }

    /** With the weights kept in memory, or read as a sweep comes to them. Results are the same to the bit. */
    public Options weights(WeightPlacement where) {
        return new Options(backend, precision, threads, memoryBytes, where, beginning, devices);
    }

    /** With or without the token that the model's own tokenizer puts in front of every text. */
    public Options beginning(Beginning how) {
        return new Options(backend, precision, threads, memoryBytes, weights, how, devices);
    }

    /**
     * On these GPUs, each of which holds the model and keeps within the memory budget. Batches of a response map and prompts of a suite
     * are shared among them; everything else is done by the first. Expects the cuda backend.
     *
     * @param numbers as the driver counts them, from 0; none for the default, which {@code -Dgreenfield.cuda.device} may say
     * @throws InputException if a number is negative or given twice
     */
    public Options devices(int... numbers) {
        Objects.requireNonNull(numbers, "numbers");
        List<Integer> chosen = IntStream.of(numbers).boxed().toList();
        return new Options(backend, precision, threads, memoryBytes, weights, beginning, chosen);
    }
}
