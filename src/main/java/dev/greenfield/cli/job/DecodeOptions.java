package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.lens.Jacobians;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How the directions that a command finds are put into words. */
public final class DecodeOptions {
    @Option(
            names = "--decode",
            paramLabel = "K",
            description = "The K tokens at each end of what a direction writes and reads. Default: 5; 0: none.",
            order = -2)
    private String decode = "5";

    @Mixin
    private final JacobianOption jacobian = new JacobianOption();

    /** Refuses what can be seen to be wrong without a model. */
    public void check() {
        count();
        jacobian.check();
    }

    /** How many tokens at each end; 0 for no words. */
    public int count() {
        return Quantities.atLeast("--decode", decode, 0, "a number of tokens, 0 for none");
    }

    /** Says what the options came to. */
    public void tell(Job job) {
        job.option("decode", count());
        jacobian.tell(job);
    }

    /** Whether Jacobians are given. */
    public boolean transports() {
        return jacobian.given();
    }

    /** The Jacobians that directions are brought to the last depth by, if there is a file of them. */
    public Optional<Jacobians> jacobians(Job job) {
        return jacobian.open(job);
    }
}
