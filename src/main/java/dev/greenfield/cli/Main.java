package dev.greenfield.cli;

import dev.greenfield.Greenfield;
import dev.greenfield.cli.green.GreenCommand;
import dev.greenfield.cli.infer.InferCommand;
import dev.greenfield.cli.io.Failure;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
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
import dev.greenfield.failure.InputException;
import dev.greenfield.model.OptionalLibrary;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;

/**
 * The program. Finds the command, reads its options, runs it and turns failures into an exit status and one line on
 * standard error. Only the command that was asked for is built: picocli reads annotations by reflection, which for all of
 * them would cost more than the demo model takes to run.
 */
public final class Main {
    private static final Map<String, Entry> COMMANDS = commands();
    private static final String PROGRAM = "java -jar greenfield.jar";

    private record Entry(String description, Supplier<Action> make) {}

    private Main() {}

    private static Map<String, Entry> commands() {
        Map<String, Entry> commands = new LinkedHashMap<>();
        commands.put("demo", new Entry("A tour on the embedded model; writes report.html.", DemoCommand::new));
        commands.put("field", new Entry("The residual stream and the logits of a prompt.", FieldCommand::new));
        commands.put(
                "sensitivity",
                new Entry("How F depends on the residual at every depth and token.", SensitivityCommand::new));
        commands.put("patch", new Entry("What patching each site from another prompt does to F.", PatchCommand::new));
        commands.put(
                "predict",
                new Entry(
                        "How well first order and other methods predict interventions over a suite.",
                        PredictCommand::new));
        commands.put(
                "green",
                new Entry("The linear response of a depth to one site: full, or its leading part.", GreenCommand::new));
        commands.put("map", new Entry("The response of every site to every site, one number a pair.", MapCommand::new));
        commands.put("regime", new Entry("How far first order holds at a site, or at all.", RegimeCommand::new));
        commands.put(
                "propagate",
                new Entry("How the response to one source spreads, against random ones.", PropagateCommand::new));
        commands.put("infer", new Entry("The source that makes a wanted change.", InferCommand::new));
        commands.put(
                "transfer",
                new Entry("What the displacement to another prompt does, put in part by part.", TransferCommand::new));
        commands.put(
                "reduce",
                new Entry("What few sites and few directions carry of a displacement's effect.", ReduceCommand::new));
        commands.put("scale", new Entry("Two models on the same prompts, depth by depth.", ScaleCommand::new));
        commands.put("study", new Entry("All claims of the theory on the prompts of a suite.", StudyCommand::new));
        commands.put("merge", new Entry("Joins the shards of a suite's response maps.", MergeCommand::new));
        commands.put(
                "fetch", new Entry("Downloads a model of the Hugging Face hub into its cache.", FetchCommand::new));
        commands.put("export", new Entry("Writes a model directory.", ExportCommand::new));
        commands.put("doctor", new Entry("What this machine can run.", DoctorCommand::new));
        return commands;
    }

    /** Runs a command and ends the process with its status. */
    public static void main(String[] args) {
        if (!OptionalLibrary.PICOCLI.present()) {
            System.err.println("greenfield: the command line needs picocli, which is not here: "
                    + OptionalLibrary.PICOCLI.remedy()
                    + ", or run the self-contained jar (classifier cli)");
            System.exit(Failure.BACKEND);
        }
        Terminal terminal = Terminal.ofProcess();
        // A signal ends the process with its own status, 130 for an interrupt, while this thread still computes.
        Thread interrupted = new Thread(terminal::interrupted, "greenfield-interrupted");
        Runtime.getRuntime().addShutdownHook(interrupted);
        int status = run(terminal, args);
        try {
            Runtime.getRuntime().removeShutdownHook(interrupted);
        } catch (IllegalStateException ending) {
            return; // the signal's status stands
        }
        System.exit(status);
    }

    /** Runs a command as {@link #main} does, without colour, on these streams; returns the exit status. */
    static int run(PrintStream out, PrintStream err, String... args) {
        return run(new Terminal(out, err, StandardCharsets.UTF_8, false), args);
    }

    private static int run(Terminal terminal, String... args) {
        String command = args.length > 0 && COMMANDS.containsKey(args[0]) ? args[0] : null;
        try {
            dispatch(terminal, args);
        } catch (Exception | Error failure) {
            Failure failed = Failure.of(failure, command);
            terminal.error(failed.message());
            if (Arrays.asList(args).contains("--verbose")) {
                terminal.trace(failure);
            }
            return failed.exit();
        }
        if (terminal.lostOutput()) {
            terminal.error(
                    "standard output could not take all of the results: see where it leads, such as a pipe that its reader closed (as head does) or a"
                            + " full disk");
            return Failure.INPUT;
        }
        return Failure.DONE;
    }

    private static void dispatch(Terminal terminal, String... args) throws IOException {
        if (args.length == 0) {
            throw new InputException("no command: expected one of " + String.join(", ", COMMANDS.keySet())
                    + "; --help describes them, 'demo' shows what they do");
        }
        switch (args[0]) {
            case "--help", "-h", "help" -> {
                if (args.length > 1 && COMMANDS.containsKey(args[1])) {
                    dispatch(terminal, args[1], "--help");
                } else {
                    help(terminal);
                }
            }
            case "--version", "version" -> terminal.line("greenfield " + Greenfield.version());
            default -> {
                Entry entry = COMMANDS.get(args[0]);
                if (entry == null) {
                    throw new InputException("unknown command " + Quantities.quoted(args[0]) + ": expected one of "
                            + String.join(", ", COMMANDS.keySet()) + "; --help describes them");
                }
                command(terminal, args[0], entry, Arrays.copyOfRange(args, 1, args.length));
            }
        }
    }

    private static void command(Terminal terminal, String name, Entry entry, String... options) throws IOException {
        Action action = entry.make().get();
        CommandLine line = new CommandLine(action)
                .setCommandName(PROGRAM + " " + name)
                // A prompt may begin with @, which picocli would take for a file of arguments.
                .setExpandAtFiles(false);
        line.getCommandSpec().usageMessage().description(entry.description()).width(100);
        line.parseArgs(options);
        if (line.isUsageHelpRequested()) {
            terminal.block(line.getUsageMessage(CommandLine.Help.Ansi.OFF));
        } else if (line.isVersionHelpRequested()) {
            terminal.line("greenfield " + Greenfield.version());
        } else {
            terminal.quiet(action.general().quiet);
            action.run(terminal);
        }
    }

    private static void help(Terminal terminal) {
        terminal.line("Usage: " + PROGRAM + " COMMAND [OPTIONS]");
        terminal.line("Response theory of transformers: how a model answers interventions on its residual stream.");
        terminal.line("");
        COMMANDS.forEach(
                (name, entry) -> terminal.line(String.format(Locale.ROOT, "  %-12s %s", name, entry.description())));
        terminal.line("");
        terminal.line(
                "COMMAND --help lists its options. Exit status: 0 done, 2 bad usage or input, 3 a device or native");
        terminal.line("library failed, 4 out of the memory budget, 130 interrupted.");
    }
}
