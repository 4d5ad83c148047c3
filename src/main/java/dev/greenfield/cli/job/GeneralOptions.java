package dev.greenfield.cli.job;

import picocli.CommandLine.Option;

/** Options that every command has. Filled by picocli. */
public final class GeneralOptions {
    @Option(names = "--quiet", description = "Nothing on standard error but errors and notes.")
    public boolean quiet;

    @Option(names = "--verbose", description = "More for reports of bugs, such as stack traces of errors.")
    public boolean verbose;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    boolean help;

    @Option(names = "--version", versionHelp = true, description = "Show the version and exit.")
    boolean version;
}
