package dev.greenfield.cli.infer;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.CorruptPrompt;
import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.SiteRanges;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.inverse.Inference;
import dev.greenfield.inverse.InferenceRequest;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The source that makes a wanted change: of F, or of the stream towards another prompt's. */
@Command(sortOptions = false)
public final class InferCommand implements Action {
    @Option(
            names = "--target-change",
            paramLabel = "X",
            description = "The wanted change of F, or with %% that of its value: -0.5 or 10%%.",
            order = -20)
    private String targetChange;

    @Mixin
    private final CorruptPrompt corrupt = new CorruptPrompt();

    @Option(
            names = "--targets",
            paramLabel = "RANGES",
            description =
                    "With --corrupt, the sites whose stream shall move: DEPTHS:TOKENS. Default: the last depth, at"
                            + " --position.",
            order = -9)
    private String targets;

    @Option(
            names = "--method",
            paramLabel = "M",
            description = "least-norm: the shortest source (default for a change of F). ridge: the least of misfit^2 +"
                    + " lambda |J|^2 (default with --corrupt). sparse: few sites (default with --sites).",
            order = -8)
    private String method;

    @Option(
            names = "--sites",
            paramLabel = "K",
            description = "At most K sites, chosen by matching pursuit. Default with --method sparse: 1.",
            order = -7)
    private String sites;

    @Option(
            names = "--lambda",
            paramLabel = "V",
            description =
                    "The penalty on |J|^2, relative to the square of the largest singular value. Default: 1e-4 with"
                            + " ridge or --corrupt, else 0.",
            order = -6)
    private String lambda;

    @Option(
            names = "--among",
            paramLabel = "RANGES",
            description =
                    "Where sources may be: DEPTHS:TOKENS, such as 0-2:4,3:*. Default: all sites below what is wanted.",
            order = -5)
    private String among;

