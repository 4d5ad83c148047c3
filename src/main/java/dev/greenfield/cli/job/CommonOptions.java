package dev.greenfield.cli.job;

import dev.greenfield.BackendChoice;
import dev.greenfield.Options;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.model.Beginning;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Precision;
import dev.greenfield.model.WeightPlacement;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Options that every computing command has. Filled by picocli as plain text and converted here, so that each wrong value
 * gets a message that says what was expected.
 */
public final class CommonOptions {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "demo, a Hugging Face model directory, random:gpt2, random:llama-3.1-8b and others,"
                    + " random:L,H,D,V,N or random:FAMILY:layers=... (,seed=N may follow), or a model in the Hugging Face"
                    + " cache, ORG/NAME[@REVISION] (see fetch). Default: demo.")
    public String model = ModelSource.DEMO;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The text that the model reads.")
    public String prompt;

    @Option(names = "--tokens", paramLabel = "IDS", description = "Or its token ids: 1,2,3.")
    public String tokens;

    @Option(
            names = "--answer",
            paramLabel = "TOKEN",
            description = "Text of one token, or #id. F is its logit, minus that of the foil where one is given.")
    public String answer;

    @Option(names = "--foil", paramLabel = "TOKEN", description = "The token that the answer is compared with.")
    public String foil;

    @Option(names = "--position", paramLabel = "P", description = "The token where F is read, from 0. Default: last.")
    String position;

    @Option(names = "--backend", paramLabel = "NAME", description = "auto, cpu, cuda or reference. Default: auto.")
    String backend = "auto";

    @Option(
            names = "--devices",
            paramLabel = "LIST",
            description =
                    "GPUs by number, such as 1 or 0,1: each holds the model. The batches of a map and the prompts of a"
                            + " suite are shared among them; all else is done by the first. Default: 0.")
    String devices;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = "fp32, tf32, bf16 or fp64, where the backend has it; bf16 is for estimates.")
    String precision;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description = "The most memory to use, such as 4GiB or 512MiB. Default: half of the machine's.")
    String memory;

    @Option(
            names = "--weights",
            paramLabel = "HOW",
            description =
                    "resident: all in memory; streamed: a block or two at a time, read as a sweep comes to them; auto:"
                            + " resident where they fit. Results are the same. Default: auto.")
    String weights = "auto";

    @Option(names = "--threads", paramLabel = "N", description = "Processor threads. Default: all.")
    String threads;

    @Option(
            names = "--bos",
            paramLabel = "HOW",
            description =
                    "auto: the token that the model's own tokenizer puts in front of every text, if it has one, goes in front of"
                            + " prompts, never twice; yes: so does a bos_token that it does not put there by itself, and it must have one; no: texts as they stand. Default: auto.")
    String bos = "auto";

    @Option(names = "--seed", paramLabel = "N", description = "Seed of everything random in a method. Default: 0.")
    String seed;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Write result.json, tensors.safetensors and, where there is something to see, report.html"
                    + " there, whole or not at all.")
    public String out;

    @Option(
            names = "--force",
            description = "Write into --out even where something else is: another command's results are replaced, other"
                    + " files stay.")
    boolean force;

    @Mixin
    public GeneralOptions general = new GeneralOptions();

    /** Whether a command can do without an observable. */
    public enum Need {
        OPTIONAL,
        REQUIRED
    }

    /** Refuses whatever can be seen to be wrong before a model is opened. */
    public void check(Need observable) {
        if (prompt == null && tokens == null) {
            throw new InputException("no prompt: give --prompt TEXT, or --tokens 1,2,3");
        }
        if (prompt != null && tokens != null) {
            throw new InputException("both --prompt and --tokens are given: give one of them");
        }
        checkForce();
        tokenIds();
        if (foil != null && answer == null) {
            throw new InputException("--foil without --answer: a foil is what the answer is compared with, give both");
        }
        if (observable == Need.REQUIRED && answer == null) {
            throw new InputException(
                    "no observable: give --answer TOKEN and --foil TOKEN, each the text of one token or"
                            + " #id (--answer alone takes its logit)");
        }
        observable();
        options();
        randomSeed();
    }

    private void checkForce() {
        if (force && out == null) {
            throw new InputException("--force without --out: it is about the files in a directory, give --out DIR");
        }
    }

    /** Refuses what can be seen to be wrong where a suite has the prompts. */
    void checkSuite() {
        checkForce();
        String[][] ofOnePrompt = {
            {"--prompt", prompt}, {"--tokens", tokens}, {"--answer", answer}, {"--foil", foil}, {"--position", position}
        };
        for (String[] option : ofOnePrompt) {
            if (option[1] != null) {
                throw new InputException("both --suite and " + option[0]
                        + " are given: a suite has prompts of its own, leave one of them out");
            }
        }
        options();
        randomSeed();
    }

    /** The ids of {@code --tokens}, or null. */
    int[] tokenIds() {
        return tokens == null ? null : Quantities.tokenIds("--tokens", tokens);
    }

    /** What F is, or null without an answer. */
    Observable observable() {
        if (answer == null) {
            readPosition();
            return null;
        }
        Observable f = foil == null ? Observable.logit(answer) : Observable.logitDifference(answer, foil);
        OptionalInt at = readPosition();
        return at.isPresent() ? f.at(at.getAsInt()) : f;
    }

    /** The position where F is read, if one is given. */
    OptionalInt readPosition() {
        return position == null
                ? OptionalInt.empty()
                : OptionalInt.of(Quantities.atLeast(
                        "--position", position, 0, "a token of the prompt, counted from 0; leave it out for the last"));
    }

    /** How the model is to be run. */
    Options options() {
        if (!BackendChoice.NAMES.contains(backend)) {
            throw new InputException("--backend " + Quantities.quoted(backend) + ": expected one of "
                    + String.join(", ", BackendChoice.NAMES));
        }
        Options options =
                Options.defaults().backend(backend).beginning(beginning()).weights(weights());
        if (precision != null) {
            options = options.precision(precision());
        }
        if (devices != null) {
            options = options.devices(devices());
        }
        if (threads != null) {
            options = options.threads(Quantities.atLeast(
                    "--threads", threads, 1, "a number of threads, at least 1; leave it out to use all processors"));
        }
        return memory == null ? options : options.memory(Quantities.bytes("--memory", memory));
    }

    private int[] devices() {
        String found = "--devices " + Quantities.quoted(devices);
        String expected = ": expected numbers of GPUs, counted from 0, each once, such as 0,1";
        if (!devices.matches("[0-9]{1,4}(,[0-9]{1,4})*")) {
            throw new InputException(found + expected);
        }
        if (!backend.equals("cuda") && !backend.equals("auto")) {
            throw new InputException(found + " with --backend " + backend
                    + ": only the cuda backend has devices; leave one of them out");
        }
        int[] numbers =
                Stream.of(devices.split(",")).mapToInt(Integer::parseInt).toArray();
        if (IntStream.of(numbers).distinct().count() < numbers.length) {
            throw new InputException(found + expected);
        }
        return numbers;
    }

    private Beginning beginning() {
        for (Beginning how : Beginning.values()) {
            if (how.name().toLowerCase(Locale.ROOT).equals(bos)) {
                return how;
            }
        }
        throw new InputException("--bos " + Quantities.quoted(bos) + ": expected auto, yes or no");
    }

    private WeightPlacement weights() {
        for (WeightPlacement where : WeightPlacement.values()) {
            if (where.label().equals(weights)) {
                return where;
            }
        }
        throw new InputException("--weights " + Quantities.quoted(weights) + ": expected auto, resident or streamed");
    }

    /** Whether numbers are asked for in an arithmetic that is meant for estimates. */
    public boolean coarse() {
        return precision != null && precision() == Precision.BF16;
    }

    private Precision precision() {
        for (Precision p : Precision.values()) {
            if (p.label().equals(precision)) {
                return p;
            }
        }
        throw new InputException("--precision " + Quantities.quoted(precision) + ": expected fp32, tf32, bf16 or fp64");
    }

    /** The seed. */
    public long randomSeed() {
        return seed == null ? 0 : Quantities.seed("--seed", seed);
    }
}
