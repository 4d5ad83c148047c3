package dev.greenfield.cli.job;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import java.util.Arrays;
import picocli.CommandLine.Option;

/** The options of commands that compare the prompt with another one, and that prompt's run. */
public final class CorruptPrompt {
    @Option(names = "--corrupt", paramLabel = "TEXT", description = "The other prompt, of as many tokens.", order = -17)
    private String text;

    @Option(names = "--corrupt-tokens", paramLabel = "IDS", description = "Or its token ids: 1,2,3.", order = -16)
    private String ids;

    /** Refuses what can be seen to be wrong before a model is opened. */
    public void check() {
        if (!given()) {
            throw new InputException("no corrupt prompt: give --corrupt TEXT or --corrupt-tokens 1,2,3");
        }
        checkForm();
    }

    /** Whether there is one. */
    public boolean given() {
        return text != null || ids != null;
    }

    /** Likewise where it may be missing. */
    public void checkForm() {
        if (text != null && ids != null) {
            throw new InputException("both --corrupt and --corrupt-tokens are given: give one of them");
        }
        if (ids != null) {
            Quantities.tokenIds("--corrupt-tokens", ids);
        }
    }

    /** For people. */
    public String shown() {
        return text == null ? "tokens " + ids : text;
    }

    /** The run of the corrupt prompt; refuses one that cannot be compared or would change nothing. */
    public Run run(Job job) {
        int[] tokens = text != null ? job.encode("--corrupt", text) : Quantities.tokenIds("--corrupt-tokens", ids);
        requireComparable(job, tokens);
        job.against(text);
        return job.timed("run", () -> job.model().run(tokens));
    }

    /** Refuses a corrupt prompt of another length, and one that is the same as far as F can see. */
    public static void requireComparable(Job job, int[] corrupt) {
        int[] own = job.run().tokens();
        if (own.length != corrupt.length) {
            throw new InputException("the prompt has " + own.length + " tokens, the corrupt prompt " + corrupt.length
                    + ": a patch needs prompts of equal length, reword one of them");
        }
        int first = Arrays.mismatch(own, corrupt);
        if (first < 0) {
            throw new InputException("the prompt and the corrupt prompt are the same tokens, so that patching changes"
                    + " nothing: change a word of one of them");
        }
        if (first > job.position()) {
            throw new InputException("the prompts differ first at token " + first + ", F is read at token "
                    + job.position() + ", before it, so that patching changes nothing: choose a later --position or"
                    + " change an earlier word");
        }
    }
}
