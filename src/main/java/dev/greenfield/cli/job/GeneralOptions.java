package dev.greenfield.cli.job;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** Options that every command has. Filled by picocli. */
public final class GeneralOptions {
    /** Where results go and what is said meanwhile: nothing of it changes them. */
    private static final Set<String> AROUND = Set.of("out", "force", "quiet", "verbose", "checkpoint");

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

    private final Map<String, Object> given = new LinkedHashMap<>();

    /** Keeps what the command line said, as it said it, for those who read the results later. */
    public void remember(ParseResult line) {
        for (OptionSpec option : line.matchedOptions()) {
            String name = field(option.longestName());
            if (!AROUND.contains(name)) {
                given.put(
                        name,
                        option.arity().max() == 0
                                ? true
                                : option.originalStringValues().get(0));
            }
        }
    }

    /** The options of the command line that may change results, by the names of {@link #field}: texts, and true for flags. */
    Map<String, Object> given() {
        return Collections.unmodifiableMap(given);
    }

    /** What {@code result.json} calls an option: {@code half_depths} for {@code --half-depths}. */
    public static String field(String option) {
        return option.replaceFirst("^-+", "").replace('-', '_');
    }
}
