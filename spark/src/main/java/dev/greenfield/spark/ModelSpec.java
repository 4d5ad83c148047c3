package dev.greenfield.spark;

import dev.greenfield.Options;
import java.io.Serializable;
import java.util.Objects;

/**
 * Which model executors load, and how they run it.
 *
 * @param spec as {@link dev.greenfield.Greenfield#load(String, Options)} takes it; a directory must have the same weights on every machine
 * @param options of the model. Name the backend where machines differ, and the memory where results must be the same to the bit:
 *     batches are cut by it
 */
public record ModelSpec(String spec, Options options) implements Serializable {
    public ModelSpec {
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(options, "options");
    }

    /** A model with default options. */
    public static ModelSpec of(String spec) {
        return new ModelSpec(spec, Options.defaults());
    }
}
