package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import picocli.CommandLine.Option;

/** Options of commands about the pairs of prompts of a suite. */
public final class PairSuiteOptions {
    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "The first N prompts of the suite. Default: all.",
            order = -1)
    private String limit;

    /** Refuses what can be seen to be wrong without a model. */
    public static void check(String suite, CommonOptions common) {
        if (suite == null) {
            throw new InputException("no suite: give --suite FILE, a JSON list of prompts, each with clean, corrupt,"
                    + " answer and foil");
        }
        common.checkSuite();
    }

    /** How many prompts to take at most. */
    public int most() {
        return limit == null
                ? Integer.MAX_VALUE
                : Quantities.atLeast("--limit", limit, 1, "a number of prompts, at least 1");
    }
}
