package dev.greenfield.cli;

import dev.greenfield.cli.io.Folded;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The texts of {@code --help}, in lines of the terminal's width. picocli's own help needs 55 columns, and lists what a mixin brings
 * whether or not a command has a use for it.
 */
final class Help {
    static final String PROGRAM = "java -jar greenfield.jar";

    private static final int COLUMN = 24; // where descriptions begin, if there is room beside the names
    private static final int NARROW = 60; // from here on they stand below the names
    private static final int INDENT = 6;
    /** An option with its value, or any other word; a text in quotes is one. */
    private static final Pattern PART = Pattern.compile("--\\S+(?: (?!--)(?:\"[^\"]*\"|\\S+))?|\"[^\"]*\"|\\S+");

    private Help() {}

    /** The commands, each with what it does. */
    static String general(int width) {
        List<String> lines = new ArrayList<>();
        lines.addAll(Folded.lines("Usage: " + PROGRAM + " COMMAND [OPTIONS]", width, INDENT));
        lines.addAll(Folded.lines(
                "Response theory of transformers: how a model answers interventions on its residual stream.",
                width,
                0));
        lines.add("");
        Commands.byName().forEach((name, entry) -> described(lines, "  " + name, 15, entry.description(), width));
        lines.add("");
        lines.addAll(Folded.lines(
                "COMMAND --help lists its options, 'version' says which version this is. Exit status: 0 done, 2 bad usage or"
                        + " input, 3 a device or native library failed, 4 out of the memory budget, 130 interrupted, 141"
                        + " the reader of the output has gone.",
                width,
                0));
        return joined(lines);
    }

    /** One command: its options and examples. */
    static String of(String name, Commands.Entry entry, CommandSpec spec, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder usage = new StringBuilder("Usage: " + PROGRAM + " " + name);
        spec.positionalParameters().forEach(parameter -> usage.append(' ').append(parameters(parameter)));
        lines.addAll(Folded.lines(usage + " [OPTIONS]", width, INDENT));
        lines.addAll(Folded.lines(entry.description(), width, 0));
        lines.add("");
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            described(lines, "  " + parameters(parameter), COLUMN, text(parameter), width);
        }
        for (OptionSpec option : taken(spec)) {
            String names = String.join(", ", option.names());
            String value = option.arity().max() == 0 ? "" : " " + option.paramLabel();
            described(lines, "  " + names + value, COLUMN, text(option), width);
        }
        lines.add("");
        lines.add("Examples:");
        entry.examples().forEach(example -> lines.addAll(example(example, width)));
        return joined(lines);
    }

    /** Takes the options out that a command has no use for: its help and what is suggested for a misspelled one leave them out. */
    static void hide(CommandSpec spec, Set<String> without) {
        for (String name : without) {
            OptionSpec option = spec.findOption(name);
            spec.remove(option);
            spec.addOption(OptionSpec.builder(option).hidden(true).build());
        }
    }

    /** The names of all options that a command takes. */
    static Set<String> names(CommandSpec spec) {
        Set<String> names = new TreeSet<>();
        taken(spec).forEach(option -> names.addAll(List.of(option.names())));
        return names;
    }

    private static List<OptionSpec> taken(CommandSpec spec) {
        return spec.options().stream()
                .filter(option -> !option.hidden())
                .sorted(Comparator.comparingInt(OptionSpec::order)) // stable: those of one order stay as declared
                .toList();
    }

    private static String parameters(PositionalParamSpec parameter) {
        return parameter.paramLabel() + (parameter.arity().max() > 1 ? "..." : "");
    }

    private static String text(ArgSpec argument) {
        return String.join(" ", argument.description());
    }

    /** A name with its description beside it, or below it where the terminal is narrow or the name long. */
    private static void described(List<String> lines, String name, int column, String text, int width) {
        if (width < NARROW) {
            lines.add(name);
            lines.addAll(Folded.lines(" ".repeat(INDENT) + text, width, INDENT));
            return;
        }
        boolean beside = name.length() + 1 < column;
        List<String> folded = Folded.lines(
                (beside ? name + " ".repeat(column - name.length()) : " ".repeat(column)) + text, width, column);
        if (!beside) {
            lines.add(name);
        }
        lines.addAll(folded);
    }

    /** A command line, in several that a shell reads as one where it is long. */
    private static List<String> example(String example, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder("  " + PROGRAM);
        Matcher part = PART.matcher(example);
        while (part.find()) {
            if (line.length() + 1 + part.group().length() > width - 2) {
                lines.add(line + " \\");
                line = new StringBuilder("   ");
            }
            line.append(' ').append(part.group());
        }
        lines.add(line.toString());
        return lines;
    }

    private static String joined(List<String> lines) {
        return String.join("\n", lines) + "\n";
    }
}
