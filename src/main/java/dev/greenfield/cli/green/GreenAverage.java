package dev.greenfield.cli.green;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** {@code green --average}: the averaged Jacobian of each depth to the last one, over the prompts of a suite. */
final class GreenAverage {
    private static final int DEFAULT_SKIP = 1;

    private final CommonOptions common;
    private final String suite;
    private final String skip; // null for the default

    GreenAverage(CommonOptions common, String suite, String skip) {
        this.common = common;
        this.suite = suite;
        this.skip = skip;
    }

    void run(Terminal terminal) throws IOException {
        int skipped = skip == null
                ? DEFAULT_SKIP
                : Quantities.atLeast("--skip", skip, 0, "a number of tokens at the start of each prompt, at least 0");
        try (SuiteJob job = SuiteJob.start("green", common, suite, terminal)) {
            for (SuitePrompt prompt : job.prompts()) {
                requireSources(prompt, skipped);
            }
            job.opening(job.prompts());
            AverageJacobian average = job.model().averageJacobian(skipped);
            fits(job);
            int done = 0;
            for (SuitePrompt prompt : job.prompts()) {
                try (Run run = job.run(prompt)) {
                    job.timed("green", () -> {
                        run.addTo(average);
                        return average;
                    });
                }
                job.progress(++done, job.prompts().size());
            }
            int layers = job.model().config().layers();
            int width = job.model().config().width();
            double[] mean = average.mean();
            job.tensors().add("green.average", mean, layers + 1, width, width);
            double[] norms = norms(mean, layers, width);
            job.result("skip", skipped);
            job.result("to_depth", layers);
            job.result("source_tokens", average.positions());
            job.result("frobenius", norms);
            job.result("prompts", job.prompts().stream().map(SuitePrompt::toMap).toList());
            show(job, norms, average);
            job.finish();
        }
    }

    private static void requireSources(SuitePrompt prompt, int skip) {
        try {
            AverageJacobian.requireSources(prompt.length(), skip);
        } catch (InputException wrong) {
            throw new InputException(
                    "--skip " + skip + ", entry " + prompt.number() + " of the suite: " + wrong.getMessage(), wrong);
        }
    }

    /** Runs the longest prompt ahead of the others: where memory is too small, that shows now rather than half way. */
    private static void fits(SuiteJob job) {
        SuitePrompt longest = job.prompts().stream()
                .max(Comparator.comparingInt(SuitePrompt::length))
                .orElseThrow();
        job.run(longest).close();
    }

    private static double[] norms(double[] matrices, int layers, int width) {
        double[] norms = new double[layers + 1];
        for (int l = 0; l <= layers; l++) {
            double sum = 0;
            for (int i = l * width * width; i < (l + 1) * width * width; i++) {
                sum += matrices[i] * matrices[i];
            }
            norms[l] = Math.sqrt(sum);
        }
        return norms;
    }

    private static void show(SuiteJob job, double[] norms, AverageJacobian average) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("depth", "|J|"));
        double[] depths = new double[norms.length];
        for (int l = 0; l < norms.length; l++) {
            depths[l] = l;
            rows.add(List.of(Integer.toString(l), Numbers.format("%.5g", norms[l])));
        }
        String over = average.prompts() + (average.prompts() == 1 ? " prompt, " : " prompts, ") + average.positions()
                + " source tokens";
        Tables.print(job.terminal(), "Frobenius norm of the averaged Jacobian to the last depth, over " + over, rows);
        if (!job.writes()) {
            return;
        }
        ReportPage page = Reports.page(
                        job,
                        "Averaged Jacobian",
                        "The linear response of the last depth to each depth, averaged over prompts and tokens",
                        Map.of("Average", over + ", the first " + average.skip() + " of each prompt skipped"))
                .chart(new LineChart(
                        "Norm of the averaged Jacobian by depth",
                        "Frobenius norm of J, the mean over prompts and source tokens of the response of the last depth,"
                                + " summed over target tokens. At the last depth J is the identity, whose norm is the square"
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
        job.report(page);
    }
}
