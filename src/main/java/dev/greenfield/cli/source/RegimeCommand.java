package dev.greenfield.cli.source;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SourceOptions;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.regime.RegimeMap;
import dev.greenfield.response.SiteVectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How far first order holds, at one site or at all of them. */
@Command(sortOptions = false)
public final class RegimeCommand implements Action {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(
            names = "--all-sites",
            description = "Instead of one site all of them, one direction each: a map of radii.",
            order = -2)
    private boolean allSites;

    @Option(names = "--half-depths", description = "With --all-sites also the sites after each attention.", order = -1)
    private boolean halfDepths;

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
        common.check(CommonOptions.Need.REQUIRED);
        source.check(common, allSites);
        decode.check();
        if (allSites && decode.transports()) {
            throw new InputException(
                    "both --all-sites and --jacobian are given: only the direction of one source is put"
                            + " into words, leave one of them out");
        }
        if (halfDepths && !allSites) {
            throw new InputException(
                    "--half-depths without --all-sites: give the half depth itself, such as --depth 1.5");
        }
        try (Job job = Job.start("regime", common, CommonOptions.Need.REQUIRED, terminal)) {
            if (allSites) {
                all(job);
            } else {
                one(job, source.site(job, true));
            }
            job.finish();
        }
    }

    private RegimeGrid grid() {
        double[] amplitudes = source.epsilons(RegimeGrid.standard().amplitudes());
        return RegimeGrid.of(Arrays.stream(amplitudes).map(Math::abs).toArray());
    }

    private void one(Job job, Site site) {
        Run corrupt = source.corrupt(job);
        double[] direction = source.vector(job, site, corrupt);
        Observable f = job.observable();
        double[] sensitivity = job.run().sensitivity(f).at(site);
        if (Arrays.stream(sensitivity).allMatch(x -> x == 0)) {
            throw new InputException(SourceOptions.unseen(job, site));
        }
        Source relative = job.run().relativeSource(site, direction);
        Summary.opening(job);
        RegimeGrid grid = grid();
        job.terminal().progress("measuring F at " + 2 * grid.amplitudes().length + " amplitudes, then for each radius");
        LinearRegime regime = job.timed(
                "regime",
                () -> job.run().linearRegimes(List.of(relative), f, grid).get(0));
        job.result("site", Sites.fields(site));
        job.result("direction", source.direction());
        job.result("field_norm", relative.norm());
        if (corrupt != null) {
            job.result("displacement_epsilon", length(direction) / relative.norm());
        }
        source.options(job, site, source.epsilons(grid.amplitudes()));
        job.option("all_sites", false);
        job.option("half_depths", false);
        Decoding words = SourceWords.of(job, site, direction, decode);
        new RegimeReport(job, source, site, regime, source.epsilons(grid.amplitudes())).write(words);
    }

    private void all(Job job) {
        Run corrupt = source.corrupt(job);
        SiteVectors directions = source.vectors(job, corrupt, halfDepths);
        Summary.opening(job);
        RegimeGrid grid = grid();
        job.terminal()
                .progress("measuring F at " + 2 * grid.amplitudes().length + " amplitudes of "
                        + directions.sites().size() + " sites, then for each radius");
        RegimeMap map = job.timed("regime", () -> job.run().regimeMap(directions, job.observable(), grid));
        job.result("direction", source.direction());
        job.result("half_depths", halfDepths);
        source.options(job, null, grid.amplitudes());
        job.option("all_sites", true);
        job.option("half_depths", halfDepths);
        new RegimeMapReport(job, source, map).write();
    }

    private static double length(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(x -> x * x).sum());
    }
}