    @Option(
            names = "--tolerance",
            paramLabel = "V",
            description =
                    "Stop when the achieved change is so close to the wanted one, relative to it. Default: 0.001, with"
                            + " --corrupt 0.01.",
            order = -4)
    private String tolerance;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "At most N linearizations; 1 gives the first-order source. Default: 12.",
            order = -3)
    private String steps;

    @Mixin
    private final DecodeOptions decode = new DecodeOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    private boolean ofStream() {
        return targetChange == null;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        check();
        CommonOptions.Need need = ofStream() ? CommonOptions.Need.OPTIONAL : CommonOptions.Need.REQUIRED;
        try (Job job = Job.start("infer", common, need, terminal)) {
            Run donor = ofStream() ? corrupt.run(job) : null;
            double value = Summary.opening(job);
            double corruptValue = donor == null ? Double.NaN : Summary.corrupt(job, donor);
            InferenceRequest request = job.run().infer();
            if (ofStream()) {
                request.displacement(displacement(job, donor));
            } else if (targetChange.strip().endsWith("%")) {
                request.changeByFraction(job.observable(), wantedNumber() / 100);
            } else {
                request.change(job.observable(), wantedNumber());
            }
            configure(job, request);
            terminal.progress("inferring a source, " + job.model().config().layers() + " layers, "
                    + job.run().tokens().length + " tokens");
            Inference found = job.timed("infer", request::solve);
            options(job, request, found);
            new InferReport(job, found, ofStream(), corruptValue - value).show(decode);
            job.finish();
        }
    }

    private void check() {
        decode.check();
        boolean prompt = corrupt.given();
        if (targetChange == null && !prompt) {
            throw new InputException(
                    "nothing is wanted: give --target-change X, or a prompt to move towards with --corrupt TEXT");
        }
        if (targetChange != null && prompt) {
            throw new InputException("both --target-change and --corrupt are given: give one of them");
        }
        corrupt.checkForm();
        if (targets != null && !prompt) {
            throw new InputException(
                    "--targets without --corrupt: targets are the sites that shall move, a change of F" + " has none");
        }
        if (targetChange != null) {
            wantedNumber();
        }
        if (method != null && !List.of("least-norm", "ridge", "sparse").contains(method)) {
            throw new InputException(
                    "--method " + Quantities.quoted(method) + ": expected least-norm, ridge or sparse");
        }
        if (sites != null && method != null && !method.equals("sparse")) {
            throw new InputException("both --sites and --method " + method
                    + " are given: a number of sites belongs to --method sparse, leave one of them out");
        }
        if (lambda != null && method != null && method.equals("least-norm")) {
            throw new InputException(
                    "both --lambda and --method least-norm are given: a penalty belongs to ridge or sparse,"
                            + " leave one of them out");
        }
        if (among != null) {
            SiteRanges.check("--among", among);
        }
        if (targets != null) {
            SiteRanges.check("--targets", targets);
        }
        mostSites();
        penalty();
        enough();
        mostSteps();
    }

    private double wantedNumber() {
        String expected = "a number in the units of F, or a percentage of its value such as 10%";
        String text = targetChange.strip();
        double x =
                number("--target-change", text.endsWith("%") ? text.substring(0, text.length() - 1) : text, expected);
        if (x == 0) {
            throw new InputException("--target-change " + Quantities.quoted(targetChange) + ": expected " + expected
                    + ", not 0, for which no source is needed");
        }
        return x;
    }

    private int mostSites() {
        return sites == null ? 1 : Quantities.atLeast("--sites", sites, 1, "a number of sites, at least 1");
    }

    private double penalty() {
        String expected = "a number of at least 0";
        double x = lambda == null ? 0 : number("--lambda", lambda, expected);
        if (x < 0) {
            throw new InputException("--lambda " + Quantities.quoted(lambda) + ": expected " + expected);
        }
        return x;
    }

    private double enough() {
        String expected = "a number between 0 and 1";
        double x = tolerance == null ? 0.5 : number("--tolerance", tolerance, expected);
        if (!(x > 0 && x < 1)) {
            throw new InputException("--tolerance " + Quantities.quoted(tolerance) + ": expected " + expected);
        }
        return x;
    }

    private int mostSteps() {
        return steps == null ? 1 : Quantities.atLeast("--steps", steps, 1, "a number of linearizations, at least 1");
    }

    private static double number(String option, String text, String expected) {
        try {
            double x = Double.parseDouble(text.strip());
            if (Double.isFinite(x)) {
                return x;
            }
        } catch (NumberFormatException wrong) {
            throw new InputException(option + " " + Quantities.quoted(text) + ": expected " + expected, wrong);
        }
        throw new InputException(option + " " + Quantities.quoted(text) + ": expected " + expected);
    }

    private Source displacement(Job job, Run donor) {
        int layers = job.model().config().layers();
        int length = job.run().tokens().length;
        List<Site> where = targets == null
                ? List.of(Site.of(layers, job.position()))
                : SiteRanges.parse("--targets", targets, layers, length);
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        Field between = donor.field().minus(job.run().field());
        for (Site site : where) {
            vectors.put(site, between.vector(site.depth(), site.token()));
        }
        return Source.of(vectors);
    }

    /** What they came to. */
    private void options(Job job, InferenceRequest request, Inference found) {
        if (ofStream()) {
            job.option(
                    "targets",
                    targets == null ? Integer.toString(job.model().config().layers()) + ":" + job.position() : targets);
        } else {
            job.option("target_change", found.wanted()[0]);
        }
        job.option("among", among);
        job.option("method", InferReport.label(found.method()));
        job.option("sites", found.method() == Inference.Method.SPARSE ? mostSites() : null);
        job.option("lambda", found.lambda());
        job.option("tolerance", request.tolerance());
        job.option("steps", request.steps());
    }

    private void configure(Job job, InferenceRequest request) {
        if (among != null) {
            request.among(SiteRanges.parse(
                    "--among", among, job.model().config().layers(), job.run().tokens().length));
        }
        if (lambda != null) {
            request.lambda(penalty());
        }
        if (tolerance != null) {
            request.tolerance(enough());
        }
        if (steps != null) {
            request.steps(mostSteps());
        }
        String how = method != null ? method : sites != null ? "sparse" : lambda != null ? "ridge" : null;
        if (how != null) {
            switch (how) {
                case "least-norm" -> request.leastNorm();
                case "ridge" -> request.ridge();
                default -> request.sparse(mostSites());
            }
        }
    }
}
