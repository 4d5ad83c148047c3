package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Quantities;
import picocli.CommandLine.Option;

/** Tokens at the ends of a prompt that are left out, as sources and as targets. */
public final class TokenSkip {
    @Option(
            names = "--skip",
            paramLabel = "N",
            description =
                    "The first N tokens of each prompt are neither sources nor targets. Default: 0, of --average 1.",
            order = -1)
    private String first;

    @Option(
            names = "--skip-last",
            paramLabel = "N",
            description = "Likewise the last N tokens. Default: 0.",
            order = -1)
    private String last;

    /** Whether either is given. */
    public boolean given() {
        return first != null || last != null;
    }

    /** The option that is given. */
    public String name() {
        return first != null ? "--skip" : "--skip-last";
    }

    /** Refuses what is no number of tokens. */
    public void check() {
        first(0);
        last();
    }

    /** How many tokens at the start. */
    public int first(int otherwise) {
        return first == null
                ? otherwise
                : Quantities.atLeast("--skip", first, 0, "a number of tokens at the start of each prompt, at least 0");
    }

    /** How many at the end. */
    public int last() {
        return last == null
                ? 0
                : Quantities.atLeast(
                        "--skip-last", last, 0, "a number of tokens at the end of each prompt, at least 0");
    }
}
