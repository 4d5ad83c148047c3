package dev.greenfield.cli.green;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.TokenSkip;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Site;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The Green operator from one site to all tokens of a depth. */
@Command(sortOptions = false)
public final class GreenCommand implements Action {
    /** Pairs of singular vectors that are put into words. */
    private static final int DECODED = 8;

    @Option(names = "--depth", paramLabel = "L", description = "Depth of the source site.", order = -7)
    private String depth;

    @Option(names = "--token", paramLabel = "T", description = "Token of the source site.", order = -6)
    private String token;

    @Option(
            names = "--to-depth",
            paramLabel = "M",
            description = "Depth of the targets, of --average too. Default: the last.",
            order = -5)
    private String toDepth;

    @Option(
            names = "--rank",
            paramLabel = "K",
            description = "Only the leading K singular values and vectors; the operator is then never formed.",
            order = -4)
    private String rank;

    @Option(
            names = "--average",
            description = "Instead the Jacobian of each depth to a later one, averaged over the prompts of --suite.",
            order = -3)
    private boolean average;

    @Option(
            names = "--suite",
            paramLabel = "FILE",
            description = "A JSON list of prompts, for --average instead of --prompt.",
            order = -2)
    private String suite;

    @Option(
            names = "--convention",
            paramLabel = "NAME",
            description =
                    "jlens: --average exactly as the published Jacobian lens, which skips the first 16 tokens and the"
                            + " last.",
            order = -1)
    private String convention;

