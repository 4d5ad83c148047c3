package dev.greenfield.cli;

import dev.greenfield.cli.green.GreenCommand;
import dev.greenfield.cli.infer.InferCommand;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.map.MapCommand;
import dev.greenfield.cli.map.MergeCommand;
import dev.greenfield.cli.patch.PatchCommand;
import dev.greenfield.cli.patch.PredictCommand;
import dev.greenfield.cli.source.PropagateCommand;
import dev.greenfield.cli.source.RegimeCommand;
import dev.greenfield.cli.study.StudyCommand;
import dev.greenfield.cli.transfer.ReduceCommand;
import dev.greenfield.cli.transfer.ScaleCommand;
import dev.greenfield.cli.transfer.TransferCommand;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** All commands: what each does, which of the shared options it has no use for, and how it is called. */
final class Commands {
    private static final String SOFIA = "--prompt \"<|endoftext|> Alice lives in Sofia so Alice speaks\"";
    private static final String BERLIN = "--corrupt \"<|endoftext|> Alice lives in Berlin so Alice speaks\"";
    private static final String LANGUAGE = "--answer Bulgarian --foil German";
    private static final String KOREA = "--prompt \"<|endoftext|> The capital of Korea is\"";
    private static final String SEOUL = "--answer Seoul --foil Oslo";
    private static final String NORWAY = "--corrupt \"<|endoftext|> The capital of Norway is\"";
    private static final String SUITE = "--suite docs/examples/suite.json";

    /** A suite has prompts of its own. */
    private static final Set<String> OF_ONE_PROMPT = Set.of("--prompt", "--tokens", "--answer", "--foil", "--position");

    /** Where nothing is drawn. */
    private static final Set<String> SEED = Set.of("--seed");

    private static final Map<String, Entry> ALL = all();

    private Commands() {}

    /**
     * A command.
     *
     * @param description a sentence
     * @param make makes it anew; picocli reads its annotations, which takes a while
     * @param without options that it has from others and that are refused or do nothing here: its help leaves them out
     * @param examples as one writes them, without the program
     */
    record Entry(String description, Supplier<Action> make, Set<String> without, List<String> examples) {}

    /** Every command by its name, in the order of the help. */
    static Map<String, Entry> byName() {
        return ALL;
    }

