package dev.greenfield.cli;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Precision;
import dev.greenfield.lattice.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.TokenLabels;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * What every computing command does around its own work: checks that {@code --out} can be written, opens the model, runs the
 * prompt, keeps times, and writes what was found. Closing it without {@link #finish} leaves nothing behind.
 */
final class Job implements AutoCloseable {
    private final String command;
    private final CommonOptions options;
    private final Terminal terminal;
    private final OutputDirectory out; // null without --out
    private final Map<String, Double> timings = new LinkedHashMap<>();
    private final Map<String, Object> results = new LinkedHashMap<>();
    private final TensorSet tensors = new TensorSet();
    private Model model;
    private Run run;
    private CompletableFuture<String> sha256; // null without --out
    private ReportPage report;
    private List<String> labels; // of the run that the figures are about

    private Job(String command, CommonOptions options, Terminal terminal, OutputDirectory out) {
        this.command = command;
        this.options = options;
        this.terminal = terminal;
        this.out = out;
    }

    /**
     * Starts a command: afterwards the prompt has been run.
     *
     * @param need whether the command can do without an observable
     */
    static Job start(String command, CommonOptions options, CommonOptions.Need need, Terminal terminal)
            throws IOException {
        options.check(need);
        Job job = new Job(command, options, terminal, options.out == null ? null : OutputDirectory.open(options.out));
        try {
            job.begin();
            return job;
        } catch (IOException | RuntimeException | Error failure) {
            job.close();
            throw failure;
        }
    }

    private void begin() throws IOException {
        long start = System.nanoTime();
        model = Greenfield.load(options.model, options.options());
        lap("load", start);
        if (out != null) {
            sha256 = CompletableFuture.supplyAsync(model.source()::sha256, work -> {
                Thread thread = new Thread(work, "greenfield-sha256");
                thread.setDaemon(true);
                thread.start();
            });
        }
        terminal.progress(model.backend().reason());
        // The observable is resolved first: a wrong answer must not be found only after a long run.
        if (options.answer != null) {
            int answer = single("--answer", options.answer);
            if (options.foil != null && single("--foil", options.foil) == answer) {
                throw new InputException("--answer " + Quantities.quoted(options.answer) + " and --foil "
                        + Quantities.quoted(options.foil) + " are the same token (id " + answer
                        + "), so their logit difference is always 0: choose two different tokens");
            }
        }
        int[] tokens = options.tokens == null ? encode("--prompt", options.prompt) : options.tokenIds();
        model.config().checkTokens(tokens);
        int position = options.readPosition().orElse(tokens.length - 1);
        if (position >= tokens.length) {
            throw new InputException("--position " + position + ": the prompt has " + tokens.length
                    + " tokens, expected 0 to " + (tokens.length - 1));
        }
        run = timed("run", () -> model.run(tokens));
        about(run);
    }

    private int single(String option, String text) {
        try {
            return model.tokenizer().single(readable(option, text));
        } catch (InputException wrong) {
            throw new InputException(option + ": " + wrong.getMessage(), wrong);
        }
    }

    /** The token ids of an option's text. */
    int[] encode(String option, String text) {
        if (text.isEmpty()) {
            throw new InputException(option + " is empty: expected a text of at least one token");
        }
        return model.tokenizer().encode(readable(option, text));
    }

    /** Java replaces bytes of an argument that the locale cannot read; the replacement must not be taken for the text. */
    private static String readable(String option, String text) {
        if (text.indexOf('\ufffd') >= 0
                && !StandardCharsets.UTF_8.name().equals(System.getProperty("sun.jnu.encoding"))) {
            throw new InputException(
                    option + ": the text has characters that this locale cannot read; set LC_ALL=C.UTF-8"
                            + " or give token ids (--tokens)");
        }
        return text;
    }

    Terminal terminal() {
        return terminal;
    }

    Model model() {
        return model;
    }

    /** The run of the prompt. */
    Run run() {
        return run;
    }

    /** Labels of the tokens that figures and tables are about: the prompt's, unless said otherwise. */
    List<String> labels() {
        return labels;
    }

    /** Says that figures and tables are about this run. */
    void about(Run shown) {
        labels = TokenLabels.of(shown.tokenText());
    }

    /** F, or null without an answer. */
    Observable observable() {
        return options.observable();
    }

    /** The token where F is read. */
    int position() {
        return options.readPosition().orElse(run.tokens().length - 1);
    }

    long seed() {
        return options.randomSeed();
    }

    /** Does a piece of work and notes how long it took. */
    <T> T timed(String phase, Supplier<T> work) {
        long start = System.nanoTime();
        T result = work.get();
        lap(phase, start);
        return result;
    }

    private void lap(String phase, long start) {
        timings.merge(phase, (System.nanoTime() - start) / 1e9, Double::sum);
    }

    /** Adds a scalar, or a short list, to the results. */
    void result(String name, Object value) {
        results.put(name, value);
    }

    TensorSet tensors() {
        return tensors;
    }

    /** Whether files are wanted, so that a report is worth making. */
    boolean writes() {
        return out != null;
    }

    void report(ReportPage page) {
        report = page;
    }

    /** Where everything comes from, for a report's heading. */
    Map<String, String> facts() {
        Backend backend = model.backend().backend();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "Model",
                options.model + " (" + model.config().layers() + " layers, "
                        + model.config().heads() + " heads, width "
                        + model.config().width() + ")");
        facts.put("Prompt", options.prompt == null ? "tokens " + options.tokens : options.prompt);
        if (observable() != null) {
            facts.put("Observable F", observable().describe());
        }
        facts.put("Backend", backend.name() + ", " + backend.device());
        facts.put("Precision", backend.precision().label());
        facts.put("Seed", Long.toString(seed()));
        facts.put("Version", Greenfield.version());
        return facts;
    }

    /** Writes {@code --out}, if there is one. */
    void finish() throws IOException {
        if (out == null) {
            return;
        }
        long start = System.nanoTime();
        Backend backend = model.backend().backend();
        List<String> text = run.tokenText();
        tensors.write(
                out.file(OutputDirectory.TENSORS),
                backend.precision() == Precision.FP64 ? DType.F64 : DType.F32,
                metadata());
        if (report != null) {
            Files.writeString(out.file(OutputDirectory.REPORT), report.html());
        }
        String digest = digest();
        lap("write", start);
        Map<String, Object> source = new LinkedHashMap<>();
        source.put("path", options.model);
        source.put("sha256", digest);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("command", command);
        fields.put("model", source);
        fields.put("tokens", run.tokens());
        fields.put("token_text", text);
        fields.put("observable", observable() == null ? null : observable().describe());
        fields.put("backend", backend.name());
        fields.put("device", backend.device());
        fields.put("precision", backend.precision().label());
        fields.put("seed", seed());
        fields.put("version", Greenfield.version());
        fields.put("timings", timings);
        fields.put("results", results);
        ResultFile.write(out.file(OutputDirectory.RESULT), fields);
        out.commit();
        terminal.progress("written to " + out);
    }

    private Map<String, String> metadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("command", command);
        metadata.put("model", options.model);
        metadata.put(
                "tokens",
                Arrays.stream(run.tokens()).mapToObj(Integer::toString).collect(Collectors.joining(",")));
        return metadata;
    }

    private String digest() throws IOException {
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
    public void close() {
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
