package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.lens.Jacobians;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The averaged Jacobians that the stream or a direction is brought to the last depth by. */
public final class JacobianOption {
    @Option(
            names = "--jacobian",
            paramLabel = "FILE",
            description = "Averaged Jacobians: a .pt of the published Jacobian lens, or what green --average --out DIR"
                    + " wrote, a file or DIR.",
            order = -3)
    private String jacobian;

    /** Whether the option is there. */
    boolean given() {
        return jacobian != null;
    }

    /** Refuses a file that is not there, before a model is opened. */
    public void check() {
        if (jacobian != null && !Files.exists(path())) {
            throw new InputException("--jacobian " + Quantities.quoted(jacobian) + ": no such file; expected the"
                    + " published Jacobian lens's .pt, or what green --average --out DIR writes");
        }
    }

    /** Says what the option came to; null without it. */
    public void tell(Job job) {
        job.option("jacobian", jacobian);
    }

    private Path path() {
        try {
            return Path.of(jacobian);
        } catch (InvalidPathException wrong) {
            throw new InputException(
                    "--jacobian " + Quantities.quoted(jacobian) + ": expected a file, that is no name of one", wrong);
        }
    }

    /** The Jacobians of the job's model, if there is a file of them. */
    public Optional<Jacobians> open(Job job) {
        if (jacobian == null) {
            return Optional.empty();
        }
        Jacobians jacobians;
        try {
            jacobians = Jacobians.open(path(), job.model().config());
        } catch (InputException wrong) {
            throw new InputException("--jacobian: " + wrong.getMessage(), wrong);
        }
        job.result("jacobian", jacobian);
        return Optional.of(jacobians);
    }
}
