package dev.greenfield;

import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.model.ModelFetch;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Version;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * The way in: loads models.
 *
 * <pre>{@code
 * try (Model model = Greenfield.load(Path.of("gpt2"))) {
 *     Run run = model.run("The capital of France is");
 *     Observable paris = Observable.logitDifference(" Paris", " Rome");
 *     SensitivityField s = run.sensitivity(paris);
 * }
 * }</pre>
 */
public final class Greenfield {
    private Greenfield() {}

    /**
     * Loads a Hugging Face style GPT-2 directory with default options.
     *
     * @throws dev.greenfield.failure.InputException if it is not one, with all that is missing or misshapen
     * @throws IOException if it cannot be read
     */
    public static Model load(Path directory) throws IOException {
        return load(directory, Options.defaults());
    }

    /** Loads a Hugging Face style GPT-2 directory. */
    public static Model load(Path directory, Options options) throws IOException {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(options, "options");
        return Model.open(ModelSource.open(directory), options);
    }

    /**
     * Loads a model by its specification.
     *
     * @param spec {@code demo}, a directory, {@code random:gpt2}, {@code random:L,H,D,V,N} and the like, or the name of a model in the
     *     Hugging Face cache, {@code org/name} or {@code org/name@revision}, as on the command line. A directory is taken before a name.
     *     Nothing is downloaded: {@link #fetch} does that.
     */
    public static Model load(String spec, Options options) throws IOException {
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(options, "options");
        return Model.open(ModelSource.open(spec), options);
    }

    /**
     * Downloads a model of the Hugging Face hub into the cache that Hugging Face's own programs share, unless it is there. {@link
     * ModelFetch} does the same in two steps.
     *
     * @param name {@code org/name} or {@code org/name@revision}
     * @return where it is; {@link #load(String, Options)} finds it by the name
     * @throws dev.greenfield.failure.InputException if the hub has no such model, or it is none that can be loaded
     * @throws IOException if the hub cannot be reached, or the cache cannot be written
     */
    public static HubSnapshot fetch(String name) throws IOException {
        return ModelFetch.of(name).run();
    }

    /** The small trained model inside the jar: four layers, a vocabulary of facts. */
    public static Model demo() throws IOException {
        return load(ModelSource.DEMO, Options.defaults());
    }

    /** The version of this library. */
    public static String version() {
        return Version.current();
    }
}
