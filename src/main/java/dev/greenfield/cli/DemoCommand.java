package dev.greenfield.cli;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Failure;
import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.Staging;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.CorruptPrompt;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.failure.InputException;
import dev.greenfield.model.ModelSource;
import dev.greenfield.report.ReportPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * A tour of what the library computes, on one prompt of the embedded model. Writes {@code report.html} into the current
 * directory, or everything into {@code --out}.
 */
@Command(sortOptions = false)
final class DemoCommand implements Action {
    private static final String PROMPT = "<|endoftext|> Alice lives in Sofia so Alice speaks";
    private static final String CORRUPT = "<|endoftext|> Alice lives in Berlin so Alice speaks";
    private static final String ANSWER = "Bulgarian";
    private static final String FOIL = "German";

    @Option(
            names = "--corrupt",
            paramLabel = "TEXT",
            description = "A prompt of as many tokens to patch from; needed with a --prompt of your own.",
            order = -1)
    private String corrupt;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        fillIn();
        terminal.workOnWithoutReader();
        Path page = common.out == null ? Path.of(OutputDirectory.REPORT).toAbsolutePath() : null;
        // Without --out only the page is wanted, and whether it can be written is known before anything is computed.
        try (Staging staging = page == null ? null : stage(page);
                Job job = Job.start("demo", common, CommonOptions.Need.REQUIRED, terminal)) {
            int[] other = job.encode("--corrupt", corrupt);
            CorruptPrompt.requireComparable(job, other);
            job.against(corrupt);
            Run corruptRun = job.timed("run", () -> job.model().run(other));
            ReportPage report = new Story(job, corruptRun, corrupt).tell();
            job.report(report);
            job.finish();
            terminal.line("");
            if (staging != null) {
                Path draft = staging.directory().resolve(OutputDirectory.REPORT);
                Files.writeString(draft, report.html());
                staging.commit(() ->
                        Files.move(draft, page, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING));
                terminal.line("The figures are in " + page + ": open it in a browser.");
            } else {
                terminal.line("The figures are in "
                        + Path.of(common.out).resolve(OutputDirectory.REPORT).toAbsolutePath()
                        + ": open it in a browser. The numbers are beside it.");
            }
        }
    }

    /** The story's own prompt, unless another is told in full. */
    private void fillIn() {
        boolean own = common.prompt != null || common.tokens != null || corrupt != null || common.answer != null;
        if (own) {
            if (common.prompt == null || corrupt == null || common.answer == null || common.foil == null) {
                throw new InputException("demo tells its story of a prompt of its own, or of one that is given in full:"
                        + " give all of --prompt, --corrupt, --answer and --foil, or none of them");
            }
        } else {
            if (!common.model.equals(ModelSource.DEMO)) {
                throw new InputException("demo has a prompt of its own only for the demo model: with --model give"
                        + " --prompt, --corrupt, --answer and --foil too");
            }
            common.prompt = PROMPT;
            corrupt = CORRUPT;
            common.answer = ANSWER;
            common.foil = FOIL;
        }
    }

    private static Staging stage(Path page) {
        if (Files.isDirectory(page)) {
            throw new InputException(OutputDirectory.REPORT
                    + ": found a directory of that name here, where the report has to go; give --out DIR");
        }
        try {
            return Staging.in(page.getParent());
        } catch (IOException refused) {
            throw new InputException(
                    OutputDirectory.REPORT + " cannot be written here: " + Failure.describe(refused)
                            + "; give --out DIR, or change to another directory",
                    refused);
        }
    }
}
