package dev.greenfield.cli;

import dev.greenfield.Greenfield;
import dev.greenfield.cli.io.Failure;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Screen;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.failure.InputException;
import dev.greenfield.model.OptionalLibrary;
import dev.greenfield.text.Nearest;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import picocli.CommandLine;

/**
 * The program. Finds the command, reads its options, runs it and turns failures into an exit status and one line on
 * standard error. Only the command that was asked for is built: picocli reads annotations by reflection, which for all of
 * them would cost more than the demo model takes to run.
 */
public final class Main {
    private static final int WIDTH = 100; // of help, where nobody says how wide the terminal is

    private static final String VERSION = "greenfield " + Greenfield.version();

    private Main() {}

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

    /** Runs a command as {@link #main} does, for streams that go to files; returns the exit status. */
    static int run(PrintStream out, PrintStream err, String... args) {
        return run(new Terminal(out, err, StandardCharsets.UTF_8, Screen.NONE), args);
    }

    /** Runs a command; returns the exit status. */
    static int run(Terminal terminal, String... args) {
        Call call = new Call(terminal);
        try {
            call.dispatch(args);
        } catch (Exception | Error failure) {
            Failure failed =
                    terminal.readerGone() ? Failure.readerGone() : Failure.of(failure, call.command, call.options);
            if (failed.message() != null) {
                terminal.error(failed.message());
            }
            if (Arrays.asList(args).contains("--verbose")) {
                terminal.trace(failure);
            }
            return failed.exit();
        }
        boolean lost = terminal.lostOutput();
        if (terminal.readerGone()) {
            return Failure.readerGone().exit();
        }
        if (lost) {
            terminal.error(
                    "standard output could not take all of the results: see where it leads, such as a full disk");
            return Failure.INPUT;
        }
        return Failure.DONE;
    }

    /** What is known of a call, so that what is said of its failure fits it. */
    private static final class Call {
        private final Terminal terminal;
        private String command; // null until one is recognized
        private Set<String> options = Set.of(); // that it takes

        Call(Terminal terminal) {
            this.terminal = terminal;
        }

        void dispatch(String... args) throws IOException {
            if (args.length == 0) {
                throw new InputException("no command: " + expected() + ", 'demo' shows what they do");
            }
            switch (args[0]) {
                case "--help", "-h", "help" -> {
                    if (args.length > 1 && !args[1].startsWith("-")) {
                        dispatch(args[1], "--help");
                    } else {
                        terminal.block(Help.general(terminal.width(WIDTH)));
                    }
                }
                case "--version" -> terminal.line(VERSION);
                case "version" -> terminal.line(VERSION + ", " + Surroundings.brief());
                default -> {
                    Commands.Entry entry = Commands.byName().get(args[0]);
                    if (entry == null) {
                        throw new InputException("unknown command " + Quantities.quoted(args[0])
                                + Nearest.question(args[0], Commands.byName().keySet()) + ": " + expected());
                    }
                    command = args[0];
                    run(entry, Arrays.copyOfRange(args, 1, args.length));
                }
            }
        }

        private static String expected() {
            return "expected one of " + String.join(", ", Commands.byName().keySet()) + "; --help describes them";
        }

        private void run(Commands.Entry entry, String... given) throws IOException {
            Action action = entry.make().get();
            CommandLine line = new CommandLine(action)
                    // A prompt may begin with @, which picocli would take for a file of arguments.
                    .setExpandAtFiles(false);
            Help.hide(line.getCommandSpec(), entry.without());
            options = Help.names(line.getCommandSpec());
            line.parseArgs(given);
            if (line.isUsageHelpRequested()) {
                terminal.block(Help.of(command, entry, line.getCommandSpec(), terminal.width(WIDTH)));
            } else if (line.isVersionHelpRequested()) {
                terminal.line(VERSION);
            } else {
                action.general().remember(line.getParseResult());
                terminal.quiet(action.general().quiet);
                action.run(terminal);
            }
        }
    }
}
