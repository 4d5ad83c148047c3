package dev.greenfield.model;

import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.hub.Hub;
import dev.greenfield.hub.HubName;
import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A model as data: its configuration, parameters and tokenizer, from a Hugging Face directory or cache, from the jar (the demo) or made
 * from a seed. Opening checks everything but reads no numbers; those are read, or made, parameter by parameter when asked for.
 * Safe for use by several threads; parameters must not be read once the source is closed.
 */
public final class ModelSource implements AutoCloseable {
    /** The specification of the model inside the jar. */
    public static final String DEMO = "demo";

    private final String spec;
    private final ModelFiles files;
    private final ModelConfig config;
    private final Weights weights;
    private final List<String> notes = new ArrayList<>();
    private final Object hashing = new Object(); // a lock of its own: hashing gigabytes must not hold up the tokenizer
    private Tokenizer tokenizer; // made when first asked for
    private String sha256; // likewise

    private ModelSource(String spec, ModelFiles files, ModelConfig config, Weights weights) {
        this.spec = spec;
        this.files = files;
        this.config = config;
        this.weights = weights;
    }

    /**
     * Opens a model, with the hub as this process's environment says.
     *
     * @param spec {@code demo}, {@code random:gpt2} and the like, the path of a directory, or the name of a model in the Hugging Face
     *     cache, as {@code org/name} or {@code org/name@revision}. A directory is taken before a name.
     * @throws InputException if it is none of these, or what is there is not a whole GPT-2 style model
     * @throws IOException if a file cannot be read
     */
    public static ModelSource open(String spec) throws IOException {
        return open(spec, Hub.ofEnvironment());
    }

    /**
     * Likewise with a hub that is set up otherwise. The network is not used: {@link ModelFetch} does that.
     *
     * @param hub says where the cache is
     */
    public static ModelSource open(String spec, Hub hub) throws IOException {
        if (spec.equals(DEMO)) {
            return open(spec, new ModelFiles.Demo());
        }
        if (spec.startsWith(RandomSpec.PREFIX)) {
            RandomSpec random = RandomSpec.parse(spec);
            return new ModelSource(
                    spec, random.files(), random.config(), new RandomWeights(random.config(), random.seed()));
        }
        try {
            Path path = Path.of(spec);
            Optional<HubName> name = Files.exists(path) ? Optional.empty() : HubName.find(spec);
            return name.isPresent() ? cached(spec, name.get(), hub) : directory(spec, path);
        } catch (InvalidPathException noPath) {
            throw new InputException(
                    Lines.quoted(spec)
                            + ": found what cannot be a path"
                            + (spec.codePoints().allMatch(c -> c < 128) ? "" : " in this locale")
                            + ", expected demo, a model directory, random:gpt2 or the name of a model of the hub (org/name);"
                            + " correct the model's name"
                            + (spec.codePoints().allMatch(c -> c < 128)
                                    ? ""
                                    : ", or let Java read other characters (LC_ALL=C.UTF-8)"),
                    noPath);
        }
    }

    /**
     * Opens a model directory: {@code config.json}, {@code model.safetensors} or its shards, and perhaps
     * {@code tokenizer.json}.
     *
     * @throws InputException if there is no such directory, or what is in it is not a whole GPT-2 style model
     * @throws IOException if a file cannot be read
     */
    public static ModelSource open(Path directory) throws IOException {
        return directory(directory.toString(), directory);
    }

