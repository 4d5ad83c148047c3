package dev.greenfield.cli;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.JacobianOption;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lens.Jacobians;
import dev.greenfield.lens.LensRequest;
import java.io.IOException;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The tokens that the logit lens and the Jacobian lens read at every depth and token. */
@Command(sortOptions = false)
final class LensCommand implements Action {
    @Mixin
    private final JacobianOption jacobian = new JacobianOption();

    @Option(names = "--top", paramLabel = "K", description = "How many tokens a site. Default: 5.", order = -2)
    private String top = "5";

    @Option(
            names = "--half-depths",
            description = "The logit lens at half depths too, after each attention.",
            order = -1)
    private boolean halfDepths;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        int k = Quantities.atLeast("--top", top, 1, "a number of tokens, at least 1");
        jacobian.check();
        try (Job job = Job.start("lens", common, CommonOptions.Need.OPTIONAL, terminal)) {
            Optional<Jacobians> jacobians = jacobian.open(job);
            if (halfDepths) {
                job.model().config().requireMiddles("--half-depths");
            }
            job.option("top", k);
            job.option("half_depths", halfDepths);
            jacobian.tell(job);
            Summary.opening(job);
            LensRequest request = job.run().lens().top(k).of(LensReport.chosen(job));
            jacobians.ifPresent(request::jacobians);
            if (halfDepths) {
                request.halfDepths();
            }
            new LensReport(job, job.timed("lens", request::compute), jacobians.orElse(null)).show();
            job.finish();
        }
    }
}
