package dev.greenfield.cli.green;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.cli.job.TokenSkip;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.green.LowRank;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code green --average}: the averaged Jacobian of each depth to the last one, over the prompts of a suite. */
final class GreenAverage {
    private static final int DEFAULT_SKIP = 1;

    /** Pairs of singular vectors of a depth that are put into words. */
    private static final int PAIRS = 2;

    private final CommonOptions common;
    private final String suite;
    private final TokenSkip skip;
    private final String toDepth; // null for the last
    private final String convention; // null for our own
    private final int decode; // tokens at each end; 0 for none

    GreenAverage(CommonOptions common, String suite, TokenSkip skip, String toDepth, String convention, int decode) {
        this.decode = decode;
        this.common = common;
        this.suite = suite;
        this.skip = skip;
        this.toDepth = toDepth;
        this.convention = convention;
    }

    private static final String PUBLISHED = "jlens";

    /** Refuses what can be seen to be wrong without a model. */
    private void check() {
        if (convention == null) {
            return;
        }
        if (!convention.equals(PUBLISHED)) {
            throw new InputException("--convention " + Quantities.quoted(convention) + ": expected " + PUBLISHED
                    + ", the published Jacobian lens, or leave it out");
        }
        if (skip.given() || toDepth != null) {
            throw new InputException("both --convention " + PUBLISHED + " and "
                    + (skip.given() ? skip.name() : "--to-depth")
                    + " are given: the convention says which tokens and which depth; leave one of them out");
        }
    }

    void run(Terminal terminal) throws IOException {
        check();
        boolean published = convention != null;
        int first = published ? AverageJacobian.PUBLISHED_SKIP : skip.first(DEFAULT_SKIP);
        int last = published ? AverageJacobian.PUBLISHED_SKIP_LAST : skip.last();
        try (SuiteJob job = SuiteJob.start("green", common, suite, terminal)) {
            for (SuitePrompt prompt : job.prompts()) {
                requireSources(prompt, first, last);
            }
            job.opening(job.prompts());
            int layers = job.model().config().layers();
            int to = toDepth == null
                    ? layers
                    : Quantities.between("--to-depth", toDepth, 0, layers, "the depths of this model");
            AverageJacobian average = job.model().averageJacobian(first, last, to);
            fits(job);
            List<int[]> prompts =
                    job.prompts().stream().map(SuitePrompt::tokens).toList();
            job.timed("green", () -> {
                job.model().addTo(average, prompts);
                return average;
            });
            int width = job.model().config().width();
            double[] mean = average.mean();
            job.tensors().add("green.average", mean, to + 1, width, width);
            double[] norms = norms(mean, to, width);
            job.option("average", true);
            job.option("convention", convention);
            job.option("skip", first);
            job.option("skip_last", last);
            job.option("to_depth", to);
            job.option("decode", decode);
            job.result("convention", convention);
            job.result("skip", first);
            job.result("skip_last", last);
            job.result("to_depth", to);
            job.result("source_tokens", average.positions());
            job.result("frobenius", norms);
            job.result("prompts", job.prompts().stream().map(SuitePrompt::toMap).toList());
            show(job, norms, average, decoded(job, average));
            job.finish();
        }
    }

    /** The leading pairs of singular vectors of each depth's average, in words; of no run, since an average is of none. */
    private Decoding decoded(SuiteJob job, AverageJacobian average) {
        Decoding words = new Decoding(job);
        if (decode == 0) {
            return words;
        }
        int pairs = Math.min(PAIRS, job.model().config().width());
        for (int l = 0; l < average.toDepth(); l++) {
            int depth = l;
            LowRank leading = job.timed("singular_values", () -> average.leading(depth, pairs));
            for (int j = 0; j < pairs; j++) {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("depth", l);
                fields.put("number", j + 1);
                fields.put("singular_value", leading.s()[j]);
                words.add("depth " + l + ", " + (j + 1), fields, leading.left(j), null, leading.right(j));
            }
        }
        try (Run run = job.run(job.prompts().get(0))) {
            words.decode(
                    run.decoder(decode),
                    "what the leading singular vectors of averaged Jacobians write at the end, and read at their depth");
        }
        return words;
    }

    private static void requireSources(SuitePrompt prompt, int first, int last) {
        try {
            AverageJacobian.requireSources(prompt.length(), first, last);
        } catch (InputException wrong) {
            throw new InputException(
                    "--skip " + first + (last > 0 ? ", --skip-last " + last : "") + ", entry " + prompt.number()
                            + " of the suite: " + wrong.getMessage(),
                    wrong);
        }
    }

    /** Runs the longest prompt ahead of the others: where memory is too small, that shows now rather than half way. */
    private static void fits(SuiteJob job) {
        SuitePrompt longest = job.prompts().stream()
                .max(Comparator.comparingInt(SuitePrompt::length))
                .orElseThrow();
        job.run(longest).close();
    }

    private static double[] norms(double[] matrices, int depths, int width) {
        double[] norms = new double[depths + 1];
        for (int l = 0; l <= depths; l++) {
            double sum = 0;
            for (int i = l * width * width; i < (l + 1) * width * width; i++) {
                sum += matrices[i] * matrices[i];
            }
            norms[l] = Math.sqrt(sum);
        }
        return norms;
    }

    private static void show(SuiteJob job, double[] norms, AverageJacobian average, Decoding words) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("depth", "|J|"));
        double[] depths = new double[norms.length];
        for (int l = 0; l < norms.length; l++) {
            depths[l] = l;
            rows.add(List.of(Integer.toString(l), Numbers.format("%.5g", norms[l])));
        }
        String over = average.prompts() + (average.prompts() == 1 ? " prompt, " : " prompts, ") + average.positions()
                + " source tokens";
        Tables.print(
                job.terminal(),
                "Frobenius norm of the averaged Jacobian to depth " + average.toDepth() + ", over " + over,
                rows);
        words.print();
        if (!job.writes()) {
            return;
        }
        ReportPage page = Reports.page(
                        job,
                        "Averaged Jacobian",
                        "The linear response of depth " + average.toDepth()
                                + " to each depth, averaged over prompts and tokens",
                        Map.of(
                                "Average",
                                over + ", the first " + average.skip() + " and the last " + average.skipLast()
                                        + " of each prompt skipped"))
                .chart(
                        "average",
                        new LineChart(
                                "Norm of the averaged Jacobian by depth",
                                "Frobenius norm of J, the mean over prompts and source tokens of the response of depth "
                                        + average.toDepth()
                                        + ", summed over target tokens. At that depth J is the identity, whose norm is the square"
                                        + " root of the width.",
                                "depth of the source",
                                "|J|",
                                false,
                                false,
                                List.of(new LineChart.Series("|J|", depths, norms))))
                .table(
                        "The prompts, by their numbers in the suite.",
                        List.of("number", "tokens", "prompt"),
                        SuiteJob.table(job.prompts()));
        words.addTo(page);
        job.report(page);
    }
}
