package dev.greenfield.cli.job;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Team;
import dev.greenfield.model.Tokenizer;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** A command about the prompts of a suite: all of them are read first, and run one at a time. */
public final class SuiteJob extends ModelJob {
    private static final long PROGRESS_NANOS = 10_000_000_000L;

    private final Suite suite;
    private List<SuitePrompt> prompts;
    private boolean streamed; // the tensors have been written already, or there are none
    private long saidAt = System.nanoTime();

    private SuiteJob(String command, CommonOptions options, Suite suite, Terminal terminal) {
        super(command, options, terminal);
        this.suite = suite;
    }

    /** Starts a command: afterwards the model can read every prompt. */
    public static SuiteJob start(String command, CommonOptions options, String suite, Terminal terminal)
            throws IOException {
        options.checkSuite();
        SuiteJob job = new SuiteJob(command, options, Suite.read(suite), terminal);
        try {
            job.open();
            job.prompts = job.suite.prompts(job.model());
            return job;
        } catch (IOException | RuntimeException | Error failure) {
            job.close();
            throw failure;
        }
    }

    /** One line for all answers that are another token with a blank in front. */
    private void warnOfBlanks(List<SuitePair> pairs) {
        Tokenizer tokenizer = model().tokenizer();
        long other = pairs.stream()
                .map(pair -> suite.entries().get(pair.prompt().number() - 1).other())
                .filter(asked -> asked.answer() != null && isTwo(tokenizer, asked.answer()))
                .count();
        if (other > 0) {
            terminal()
                    .warning(other + " of " + pairs.size()
                            + " answers are one token as they stand and another one with a blank in front; F is of the first: write"
                            + " the blank where the word goes on a text");
        }
    }

    private static boolean isTwo(Tokenizer tokenizer, String text) {
        if (text.startsWith(" ") || text.matches("#[0-9]+") || !tokenizer.canEncode()) {
            return false;
        }
        try {
            int[] spaced = tokenizer.encode(" " + text);
            return spaced.length == 1 && spaced[0] != tokenizer.single(text);
        } catch (InputException unknown) {
            return false;
        }
    }

    /** Every prompt of the suite, in order. */
    public List<SuitePrompt> prompts() {
        return prompts;
    }

    /** The first {@code limit} prompts with their observables and, where {@code corrupt} is set, the prompts that they are compared with. */
    public List<SuitePair> pairs(int limit, boolean corrupt) {
        List<SuitePair> pairs = new ArrayList<>();
        for (SuitePrompt prompt : prompts.subList(0, Math.min(limit, prompts.size()))) {
            Suite.Item entry = suite.entries().get(prompt.number() - 1);
            try {
                pairs.add(SuitePair.of(prompt, entry.other(), model(), corrupt));
            } catch (InputException wrong) {
                throw new InputException(
                        "--suite " + Quantities.quoted(suite.path()) + ", entry " + entry.number() + ": "
                                + wrong.getMessage(),
                        wrong);
            }
        }
        warnOfBlanks(pairs);
        return pairs;
    }

    /** Pairs as {@code result.json} has them. */
    public List<Map<String, Object>> fields(List<SuitePair> pairs) {
        return pairs.stream().map(pair -> pair.toMap(model())).toList();
    }

    /** All its prompts as pairs, each with what it is compared with. */
    public List<SuitePair> pairs() {
        return pairs(Integer.MAX_VALUE, true);
    }

    /** Runs a prompt; close the run before the next one. */
    public Run run(SuitePrompt prompt) {
        return timed("run", () -> model().run(prompt.tokens()));
    }

    /** Work on an item of a suite, on one of the devices. */
    public interface Measuring<I, O> {
        O of(Model model, I item);
    }

    /** Takes what was found of an item. */
    public interface Taking<I, O> {
        void take(I item, O found) throws IOException;
    }