    private static Map<String, Entry> all() {
        Map<String, Entry> all = new LinkedHashMap<>();
        all.put(
                "demo",
                entry(
                        "A tour on the embedded model; writes report.html.",
                        DemoCommand::new,
                        Set.of("--tokens"),
                        "demo",
                        "demo --out greenfield-out"));
        all.put(
                "field",
                entry(
                        "The residual stream and the logits of a prompt.",
                        FieldCommand::new,
                        SEED,
                        "field " + KOREA,
                        "field --model random:2,4,64,100,32,seed=7 --tokens 5,17,3 --out greenfield-out"));
        all.put(
                "sensitivity",
                entry(
                        "How F depends on the residual at every depth and token.",
                        SensitivityCommand::new,
                        SEED,
                        "sensitivity " + SOFIA + " " + LANGUAGE,
                        "sensitivity --model random:2,4,64,100,32 --tokens 5,17,3 --answer \"#4\" --position 1"));
        all.put(
                "patch",
                entry(
                        "What patching each site from another prompt does to F.",
                        PatchCommand::new,
                        Set.of(),
                        "patch " + SOFIA + " " + BERLIN + " " + LANGUAGE,
                        "patch " + KOREA + " " + NORWAY + " " + SEOUL + " --component head --out greenfield-out"));
        all.put(
                "predict",
                entry(
                        "How well first order and other methods predict interventions over a suite.",
                        PredictCommand::new,
                        OF_ONE_PROMPT,
                        "predict " + SUITE + " --kinds noise --components resid --methods first,second",
                        "predict " + SUITE
                                + " --limit 2 --kinds zero,random:0.1 --components mlp --out greenfield-out"));
        all.put(
                "green",
                entry(
                        "The linear response of a depth to one site: full, or its leading part.",
                        GreenCommand::new,
                        Set.of(),
                        "green " + KOREA + " --depth 1 --token 4 --rank 4",
                        "green --average " + SUITE + " --skip 1 --out greenfield-out"));
        all.put(
                "lens",
                entry(
                        "The tokens that the logit lens and the Jacobian lens read at every depth and token.",
                        LensCommand::new,
                        SEED,
                        "lens " + KOREA + " --answer Seoul",
                        "lens " + KOREA + " --answer Seoul --jacobian greenfield-average --out greenfield-out"));
        all.put(
                "map",
                entry(
                        "The response of every site to every site, one number a pair.",
                        MapCommand::new,
                        Set.of(),
                        "map " + KOREA + " --probes 8",
                        "map " + KOREA + " --exact --sites 0-1:4 --out greenfield-out"));
        all.put(
                "regime",
                entry(
                        "How far first order holds at a site, or at all.",
                        RegimeCommand::new,
                        Set.of(),
                        "regime " + KOREA + " " + SEOUL + " --depth 1 --token 4",
                        "regime " + KOREA + " " + SEOUL + " --all-sites --direction random --epsilon 0.01,0.1,1"));
        all.put(
                "propagate",
                entry(
                        "How the response to one source spreads, against random ones.",
                        PropagateCommand::new,
                        Set.of(),
                        "propagate " + KOREA + " " + SEOUL + " --depth 0 --token 4",
                        "propagate " + KOREA + " --depth 1 --token 4 --direction random --randoms 4 --epsilon 0.1"));
        all.put(
                "infer",
                entry(
                        "The source that makes a wanted change.",
                        InferCommand::new,
                        SEED,
                        "infer " + KOREA + " " + SEOUL + " --target-change 10%",
                        "infer " + KOREA + " " + NORWAY + " --targets 4:5 --among 0-2:*"));
        all.put(
                "transfer",
                entry(
                        "What the displacement to another prompt does, put in part by part.",
                        TransferCommand::new,
                        SEED,
                        "transfer " + KOREA + " " + NORWAY + " " + SEOUL,
                        "transfer " + KOREA + " " + NORWAY + " " + SEOUL + " --alpha=-1,0,1 --top 3"));
        all.put(
                "reduce",
                entry(
                        "What few sites and few directions carry of a displacement's effect.",
                        ReduceCommand::new,
                        Set.of(),
                        "reduce " + KOREA + " " + NORWAY + " " + SEOUL + " --top 3 --rank 4 --depths 0,2,4",
                        "reduce " + KOREA + " " + NORWAY + " " + SEOUL + " --rank 8 --out greenfield-out"));
        all.put(
                "scale",
                entry(
                        "Two models on the same prompts, depth by depth.",
                        ScaleCommand::new,
                        OF_ONE_PROMPT,
                        "scale " + SUITE + " --model-b untrained --probes 2",
                        "scale " + SUITE + " --model-b untrained --probes 16 --top 5 --out greenfield-out"));
        all.put(
                "study",
                entry(
                        "All claims of the theory on the prompts of a suite.",
                        StudyCommand::new,
                        OF_ONE_PROMPT,
                        "study " + SUITE + " --out greenfield-out",
                        "study " + SUITE + " --limit 2 --out greenfield-out"));
        all.put(
                "merge",
                entry(
                        "Joins the shards of a suite's response maps.",
                        MergeCommand::new,
                        Set.of("--quiet"),
                        "merge maps/1 maps/2 --out greenfield-out",
                        "merge --out greenfield-out --force maps/1 maps/2"));
        all.put(
                "fetch",
                entry(
                        "Downloads a model of the Hugging Face hub into its cache.",
                        FetchCommand::new,
                        Set.of(),
                        "fetch openai-community/gpt2",
                        "fetch EleutherAI/pythia-160m@main --dry-run"));
        all.put(
                "export",
                entry(
                        "Writes a model directory.",
                        ExportCommand::new,
                        Set.of(),
                        "export --model random:2,4,64,100,32,seed=7 --out greenfield-export/random",
                        "export --model demo --dtype bf16 --out greenfield-export/demo"));
        all.put(
                "doctor",
                entry(
                        "What this machine can run, for reports of bugs; --verbose adds how the GPU's backend is tuned.",
                        DoctorCommand::new,
                        Set.of("--quiet"),
                        "doctor",
                        "doctor --verbose"));
        return all;
    }

    private static Entry entry(String description, Supplier<Action> make, Set<String> without, String... examples) {
        return new Entry(description, make, without, List.of(examples));
    }
}
