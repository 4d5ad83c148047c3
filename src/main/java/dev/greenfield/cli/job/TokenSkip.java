package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import java.util.List;
import picocli.CommandLine.Option;

/** Tokens at the ends of a prompt that are left out, as sources and as targets. */
public final class TokenSkip {
    @Option(
            names = "--skip",
            paramLabel = "N",
            description =
                    "The first N tokens of each prompt are neither sources nor targets. Default: 0; of an averaged Jacobian 1.",
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

    /**
     * Refuses a prompt of which nothing is left.
     *
     * @param whose the prompt, for people
     */
    public void require(int tokens, String whose) {
        if ((long) first(0) + last() >= tokens) {
            throw new InputException("--skip " + first(0) + ", --skip-last " + last() + ": " + whose + " has " + tokens
                    + (tokens == 1 ? " token" : " tokens") + ", of which none is left; skip fewer");
        }
    }

    /** Those of some sites whose tokens are not skipped. */
    public List<Site> of(List<Site> sites, int tokens) {
        int until = tokens - last();
        int from = first(0);
        return sites.stream()
                .filter(site -> site.token() >= from && site.token() < until)
                .toList();
    }

    /** How many at the end. */
    public int last() {
        return last == null
                ? 0
                : Quantities.atLeast(
                        "--skip-last", last, 0, "a number of tokens at the end of each prompt, at least 0");
    }
}