    /**
     * Works on items, shared by the devices of the model, and takes what is found in the order of the items.
     *
     * @param how works on one item with the model that it is given; on several devices by several threads at once
     */
    public <I, O> void each(List<I> items, Measuring<I, O> how, Taking<I, O> what) throws IOException {
        List<Team.Worker<I, O>> workers = model().onDevices().stream()
                .<Team.Worker<I, O>>map(model -> item -> how.of(model, item))
                .toList();
        int done = 0;
        if (workers.size() == 1) {
            for (I item : items) {
                what.take(item, workers.get(0).work(item));
                progress(++done, items.size());
            }
            return;
        }
        sideBySide(true);
        try (Team<I, O> team = new Team<>("greenfield-device", workers, items)) {
            for (I item : items) {
                what.take(item, team.next());
                progress(++done, items.size());
            }
        } finally {
            sideBySide(false);
        }
    }

    /** Says how far the work is, not more often than a person can read. */
    public void progress(int done, int of) {
        long now = System.nanoTime();
        if (done == of || now - saidAt > PROGRESS_NANOS) {
            terminal().progress(done + " of " + of + " prompts");
            saidAt = now;
        }
    }

    /** Prints how many prompts of which length there are. */
    public void opening(List<SuitePrompt> chosen) {
        opening(chosen, "in this shard");
    }

    /** Likewise; {@code how} says what those that are chosen are, where not all are. */
    public void opening(List<SuitePrompt> chosen, String how) {
        terminal()
                .line("suite     " + suite.path() + ": " + prompts.size() + " prompts"
                        + (chosen.size() == prompts.size() ? "" : ", " + chosen.size() + " of them " + how));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("tokens", "prompts"));
        lengths(chosen).forEach((length, count) -> rows.add(List.of(length.toString(), count.toString())));
        Tables.print(terminal(), "prompts by length", rows);
    }

    /** Number of prompts of each length, the shortest first. */
    public static Map<Integer, Integer> lengths(List<SuitePrompt> prompts) {
        Map<Integer, Integer> lengths = new TreeMap<>();
        prompts.forEach(prompt -> lengths.merge(prompt.length(), 1, Integer::sum));
        return lengths;
    }

    /** Rows of a report's table of prompts: number, tokens, text. */
    public static List<List<String>> table(List<SuitePrompt> prompts) {
        return prompts.stream()
                .map(prompt ->
                        List.of(Integer.toString(prompt.number()), Integer.toString(prompt.length()), prompt.shown()))
                .toList();
    }

    /** Opens the tensors' file for writing as results come, instead of {@link #tensors}; the caller commits it. */
    public SafetensorsWriter stream(Consumer<SafetensorsWriter.Builder> declare) throws IOException {
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(file(OutputDirectory.TENSORS));
        declare.accept(builder);
        metadata(builder.ranks()).forEach(builder::metadata);
        streamed = true;
        return builder.open();
    }

    /** Writes no tensors. */
    public void withoutTensors() {
        streamed = true;
    }

    public String suiteDigest() {
        return suite.sha256();
    }

    @Override
    void writeTensors() throws IOException {
        if (!streamed) {
            super.writeTensors();
        }
    }

    @Override
    void describe(Map<String, String> facts) {
        facts.put("Suite", suite.path() + " (" + prompts.size() + " prompts)");
    }

    @Override
    Map<String, Object> subject() {
        Map<String, Object> file = new LinkedHashMap<>();
        file.put("path", suite.path());
        file.put("sha256", suite.sha256());
        file.put("prompts", prompts.size());
        return Map.of("suite", file);
    }

    @Override
    Map<String, String> subjectMetadata() {
        return Map.of("suite_sha256", suite.sha256());
    }

    /**
     * The model that {@code --model-b} names, beside this one. It closes with this model, or before.
     *
     * @throws InputException if it cannot be used, which says so of {@code --model-b}
     */
    public Model secondModel(String named) throws IOException {
        try {
            return model().beside(named);
        } catch (InputException e) {
            throw new InputException("--model-b " + e.getMessage(), e);
        }
    }
}
