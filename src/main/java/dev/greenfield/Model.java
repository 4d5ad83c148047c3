package dev.greenfield;

import dev.greenfield.backend.Backend;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.WeightPlan;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Task;
import dev.greenfield.failure.Team;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Tokenizer;
import dev.greenfield.model.WeightPlacement;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A loaded model on a backend. Closing it closes its runs and gives all memory back.
 *
 * <p>Any number of threads may use a model and its runs at the same time; each call gives what it gives alone. Each checks the memory
 * budget against what is free when it begins, so calls side by side need a budget for all of them. Close a model or a run when no call
 * on it is under way. Long calls honour {@link Thread#interrupt} and a {@link dev.greenfield.failure.Cancellation}, and say how far they
 * are: see {@link dev.greenfield.failure.Progress}.
 */
public final class Model implements AutoCloseable {
    private final ModelSource source;
    private final BackendChoice choice;
    private final DeviceModel device;
    private final MemoryBudget budget;
    private final Model host; // whose backend this model shares; or null
    private final List<Model> guests = new ArrayList<>();
    private final OpenRuns runs;
    private final Options options;
    private final List<Model> replicas; // on the other devices
    private final boolean ownsSource;
    private boolean closed; // guarded by guests, as is that list

    private Model(
            ModelSource source,
            BackendChoice choice,
            DeviceModel device,
            MemoryBudget budget,
            Model host,
            Options options,
            List<Model> replicas,
            boolean ownsSource) {
        this.source = source;
        this.choice = choice;
        this.device = device;
        this.budget = budget;
        this.host = host;
        this.options = options;
        this.replicas = List.copyOf(replicas);
        this.ownsSource = ownsSource;
        this.runs = new OpenRuns(
                device, budget, replicas.stream().map(replica -> replica.runs).toList());
    }

    /** Puts a model on a backend; the source is the model's to close, also when this fails. */
    static Model open(ModelSource source, Options options) {
        List<Integer> devices = options.devices();
        List<Model> replicas = new ArrayList<>();
        BackendChoice choice = null;
        try {
            choice = choose(options, devices.isEmpty() ? BackendChoice.NO_DEVICE : devices.get(0));
            for (int i = 1; i < devices.size(); i++) {
                replicas.add(replica(source, choose(options, devices.get(i)), options));
            }
        } catch (RuntimeException | Error e) {
            replicas.forEach(Model::close);
            if (choice != null) {
                choice.backend().close();
            }
            source.close();
            throw e;
        }
        return open(source, choice, options, replicas);
    }

    private static BackendChoice choose(Options options, int device) {
        return BackendChoice.open(options.backend(), options.precision(), options.threads(), device);
    }

    /** The same model on another device, which its owner closes before the source. */
    private static Model replica(ModelSource source, BackendChoice choice, Options options) {
        try {
            return on(source, choice, options, List.of(), false);
        } catch (RuntimeException | Error e) {
            choice.backend().close();
            throw e;
        }
    }

    private static Model on(
            ModelSource source, BackendChoice choice, Options options, List<Model> replicas, boolean ownsSource) {
        Backend backend = choice.backend();
        MemoryBudget budget = MemoryBudget.open(backend, options.memoryBytes());
        WeightPlan plan = budget.placeWeights("the weights", source.config(), options.weights());
        DeviceModel device = new DeviceModel(source, backend, plan);
        return new Model(source, choice, device, budget, null, options, replicas, ownsSource);
    }

    /** Puts a model on an open backend; source and backend are the model's to close, also when this fails. */
    static Model open(ModelSource source, BackendChoice choice, Options options) {
        return open(source, choice, options, List.of());
    }

    private static Model open(ModelSource source, BackendChoice choice, Options options, List<Model> replicas) {
        try {
            return on(source, choice, options, replicas, true);
        } catch (RuntimeException | Error e) {
            replicas.forEach(Model::close);
            source.close();
            choice.backend().close();
            throw e;
        }
    }

    /**
     * Runs the model on a text.
     *
     * @throws dev.greenfield.failure.InputException if the text is empty, too long, or has words without a token
     */
    public Run run(String prompt) {
        return run(encode(prompt));
    }

    /**
     * The token ids that {@link #run(String)} runs: those of the text, with the token in front that the model's own tokenizer puts
     * there, unless {@link Options#beginning(Beginning)} says otherwise or the text begins with it.
     *
     * @throws dev.greenfield.failure.InputException if the text has words without a token
     */
    public int[] encode(String prompt) {
        return tokenizer().encode(Objects.requireNonNull(prompt, "prompt"), options.beginning());
    }

    /**
     * Runs the model on token ids.
     *
     * @throws dev.greenfield.failure.InputException if there are none, too many, or some that the model does not have
     */
    public Run run(int... tokens) {
        config().checkTokens(Objects.requireNonNull(tokens, "tokens"));
        return new Run(runs.add(tokens.length, () -> new Linearization(device, tokens)), runs);
    }

    /**
     * The control of this model: the same configuration, tokenizer and backend, with GPT-2's random initialization for weights. Both
     * keep within this model's memory budget together. It closes with this model, or before.
     *
     * @param seed from which the weights follow: the same seed gives the same weights, those of {@code random:...,seed=N} where
     *     the configuration is the same
     * @throws dev.greenfield.failure.InputException if this model is itself that initialization
     * @throws MemoryBudgetException if its weights do not fit beside what is there
     */
    public Model untrained(long seed) {
        requireOpen("for its control");
        ModelSource random = source.untrained(seed);
        return beside(random, "the untrained control");
    }

    /**
     * Another model on this one's backend. Both keep within this model's memory budget together. It closes with this model, or before.
     *
     * @param spec as {@link Greenfield#load(String, Options)} takes it
     * @throws dev.greenfield.failure.InputException if it is no model
     * @throws MemoryBudgetException if its weights do not fit beside what is there
     */
    public Model beside(String spec) throws IOException {
        Objects.requireNonNull(spec, "spec");
        requireOpen("for a model beside it");
        return beside(ModelSource.open(spec), "the other model");
    }

    private void requireOpen(String why) {
        synchronized (guests) {
            if (closed) {
                throw new IllegalStateException("the model is closed: open it again " + why);
            }
        }
    }

    /** Puts a model on this one's backend; the source is closed when that fails. */
    private Model beside(ModelSource other, String name) {
        List<Model> copies = new ArrayList<>();
        try {
            replicas.forEach(replica -> copies.add(replica.guest(other, name, List.of(), false)));
            return guest(other, name, copies, true);
        } catch (RuntimeException | Error e) {
            copies.forEach(Model::close);
            other.close();
            throw e;
        }
    }

    private Model guest(ModelSource other, String name, List<Model> copies, boolean ownsOther) {
        // Closing waits for a model that is being made.
        synchronized (guests) {
            requireOpen("for " + name);
            WeightPlan plan = budget.placeWeights("the weights of " + name, other.config(), options.weights());
            DeviceModel weights = new DeviceModel(other, choice.backend(), plan);
            Model model = new Model(other, choice, weights, budget, this, options, copies, ownsOther);
            guests.add(model);
            return model;
        }
    }

    /**
     * The model on each of the devices that {@link Options#devices} names, this one first. The others are this model too, to be run by
     * threads of their own where many prompts are shared among devices; they close with it. A map of theirs is computed on their own
     * device; one of this model by all, unless {@link dev.greenfield.map.MapRequest#onOneDevice} is asked for.
     */
    public List<Model> onDevices() {
        List<Model> all = new ArrayList<>();
        all.add(this);
        all.addAll(replicas);
        return all;
    }

    /**
     * An averaged Jacobian to the last depth, of no prompt yet: add runs of this model with {@link Run#addTo}.
     *
     * @param skip how many tokens at the start of each prompt are no sources; 1 leaves out the first, which attention treats apart
     * @throws dev.greenfield.failure.InputException if {@code skip} is negative
     */
    public AverageJacobian averageJacobian(int skip) {
        return new AverageJacobian(config(), skip);
    }

    /**
     * An averaged Jacobian of this model, of no runs yet.
     *
     * @param skip how many tokens at the start of each prompt are neither sources nor targets
     * @param skipLast how many at its end
     * @param toDepth depth of the targets, 0 to L
     */
    public AverageJacobian averageJacobian(int skip, int skipLast, int toDepth) {
        return new AverageJacobian(config(), skip, skipLast, toDepth);
    }

    /**
     * Runs prompts and adds them to an average, shared by {@linkplain #onDevices all devices}. The sums are those of one prompt after
     * another, to the bit where the devices are of one kind. If it fails half way, nothing more can be had of the average.
     *
     * @param prompts token ids
     * @throws dev.greenfield.failure.InputException if a prompt cannot be run, or has no token that is not skipped; the average is as
     *     it was
     */
    public void addTo(AverageJacobian average, List<int[]> prompts) {
        Objects.requireNonNull(average, "average");
        for (int[] prompt : Objects.requireNonNull(prompts, "prompts")) {
            config().checkTokens(Objects.requireNonNull(prompt, "prompt"));
            AverageJacobian.requireSources(prompt.length, average.skip(), average.skipLast());
        }
        Task.run("averaged Jacobian", "prompts", prompts.size(), task -> {
            if (replicas.isEmpty()) {
                prompts.forEach(prompt -> task.run(1, () -> {
                    try (Run run = run(prompt)) {
                        run.addTo(average);
                    }
                }));
            } else {
                share(average, prompts, task);
            }
        });
    }

    /** Adds prompts to an average by threads of the devices. */
    private void share(AverageJacobian average, List<int[]> prompts, Task task) {
        record Place(AverageJacobian.Turn turn, int[] prompt) {}
        List<Place> places = prompts.stream()
                .map(prompt -> new Place(average.turn(), prompt))
                .toList();
        List<Team.Worker<Place, Integer>> workers = onDevices().stream()
                .<Team.Worker<Place, Integer>>map(model -> place -> {
                    try (Run run = model.run(place.prompt())) {
                        place.turn().add(run.scope());
                    }
                    return place.prompt().length;
                })
                .toList();
        try (Team<Place, Integer> team = new Team<>("greenfield-device", workers, places)) {
            places.forEach(place -> task.call(1, team::next));
        } finally {
            places.forEach(place -> place.turn().close()); // those that nobody has come to
        }
    }

    /** Dimensions and variants. */
    public ModelConfig config() {
        return source.config();
    }

    /** Text to tokens and back. */
    public Tokenizer tokenizer() {
        return source.tokenizer();
    }

    /** The model as data: where it came from, its sha256, its parameters. */
    public ModelSource source() {
        return source;
    }

    /** Whether the weights of all blocks are in memory, or read as a sweep comes to them; never {@link WeightPlacement#AUTO}. */
    public WeightPlacement weights() {
        return device.weights();
    }

    /** The backend that computes, and why it was picked. */
    public BackendChoice backend() {
        return choice;
    }

    @Override
    public void close() {
        List<Model> openGuests;
        synchronized (guests) {
            closed = true;
            openGuests = List.copyOf(guests);
        }
        openGuests.forEach(Model::close);
        replicas.forEach(Model::close);
        runs.close();
        device.close();
        if (host == null) {
            choice.backend().close();
        } else {
            synchronized (host.guests) {
                host.guests.remove(this);
            }
        }
        if (ownsSource) {
            source.close();
        }
    }

    @Override
    public String toString() {
        ModelConfig config = config();
        return "model " + source.spec() + " (" + config.layers() + " layers, width " + config.width() + ", vocabulary "
                + config.vocabulary() + ") on the " + choice.backend().name() + " backend";
    }
}
