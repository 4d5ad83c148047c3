package dev.greenfield.cli.job;

import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.ProgressLine;
import dev.greenfield.cli.io.RemedyOptions;
import dev.greenfield.cli.io.ResultFile;
import dev.greenfield.cli.io.TensorCatalog;
import dev.greenfield.cli.io.TensorSet;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.failure.Progress;
import dev.greenfield.model.Precision;
import dev.greenfield.model.WeightPlacement;
import dev.greenfield.report.ReportPage;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * What every computing command does around its own work, whatever the model is run on: makes sure that {@code --out} can be
 * written, opens the model, keeps times, and writes what was found. Closing it without {@link #finish} leaves nothing behind.
 */
public abstract class ModelJob implements AutoCloseable {
    private final String command;
    private final CommonOptions options;
    private final Terminal terminal;
    private final OutputDirectory out; // null without --out
    private final Map<String, Double> timings = Collections.synchronizedMap(new LinkedHashMap<>());
    private final Map<String, Object> results = new LinkedHashMap<>();
    private final Map<String, Object> resolved = new LinkedHashMap<>(); // options as they were used
    private final TensorSet tensors = new TensorSet();
    private volatile boolean sideBySide; // several threads do timed work, none of which has the terminal's line
    private Model model;
    private CompletableFuture<String> sha256; // null without --out
    private ReportPage report;

    ModelJob(String command, CommonOptions options, Terminal terminal) {
        this.command = command;
        this.options = options;
        this.terminal = terminal;
        if (options.out != null) {
            ResultFile.created(); // a date that cannot be is refused before the work
            terminal.workOnWithoutReader();
        }
        this.out = options.out == null ? null : OutputDirectory.open(options.out, command, options.force);
    }

    /** Opens the model; its digest is taken meanwhile where it will be written. */
    final void open() throws IOException {
        long start = System.nanoTime();
        model = Progress.watched(new ProgressLine(terminal), () -> Greenfield.load(options.model, options.options()));
        lap("load", start);
        if (out != null) {
            sha256 = CompletableFuture.supplyAsync(model.source()::sha256, work -> {
                Thread thread = new Thread(work, "greenfield-sha256");
                thread.setDaemon(true);
                thread.start();
            });
        }
        for (Model place : model.onDevices()) {
            terminal.progress(RemedyOptions.in(place.backend().reason()));
        }
        if (model.weights() == WeightPlacement.STREAMED) {
            terminal.progress("weights streamed: those of a block or two are in memory, and read again by each sweep");
        }
        model.source().notes().forEach(terminal::warning);
    }

    /** What the model was run on, for a report's heading. */
    abstract void describe(Map<String, String> facts);

    /** What the model was run on, for {@code result.json}: fields after {@code model}. */
    abstract Map<String, Object> subject();

    /** What the model was run on, for the metadata of the tensors. */
    abstract Map<String, String> subjectMetadata();

    public final Terminal terminal() {
        return terminal;
    }

    public final Model model() {
        return model;
    }

    public final long seed() {
        return options.randomSeed();
    }

    /** Does a piece of work, says how far it is, and notes how long it took. */
    public final <T> T timed(String phase, Supplier<T> work) {
        return timed(phase, new ProgressLine(terminal), work);
    }

    /** Likewise, with something else to be told how far it is. */
    public final <T> T timed(String phase, Progress.Listener listener, Supplier<T> work) {
        long start = System.nanoTime();
        T result = sideBySide ? work.get() : Progress.watched(listener, work::get);
        lap(phase, start);
        return result;
    }

    /** Whether several threads do timed work from now on: their times are added up, and nobody says how far a piece is. */
    final void sideBySide(boolean now) {
        sideBySide = now;
    }

    private void lap(String phase, long start) {
        timings.merge(phase, (System.nanoTime() - start) / 1e9, Double::sum);
    }

    /** Adds a scalar, or a short list, to the results. */
    public final void result(String name, Object value) {
        results.put(name, value);
    }

    /** Says what an option came to, given or not: its name without dashes, and the value that was used. */
    public final void option(String name, Object value) {
        resolved.put(name, value);
    }

    public final TensorSet tensors() {
        return tensors;
    }

    /** The type of the tensors: that of the arithmetic. */
    public final DType type() {
        return model.backend().precision() == Precision.FP64 ? DType.F64 : DType.F32;
    }

    /** Whether files are wanted, so that a report is worth making. */
    public final boolean writes() {
        return out != null;
    }

    /** A file of {@code --out} in the making. */
    final Path file(String name) {
        return out.file(name);
    }

    /** A file of {@code --out} in the making besides the usual ones. */
    public final Path further(String name) {
        return out.further(name);
    }

    /** A hidden directory beside what {@code --out} is going to be, for what is too large for memory; null without. */
    public final Path scratch() {
        return out == null ? null : out.scratch();
    }

    /** The directory of {@code --out}, made now for work that is kept in it. */
    public final Path workingDirectory() throws IOException {
        return out.makeNow();
    }

    /** The name of the command. */
    public final String command() {
        return command;
    }

    public final void report(ReportPage page) {
        report = page;
    }

    /** Where everything comes from, for a report's heading. */
    public final Map<String, String> facts() {
        BackendChoice backend = model.backend();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "Model",
                options.model + " (" + model.config().layers() + " layers, "
                        + model.config().heads() + " heads, width "
                        + model.config().width() + ")");
        describe(facts);
        facts.put("Backend", backend.name() + ", " + backend.device());
        facts.put("Precision", backend.precision().label());
        facts.put("Seed", Long.toString(seed()));
        facts.put("Version", Greenfield.version());
        return facts;
    }

    /** Writes {@code --out}, if there is one. */
    public final void finish() throws IOException {
        model.source().requireUnchanged();
        if (out == null) {
            return;
        }
        long start = System.nanoTime();
        BackendChoice backend = model.backend();
        Map<String, Object> subject = subject();
        writeTensors();
        if (report != null) {
            Files.writeString(out.file(OutputDirectory.REPORT), report.html());
        }
        String digest = digest();
        lap("write", start);
        Map<String, Object> source = ModelIdentity.fields(options.model, digest, model.source());
        if (!model.source().notes().isEmpty()) {
            source.put("notes", model.source().notes());
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("command", command);
        fields.put("schema_version", ResultFile.SCHEMA_VERSION);
        fields.put("created", ResultFile.created());
        fields.put("model", source);
        fields.putAll(subject);
        fields.put("options", options());
        fields.put("bos", options.bos);
        fields.put("backend", backend.name());
        fields.put("device", backend.device());
        if (model.onDevices().size() > 1) {
            fields.put("devices", options.options().devices());
        }
        fields.put("precision", backend.precision().label());
        fields.put("weights", model.weights().label());
        fields.put("seed", seed());
        fields.put("version", Greenfield.version());
        fields.put("timings", timings);
        fields.put("results", results);
        ResultFile.write(out.file(OutputDirectory.RESULT), fields);
        out.commit();
        terminal.progress("written to " + out);
    }

    /** What was asked for, and what it came to: also what nobody gave. */
    private Map<String, Object> options() {
        Map<String, Object> used = new LinkedHashMap<>();
        used.put("bos", options.bos);
        used.put("backend", model.backend().name());
        used.put("precision", model.backend().precision().label());
        used.put("weights", model.weights().label());
        used.put("seed", seed());
        used.putAll(resolved);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("given", options.general.given());
        fields.put("resolved", used);
        return fields;
    }

    /** Writes the tensors of {@link #tensors}. */
    void writeTensors() throws IOException {
        tensors.write(out.file(OutputDirectory.TENSORS), type(), metadata(tensors.ranks()));
    }

    /** What the metadata of the tensors say. {@code ranks}: the number of axes of each tensor, by its name. */
    final Map<String, String> metadata(Map<String, Integer> ranks) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("command", command);
        metadata.put("model", options.model);
        metadata.putAll(subjectMetadata());
        boolean halves = Boolean.TRUE.equals(resolved.get("half_depths"));
        boolean blocks =
                resolved.containsKey("component") && !resolved.get("component").equals("resid");
        metadata.putAll(TensorCatalog.metadata(ranks, halves, blocks));
        return metadata;
    }

    /** The model's SHA-256. */
    public final String digest() throws IOException {
        try {
            return sha256.join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof UncheckedIOException unreadable) {
                throw unreadable.getCause();
            }
            throw failed;
        }
    }

    @Override
    public final void close() {
        try {
            if (out != null) {
                out.close();
            }
        } finally {
            if (model != null) {
                model.close();
            }
        }
    }
}
