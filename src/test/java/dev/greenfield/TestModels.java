package dev.greenfield;

import dev.greenfield.backend.Backend;
import dev.greenfield.model.ModelSource;
import java.io.IOException;

/** Opens models on backends that no option names, such as the oracle in float32 terms. */
public final class TestModels {
    private TestModels() {}

    /**
     * A model on a backend.
     *
     * @param spec as {@link Greenfield#load(String, Options)} takes it
     * @param backend the model's to close
     */
    public static Model open(String spec, Backend backend) throws IOException {
        return open(spec, backend, 0);
    }

    /** A model that may take only so much memory; 0 for the default. */
    public static Model open(String spec, Backend backend, long memory) throws IOException {
        BackendChoice choice = new BackendChoice(backend, "a test asked for it");
        return Model.open(ModelSource.open(spec), choice, Options.defaults().memory(memory));
    }
}
