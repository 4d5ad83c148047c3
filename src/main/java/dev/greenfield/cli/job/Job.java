package dev.greenfield.cli.job;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.report.TokenLabels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A command about one prompt: the prompt is read and run first. */
public final class Job extends ModelJob {
    /** The command whose work on one prompt devices share, in batches. */
    private static final String SHARED = "map";

    private final CommonOptions options;
    private Run run;
    private List<String> labels; // of the run that the figures are about
    private boolean compared; // with another prompt
    private String corruptPrompt; // its text; null where ids were given

    private Job(String command, CommonOptions options, Terminal terminal) {
        super(command, options, terminal);
        this.options = options;
    }

    /**
     * Starts a command: afterwards the prompt has been run.
     *
     * @param need whether the command can do without an observable
     */
    public static Job start(String command, CommonOptions options, CommonOptions.Need need, Terminal terminal)
            throws IOException {
        options.check(need);
        Job job = new Job(command, options, terminal);
        try {
            job.begin();
            return job;
        } catch (IOException | RuntimeException | Error failure) {
            job.close();
            throw failure;
        }
    }

    private void begin() throws IOException {
        open();
        if (model().onDevices().size() > 1 && !command().equals(SHARED)) {
            terminal()
                    .progress(command() + " is done by device "
                            + options.options().devices().get(0)
                            + " alone: devices share the batches of map and the prompts of a suite");
        }
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
        model().config().checkTokens(tokens);
        int position = options.readPosition().orElse(tokens.length - 1);
        if (position >= tokens.length) {
            throw new InputException("--position " + position + ": the prompt has " + tokens.length
                    + " tokens, expected 0 to " + (tokens.length - 1));
        }
        run = timed("run", () -> model().run(tokens));
        about(run);
    }

    private int single(String option, String text) {
        try {
            return model().tokenizer().single(readable(option, text));
        } catch (InputException wrong) {
            throw new InputException(option + ": " + wrong.getMessage(), wrong);
        }
    }

    /** A token of an observable, as {@code result.json} has it. */
    static Map<String, Object> token(Model model, String text) {
        int id = model.tokenizer().single(text);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("token_id", id);
        fields.put("text", model.tokenizer().text(id));
        return fields;
    }

    /** The token ids of an option's text. */
    public int[] encode(String option, String text) {
        if (text.isEmpty()) {
            throw new InputException(option + " is empty: expected a text of at least one token");
        }
        return model().encode(readable(option, text));
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

    /** The run of the prompt. */
    public Run run() {
        return run;
    }

    /** Labels of the tokens that figures and tables are about: the prompt's, unless said otherwise. */
    public List<String> labels() {
        return labels;
    }

    /** Says that figures and tables are about this run. */
    public void about(Run shown) {
        labels = TokenLabels.of(shown.tokenText());
    }

    /** Says which prompt this one is compared with: its text, null where ids were given. */
    public void against(String prompt) {
        compared = true;
        corruptPrompt = prompt;
    }

    /** F, or null without an answer. */
    public Observable observable() {
        return options.observable();
    }

    /** The token where F is read. */
    public int position() {
        return options.readPosition().orElse(run.tokens().length - 1);
    }

    @Override
    void describe(Map<String, String> facts) {
        facts.put("Prompt", options.prompt == null ? "tokens " + options.tokens : options.prompt);
        if (observable() != null) {
            facts.put("Observable F", observable().describe());
        }
    }

    @Override
    Map<String, Object> subject() {
        Map<String, Object> fields = new LinkedHashMap<>();
        option("position", position());
        fields.put("prompt", options.prompt);
        fields.put("tokens", run.tokens());
        fields.put("token_text", run.tokenText());
        if (compared) {
            fields.put("corrupt_prompt", corruptPrompt);
        }
        Observable f = observable();
        fields.put("observable", f == null ? null : f.describe());
        fields.put("answer", f == null ? null : token(model(), f.answer()));
        fields.put("foil", f == null || f.foil() == null ? null : token(model(), f.foil()));
        return fields;
    }

    @Override
    Map<String, String> subjectMetadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(
                "tokens",
                Arrays.stream(run.tokens()).mapToObj(Integer::toString).collect(Collectors.joining(",")));
        if (observable() != null) {
            metadata.put("observable", observable().describe());
        }
        return metadata;
    }
}
