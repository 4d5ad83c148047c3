package dev.greenfield.cli.job;

import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The directory of {@code --checkpoint}. What may be in it is seen when it is opened. */
public final class CheckpointPath {
    private CheckpointPath() {}

    /**
     * The path as given.
     *
     * @param out the directory of {@code --out}, or null
     * @throws InputException if it cannot be a path, or one of the two directories is in the other: {@code --out} must be able to
     *     appear as a whole, and a checkpoint holds nothing else
     */
    public static Path of(String given, String out) {
        if (given.isBlank()) {
            throw new InputException("--checkpoint is empty: expected the name of a directory");
        }
        try {
            Path path = Path.of(given);
            if (out != null) {
                Path results = OutputDirectory.path(out);
                Path kept = path.toAbsolutePath().normalize();
                if (kept.startsWith(results) || results.startsWith(kept)) {
                    throw new InputException("--checkpoint " + Quantities.quoted(given) + " and --out "
                            + Quantities.quoted(out)
                            + ": found one directory in the other, expected two apart; choose another name for one");
                }
            }
            return path;
        } catch (InvalidPathException wrong) {
            throw new InputException(
                    "--checkpoint " + Quantities.quoted(given) + ": this cannot be a path (" + wrong.getReason() + ")",
                    wrong);
        }
    }
}