    @Mixin
    private final TokenSkip skip = new TokenSkip();

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
        decode.check();
        if (average || suite != null || skip.given() || convention != null) {
            checkAverage();
            skip.check();
            new GreenAverage(common, suite, skip, toDepth, convention, decode.count()).run(terminal);
            return;
        }
        if (depth == null || token == null) {
            throw new InputException(
                    "no source site: give both --depth L and --token T, or --average and --suite FILE");
        }
        Quantities.atLeast("--depth", depth, 0, "a depth, at least 0");
        Quantities.atLeast("--token", token, 0, "a token of the prompt, counted from 0");
        if (rank == null && decode.transports()) {
            throw new InputException(
                    "--jacobian without --rank: singular vectors are what is put into words, give --rank K");
        }
        if (rank != null) {
            Quantities.atLeast("--rank", rank, 1, "a number of singular values, at least 1");
        }
        try (Job job = Job.start("green", common, CommonOptions.Need.OPTIONAL, terminal)) {
            int layers = job.model().config().layers();
            int width = job.model().config().width();
            int tokens = job.run().tokens().length;
            int l = Quantities.between("--depth", depth, 0, layers, "the depths of this model");
            int t = Quantities.between("--token", token, 0, tokens - 1, "the tokens of this prompt");
            int m = toDepth == null
                    ? layers
                    : Quantities.between("--to-depth", toDepth, 0, layers, "the depths of this model");
            if (m < l) {
                throw new InputException("--to-depth " + m + " is below --depth " + l
                        + ": a response travels upward only, so this operator is exactly zero; choose at least "
                        + l);
            }
            int k = rank == null
                    ? 0
                    : Quantities.between("--rank", rank, 1, width, "the width of this model's residual stream");
            job.option("depth", l);
            job.option("token", t);
            job.option("to_depth", m);
            job.option("rank", k == 0 ? null : k);
            job.option("average", false);
            Summary.opening(job);
            job.result("source", Sites.fields(Site.of(l, t)));
            job.result("to_depth", m);
            GreenOperator green = job.run().green(Site.of(l, t)).to(m);
            Decoding words = new Decoding(job);
            Shown shown = k == 0 ? full(job, green) : leading(job, green, k, words);
            show(job, l, t, m, shown, words);
            job.finish();
        }
    }

    /** Refuses options that do not go together. */
    private void checkAverage() {
        if (!average) {
            throw new InputException((suite != null ? "--suite" : skip.given() ? skip.name() : "--convention")
                    + " without --average: over several prompts there is the averaged Jacobian, add --average");
        }
        if (suite == null) {
            throw new InputException("--average without --suite: an average is over prompts, give --suite FILE");
        }
        String jacobian = decode.transports() ? "given" : null;
        String[][] ofOneSite = {{"--depth", depth}, {"--token", token}, {"--rank", rank}, {"--jacobian", jacobian}};
        for (String[] option : ofOneSite) {
            if (option[1] != null) {
                throw new InputException("both --average and " + option[0]
                        + " are given: the average has all depths and all tokens; leave one of them out");
            }
        }
    }

    /**
     * What is shown of an operator.
     *
     * @param norms the Frobenius norm of its block for each target token
     * @param energyCurve fractions of the energy by rank; null for the whole operator
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    private record Shown(double[] norms, double[] energyCurve) {}

    private static Shown full(Job job, GreenOperator green) {
        job.terminal().progress("computing " + green.outputs() + " x " + green.inputs() + " entries");
        double[] matrix = job.timed("green", green::materialize);
        int width = green.inputs();
        int tokens = green.outputs() / width;
        double[] norms = new double[tokens];
        double squared = 0;
        for (int to = 0; to < tokens; to++) {
            double sum = 0;
            for (int i = to * width * width; i < (to + 1) * width * width; i++) {
                sum += matrix[i] * matrix[i];
            }
            norms[to] = Math.sqrt(sum);
            squared += sum;
        }
        job.result("squared_frobenius", squared);
        job.tensors().add("green", matrix, tokens, width, width);
        return new Shown(norms, null);
    }

    /** Adds the factors of a low-rank part and its energy to what is written. */
    public static void addLeading(Job job, LowRank part) {
        int k = part.rank();
        job.tensors().add("green.u", part.u(), part.u().length / k, k);
        job.tensors().add("green.s", part.s(), k);
        job.tensors().add("green.v", part.v(), part.v().length / k, k);
        job.result("rank", k);
        job.result("energy", part.energy());
        job.result("energy_standard_error", part.energyError());
        job.result("squared_frobenius", part.squaredFrobenius());
        job.result("energy_curve", part.energyCurve());
        job.result("settled", part.settled());
    }

    private Shown leading(Job job, GreenOperator green, int k, Decoding words) {
        job.terminal()
                .progress("computing " + k + " singular values of a " + green.outputs() + " x " + green.inputs()
                        + " operator");
        LowRank part = job.timed("green", () -> green.svd(k, job.seed()));
        int width = green.inputs();
        addLeading(job, part);
        Summary.unsettled(job.terminal(), part.settled() ? 0 : 1, 1);
        double[] u = part.u();
        double[] s = part.s();
        double[] norms = new double[green.outputs() / width];
        for (int to = 0; to < norms.length; to++) {
            double sum = 0;
            for (int i = to * width; i < (to + 1) * width; i++) {
                for (int j = 0; j < k; j++) {
                    double value = u[i * k + j] * s[j];
                    sum += value * value;
                }
            }
            norms[to] = Math.sqrt(sum);
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("k", "singular value", "energy"));
        double[] curve = part.energyCurve();
        for (int j = 0; j < k; j++) {
            rows.add(List.of(Integer.toString(j + 1), Numbers.format("%.5g", s[j]), Numbers.format("%.4f", curve[j])));
        }
        Tables.print(job.terminal(), "singular values, and the fraction of the energy up to each", rows);
        for (int j = 0; j < Math.min(k, DECODED); j++) {
            addPair(words, part, j, green, job.labels());
        }
        words.decode(job, decode, "what singular vectors write at their main target, and read at the source");
        words.print();
        return new Shown(norms, curve);
    }

    /** Adds a pair of singular vectors: what u writes where most of it is, and what v reads. */
    private static void addPair(Decoding words, LowRank part, int j, GreenOperator green, List<String> labels) {
        int width = green.inputs();
        double[] u = part.left(j);
        double[] squares = new double[u.length / width];
        int main = 0;
        for (int to = 0; to < squares.length; to++) {
            for (int i = to * width; i < (to + 1) * width; i++) {
                squares[to] += u[i] * u[i];
            }
            main = squares[to] > squares[main] ? to : main;
        }
        Site site = green.targets().get(main);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("number", j + 1);
        fields.put("depth", site.depth());
        fields.put("token", site.token());
        fields.put("share", squares[main]);
        words.add(
                (j + 1) + ", " + labels.get(site.token()),
                fields,
                Arrays.copyOfRange(u, main * width, (main + 1) * width),
                site,
                part.right(j));
    }

    private static void show(Job job, int l, int t, int m, Shown shown, Decoding words) {
        double[] norms = shown.norms();
        double[] energyCurve = shown.energyCurve();
        List<String> labels = job.labels();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("token", "|G|"));
        for (int to = t; to < norms.length; to++) {
            rows.add(List.of(labels.get(to), Numbers.format("%.5g", norms[to])));
        }
        String what = energyCurve == null ? "the operator" : "the rank-" + energyCurve.length + " part of the operator";
        String from = Sites.named(Site.of(l, t), labels);
        Tables.print(
                job.terminal(),
                "Frobenius norm by target token at depth " + m + ", of " + what + " from " + from,
                rows);
        if (!job.writes()) {
            return;
        }
        ReportPage page = Reports.page(
                        job,
                        "Green operator",
                        "The linear response of depth " + m + " to a source at " + from,
                        Map.of("Operator", "from " + from + " to depth " + m + ", every token"))
                .chart(
                        "norm",
                        new HeatMap(
                                "Frobenius norm by target token",
                                "Norm of the block dR[" + m + "][t']/dR[" + l + "][" + t + "] of " + what
                                        + "; tokens before the source are zero by causality.",
                                List.of("depth " + m),
                                labels,
                                Reports.blankOutside(new double[][] {norms}, 0, t),
                                HeatMap.Scale.LOG,
                                "|G|"));
        if (energyCurve != null) {
            page.chart(
                    "energy",
                    Reports.energy(
                            energyCurve,
                            "Sum of the first k squared singular values over the squared Frobenius norm of the whole operator."));
        }
        words.addTo(page);
        job.report(page);
    }
}
