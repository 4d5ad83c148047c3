package dev.greenfield.cli.map;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CheckpointPath;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.MeasureOptions;
import dev.greenfield.cli.job.SiteRanges;
import dev.greenfield.cli.job.TokenSkip;
import dev.greenfield.cli.show.HeadPictures;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapPlan;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ResponseMapChart;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SweepMode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The response of every site to every site, one number a pair. */
@Command(sortOptions = false)
public final class MapCommand implements Action {
    private static final int SHOWN = 10;
    private static final int DEFAULT_PROBES = 16;

    @Option(
            names = "--suite",
            paramLabel = "FILE",
            description = "A map for each prompt of a JSON list, instead of --prompt, and their statistics by length.",
            order = -8)
    private String suite;

    @Option(
            names = "--shard",
            paramLabel = "I/N",
            description = "Only prompts I, I+N, ... of the suite; 'merge' joins the shards.",
            order = -7)
    private String shard;

    @Option(
            names = "--probes",
            paramLabel = "K",
            description = "Estimate from K random directions a site. Default: 16.",
            order = -6)
    private String probes;

    @Option(names = "--exact", description = "All directions of each site: no estimate.", order = -5)
    private boolean exact;

    @Option(names = "--half-depths", description = "Half depths too, after each attention.", order = -4)
    private boolean halfDepths;

    @Option(
            names = "--sites",
            paramLabel = "RANGES",
            description = "Only these sources: DEPTHS:TOKENS, such as 0-3:5 or 2:*,4:1-6. Default: all.",
            order = -3)
    private String sites;

