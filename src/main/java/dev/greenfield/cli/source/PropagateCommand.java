package dev.greenfield.cli.source;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.MeasureOptions;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lattice.Site;
import dev.greenfield.propagation.SourcePropagation;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How the response to one source spreads over depth and tokens. */
@Command(sortOptions = false)
public final class PropagateCommand implements Action {
    private static final double[] EPSILONS = {0.01, 0.1, 1};
    private static final int RANDOMS = 16;

    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(
            names = "--randoms",
            paramLabel = "K",
            description = "How many random directions at the site to compare with. Default: 16.",
            order = -2)
    private String randoms;

    @Mixin
    private final MeasureOptions measured = new MeasureOptions();

    @Mixin
    private final DecodeOptions decode = new DecodeOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        common.check(CommonOptions.Need.OPTIONAL);
        source.check(common, false);
        decode.check();
        measured.check();
        int count = randoms == null
                ? RANDOMS
                : Quantities.atLeast("--randoms", randoms, 0, "a number of random directions, at least 0");
        try (Job job = Job.start("propagate", common, CommonOptions.Need.OPTIONAL, terminal)) {
            measured.check(job.model(), job.seed());
            Site site = source.site(job, false);
            Run corrupt = source.corrupt(job);
            double[] direction = source.vector(job, site, corrupt);
            Summary.opening(job);
            SourcePropagation.Settings settings = SourcePropagation.Settings.seeded(job.seed())
                    .randoms(count)
                    .front(measured.settings(job.seed()).front());
            double[] epsilons = source.epsilons(EPSILONS);
            terminal.progress("the response to the source, to first order and at " + epsilons.length
                    + " amplitudes, and to " + count + " random directions");
            SourcePropagation response =
                    job.timed("response", () -> job.run().propagation(site, direction, settings, epsilons));
            SourcePropagation control = measured.control() ? control(job, site, direction, settings) : null;
            job.result("site", Sites.fields(site));
            job.result("direction", source.direction());
            source.options(job, site, epsilons);
            job.option("randoms", count);
            measured.options(job);
            Decoding words = SourceWords.of(job, site, direction, decode);
            new PropagateReport(job, source, response, control, settings).write(words);
            job.finish();
        }
    }

    /** The first-order response of the untrained control to the same direction at the same site. */
    private static SourcePropagation control(
            Job job, Site site, double[] direction, SourcePropagation.Settings settings) {
        job.terminal().progress("the same of the untrained control, seed " + job.seed());
        return job.timed("control", () -> {
            try (Model untrained = job.model().untrained(job.seed())) {
                return untrained.run(job.run().tokens()).propagation(site, direction, settings);
            }
        });
    }
}