    private static ModelSource directory(String spec, Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new InputException(Lines.quoted(spec) + ": found " + (Files.exists(directory) ? "a file" : "nothing")
                    + NearModels.question(spec)
                    + ", expected a directory with config.json and model.safetensors; give such a directory, demo,"
                    + " random:gpt2 or the name of a model of the hub, and " + Remedy.FETCH_MODEL
                    + " org/name first, which downloads it");
        }
        return open(spec, new ModelFiles.Directory(directory));
    }

    /** A model of the hub, of which the cache must have all that is needed. */
    private static ModelSource cached(String spec, HubName name, Hub hub) throws IOException {
        List<HubSnapshot> snapshots = hub.snapshots(name);
        if (snapshots.isEmpty()) {
            String cache = Lines.one(hub.cache().toString());
            throw new InputException(Lines.quoted(spec) + ": found nothing" + NearModels.question(spec, hub)
                    + ", neither a directory of that name nor a model in the"
                    + " Hugging Face cache " + cache
                    + ", expected demo, a model directory, random:gpt2 or a model in the cache; if it"
                    + " is a model of the hub, " + Remedy.FETCH_MODEL + " " + name + ", which downloads it");
        }
        for (HubSnapshot snapshot : snapshots) {
            ModelFiles files = new ModelFiles.Directory(snapshot.directory(), snapshot);
            if (NeededFiles.missing(files) == null) {
                return open(spec, files);
            }
        }
        HubSnapshot first = snapshots.get(0);
        throw new InputException(Lines.quoted(spec) + ": found its commit " + first.commit()
                + " in the Hugging Face cache without "
                + Lines.one(NeededFiles.missing(new ModelFiles.Directory(first.directory(), first)))
                + " (" + Lines.one(first.directory().toString()) + "), expected all files of a model; "
                + Remedy.FETCH_MODEL + " " + name + ", which downloads the rest");
    }

    private static ModelSource open(String spec, ModelFiles files) throws IOException {
        NeededFiles.requireConfig(files);
        ModelConfig config = ConfigJson.read(files.read(ModelFiles.CONFIG), files.origin(ModelFiles.CONFIG));
        StoredWeights weights;
        try {
            weights = StoredWeights.open(files, config);
        } catch (UncheckedIOException cut) {
            throw cut.getCause();
        }
        ModelSource source = new ModelSource(spec, files, weights.config(), weights);
        source.notes.addAll(weights.notes());
        return source;
    }

    /**
     * A model of the same configuration and tokenizer with GPT-2's random initialization in place of its weights, whatever this
     * model's own training began with. It is made when it is read and opens nothing of this source but, if asked for, its own
     * tokenizer.
     *
     * @param seed from which all weights follow, as those of {@code random:...,seed=N} do
     * @throws InputException if this model is that initialization itself
     */
    public ModelSource untrained(long seed) {
        if (weights instanceof RandomWeights random && random.seed() == seed) {
            throw new InputException(
                    Lines.quoted(spec) + ": found a model that is itself the random initialization of seed " + seed
                            + ", expected another to compare it with; " + Remedy.CHOOSE_SEED);
        }
        return new ModelSource(spec + ", untrained, seed=" + seed, files, config, new RandomWeights(config, seed));
    }

    /** The specification or path as it was given. */
    public String spec() {
        return spec;
    }

    /** What of the Hugging Face hub this is, where it was opened from its cache. */
    public Optional<HubSnapshot> snapshot() {
        return files instanceof ModelFiles.Directory directory && !(weights instanceof RandomWeights)
                ? Optional.ofNullable(directory.snapshot())
                : Optional.empty();
    }

    /**
     * What a user has to know of how the model's files were read, a line each: a stored head that differs from the embedding, tensors
     * that nobody uses. Empty for most models.
     */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /** The dimensions and variants of the model. */
    public ModelConfig config() {
        return config;
    }

    /**
     * The tokenizer, made at the first call and owned by this source.
     *
     * @throws InputException if the model's tokenizer file is broken
     * @throws UncheckedIOException if it cannot be read
     */
    public synchronized Tokenizer tokenizer() {
        if (tokenizer == null) {
            try {
                tokenizer = Tokenizers.of(files, config.vocabulary());
            } catch (IOException unreadable) {
                throw new UncheckedIOException("the tokenizer cannot be read: " + Lines.reason(unreadable), unreadable);
            }
        }
        return tokenizer;
    }

    /**
     * A parameter by its canonical name: Hugging Face's, with no {@code transformer.} in front. With D the width, M the inner
     * width, N the positions and V the vocabulary these are {@code wte.weight} [V, D], {@code wpe.weight} [N, D]; for each block
     * {@code h.0.ln_1.weight}, {@code .bias} [D], {@code h.0.attn.c_attn.weight} [D, 3D], {@code .bias} [3D],
     * {@code h.0.attn.c_proj.weight} [D, D], {@code .bias} [D], {@code h.0.ln_2.weight}, {@code .bias} [D],
     * {@code h.0.mlp.c_fc.weight} [D, M], {@code .bias} [M], {@code h.0.mlp.c_proj.weight} [M, D], {@code .bias} [D];
     * {@code ln_f.weight}, {@code .bias} [D]; {@code lm_head.weight} [V, D], which is {@code wte.weight} where the two are tied.
     *
     * @throws IllegalArgumentException if the model has no parameter of that name
     */
    public Parameter parameter(String canonicalName) {
        boolean tiedOutput = config.tied() && canonicalName.equals(ParameterLayout.OUTPUT);
        Parameter parameter = weights.parameter(tiedOutput ? ParameterLayout.TOKEN_EMBEDDING : canonicalName);
        if (parameter == null) {
            throw new IllegalArgumentException("found the parameter name " + Lines.quoted(canonicalName)
                    + ", expected one such as h.0.attn.c_attn.weight with a block of 0 to " + (config.layers() - 1)
                    + "; correct the name");
        }
        return parameter;
    }

    /** Whether the model has a parameter of that name; families without biases lack those. */
    public boolean has(String canonicalName) {
        return weights.parameter(canonicalName) != null;
    }

    /**
     * What identifies the weights: the SHA-256 of the bytes of {@code model.safetensors}, in lower-case hexadecimal; of all shards
     * one after the other in the order of the index; of the file that {@link ModelExport} would write for a random model.
     * Computed at the first call, which other threads may make while the model is in use.
     *
     * @throws UncheckedIOException if the files cannot be read
     * @throws CancelledException if it was cancelled or interrupted; the next call computes it
     */
    public String sha256() {
        synchronized (hashing) {
            if (sha256 == null) {
                try {
                    sha256 = weights.sha256();
                } catch (ClosedByInterruptException interrupted) { // a file whose thread is interrupted closes itself
                    throw new CancelledException(
                            "the thread was interrupted: the digest of the weights was given up", interrupted);
                } catch (IOException unreadable) {
                    throw new UncheckedIOException(
                            "the weights cannot be read: " + Lines.reason(unreadable), unreadable);
                }
            }
            return sha256;
        }
    }

    /**
     * Checks that the files of the weights have not been written to since they were opened, so that all that was read of them is of one
     * state.
     *
     * @throws UncheckedIOException if one has been changed or cut short
     */
    public void requireUnchanged() {
        try {
            weights.requireUnchanged();
        } catch (IOException changed) {
            throw new UncheckedIOException(Lines.reason(changed), changed);
        }
    }

    ModelFiles files() {
        return files;
    }

    Weights weights() {
        return weights;
    }

    /** Closes the files and the tokenizer. Closing again does nothing. */
    @Override
    public synchronized void close() {
        if (tokenizer != null) {
            tokenizer.close();
        }
        try {
            weights.close();
        } catch (IOException unreadable) {
            throw new UncheckedIOException("the weights cannot be closed: " + Lines.reason(unreadable), unreadable);
        }
    }
}