    @Option(
            names = "--targets",
            paramLabel = "RANGES",
            description = "Only these targets, in the same form. Default: all.",
            order = -2)
    private String targets;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description = "forward from the sources, adjoint from the targets, or auto: the cheaper. Default: auto.",
            order = -1)
    private String mode = "auto";

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            description = "Keep finished batches there; the same command goes on after an interrupt.",
            order = -1)
    private String checkpoint;

    @Option(
            names = "--attention",
            description = "Also the attention of every head: a tensor, and pictures beside the map.",
            order = -1)
    private boolean attention;

    @Mixin
    private final TokenSkip skip = new TokenSkip();

    @Mixin
    private final MapReductions reductions = new MapReductions();

    @Mixin
    private final MeasureOptions measured = new MeasureOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        int k = check();
        if (exact && common.coarse()) {
            terminal.progress(
                    "warning: an exact map in bf16 is exact in its directions only, its numbers hold two digits;"
                            + " --precision tf32 gives three");
        }
        if (suite != null || shard != null) {
            new MapSuite(
                            common,
                            suite,
                            shard,
                            checkpoint,
                            settings(k),
                            skip,
                            (model, run, seed) -> request(model, run, seed, k))
                    .run(terminal);
            return;
        }
        try (Job job = Job.start("map", common, CommonOptions.Need.OPTIONAL, terminal)) {
            measured.check(job.model(), job.seed());
            Summary.opening(job);
            MapRequest request = request(job.model(), job.run(), job.seed(), k).overflow(job.scratch());
            reductions.ask(job, request);
            if (checkpoint != null) {
                request.checkpoint(CheckpointPath.of(checkpoint, common.out));
            }
            MapPlan plan = request.plan();
            terminal.progress("response map, " + (exact ? "exact" : "from " + k + " probes a site") + ": " + plan);
            ResponseMap map = job.timed("map", request::compute);
            options(job, k, plan.forward());
            job.result("exact", exact);
            if (!exact) {
                job.result("probes", k);
            }
            job.result("half_depths", halfDepths);
            job.result("skip", skip.first(0));
            job.result("skip_last", skip.last());
            MapTensors tensors = new MapTensors(job.tensors(), map);
            job.result("blocks", tensors.blocks());
            tensors.add("map.frobenius", map::frobenius);
            if (!exact) {
                tensors.add("map.stderr", map::standardErrors);
            }
            reductions.add(job, request, map, tensors);
            double[][] reach = map.reach();
            List<Sites.Ranked> largest = Sites.largest(reach, SHOWN);
            job.result(
                    "largest",
                    largest.stream().map(site -> site.toMap(halfDepths)).toList());
            if (!someTargets()) {
                show(job, reach, largest);
            }
            MapMeasuresReport measures = MapMeasuresReport.of(
                    job,
                    measured,
                    skip,
                    map,
                    tensors,
                    run -> request(job.model(), run, job.seed(), k)
                            .overflow(job.scratch())
                            .compute());
            measures.print();
            HeadPictures heads = attention ? HeadPictures.of(job) : null;
            finish(job, map, reach, measures, heads);
        }
    }

    /** Refuses what can be seen to be wrong without a model; the number of probes. */
    private int check() {
        if (exact && probes != null) {
            throw new InputException("both --exact and --probes are given: give one of them");
        }
        if (sites != null) {
            SiteRanges.check("--sites", sites);
        }
        if (targets != null) {
            SiteRanges.check("--targets", targets);
        }
        mode();
        skip.check();
        if (checkpoint != null) {
            CheckpointPath.of(checkpoint, common.out);
        }
        if (suite != null && attention) {
            throw new InputException(
                    "both --suite and --attention are given: pictures of heads are of one prompt, leave one of"
                            + " them out");
        }
        if (suite != null) {
            reductions.refuseSuite();
            measured.refuseSuite();
        }
        reductions.check(common);
        measured.check();
        return probes == null
                ? DEFAULT_PROBES
                : Quantities.atLeast("--probes", probes, 2, "a number of random directions, at least 2");
    }

    private SweepMode mode() {
        for (SweepMode known : SweepMode.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(mode)) {
                return known;
            }
        }
        throw new InputException("--mode " + Quantities.quoted(mode) + ": expected auto, forward or adjoint");
    }

    /** What shapes a map besides model, prompt and seed. */
    private Map<String, Object> settings(int k) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("exact", exact);
        settings.put("probes", exact ? null : k);
        settings.put("half_depths", halfDepths);
        settings.put("sites", sites);
        settings.put("targets", targets);
        settings.put("mode", mode);
        settings.put("skip", skip.first(0));
        settings.put("skip_last", skip.last());
        return settings;
    }

    /** What they came to; {@code forward} is the mode that was taken. */
    private void options(Job job, int k, boolean forward) {
        settings(k).forEach(job::option);
        job.option("attention", attention);
        job.option("mode", forward ? "forward" : "adjoint");
        reductions.options(job);
        measured.options(job);
    }

    private MapRequest request(Model model, Run run, long seed, int k) {
        int layers = model.config().layers();
        int tokens = run.tokens().length;
        MapRequest request = run.responseMap().seed(seed).mode(mode());
        if (halfDepths) {
            request.halfDepths();
        }
        if (sites != null || skip.given()) {
            request.sources(places("--sites", sites, layers, tokens));
        }
        if (targets != null || skip.given()) {
            request.targets(places("--targets", targets, layers, tokens));
        }
        return exact ? request.exact() : request.probes(k);
    }

    private List<Site> places(String option, String ranges, int layers, int tokens) {
        skip.require(tokens, "this prompt");
        List<Site> all = SiteRanges.parse(option, ranges == null ? "*:*" : ranges, layers, tokens, halfDepths);
        List<Site> kept = skip.of(all, tokens);
        if (kept.isEmpty()) {
            throw new InputException(
                    option + " " + Quantities.quoted(ranges) + ": all of these sites are at tokens that " + skip.name()
                            + " leaves out; skip fewer, or name others");
        }
        return kept;
    }

    /** Whether the targets are a part of all sites. */
    private boolean someTargets() {
        return targets != null || skip.given();
    }

    private void show(Job job, double[][] reach, List<Sites.Ranked> largest) {
        Summary.heatMap(job, "|G| from each site to the whole last depth" + levelNote(), reach, HeatMap.Scale.LOG);
        if (!halfDepths) {
            Tables.print(job.terminal(), "sites of largest response", Summary.ranking(job, largest, "|G|"));
        }
    }

    private String levelNote() {
        return halfDepths ? " (rows are half depths)" : "";
    }

    private void finish(Job job, ResponseMap map, double[][] reach, MapMeasuresReport measures, HeadPictures heads)
            throws IOException {
        SensitivityField sensitivity = reductions.sensitivity(job);
        if (job.writes()) {
            ReportPage page = Reports.page(
                    job,
                    "Response map",
                    "How much every site of the residual stream responds to every other",
                    Map.of("Directions", exact ? "all" : "random, " + probesText()));
            ShownTokens shown = new ShownTokens(map.levels(), map.tokens());
            List<String> labels = shown.of(job.labels());
            page.chart(
                    "response",
                    new ResponseMapChart(
                            "Response of every site to every site",
                            "Frobenius norm of the Green operator from the selected source to each target"
                                    + (exact ? "" : ", estimated from random directions, " + probesText())
                                    + ". On the left the norm over all tokens of the level named there"
                                    + (someTargets() ? " that were asked for" : "")
                                    + "."
                                    + shown.note(),
                            labels(map.levels()),
                            labels,
                            shown.rows(map, map::frobenius),
                            "|G|"));
            if (heads != null) {
                heads.addTo(page);
            }
            if (!someTargets()) {
                page.chart(
                        "reach",
                        new HeatMap(
                                "Response of the last depth to each site",
                                "Frobenius norm of the Green operator from the site to all tokens of the last depth"
                                        + levelNote()
                                        + ". A site that passes a source on unchanged has the square root of the width."
                                        + shown.note(),
                                labels(map.levels()),
                                labels,
                                shown.of(reach),
                                HeatMap.Scale.LOG,
                                "|G|"));
            }
            reductions.charts(page, labels(map.levels()), shown, labels);
            measures.addTo(page);
            if (sensitivity != null) {
                job.tensors().add("map.gain", gain(sensitivity));
                page.chart("sensitivity", Reports.sensitivity(job, sensitivity.norms()));
            }
            job.report(page);
        }
        job.finish();
    }

    /** Lengths of the sensitivity at the map's levels, [levels][T]. */
    private double[][] gain(SensitivityField sensitivity) {
        double[][] whole = sensitivity.norms();
        if (!halfDepths) {
            return whole;
        }
        double[][] middle = sensitivity.middleField().norms();
        double[][] all = new double[2 * whole.length - 1][];
        for (int level = 0; level < all.length; level++) {
            all[level] = (level % 2 == 0 ? whole : middle)[level / 2];
        }
        return all;
    }

    private String probesText() {
        return (probes == null ? Integer.toString(DEFAULT_PROBES) : probes) + " a site";
    }

    private List<String> labels(int levels) {
        return Sites.levels(levels, halfDepths);
    }
}
