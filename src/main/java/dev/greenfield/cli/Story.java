package dev.greenfield.cli;

import dev.greenfield.Run;
import dev.greenfield.cli.green.GreenCommand;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.patch.PatchCommand;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.NextToken;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.TokenLabels;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The demo: one prompt taken through predictions, sensitivities, patches, a response and a Green operator. */
final class Story {
    private static final int SHOWN = 6;
    private static final int RANK = 16;

    private final Job job;
    private final Run corrupt;
    private final ReportPage page;

    Story(Job job, Run corrupt, String corruptPrompt) {
        this.job = job;
        this.corrupt = corrupt;
        this.page = Reports.page(
                job,
                "Response of a transformer to interventions",
                "One prompt, from its prediction to the operator that carries a perturbation to the answer",
                Map.of("Corrupt prompt", corruptPrompt));
    }

    /** Prints the story, adds its numbers to the job and returns the page. */
    ReportPage tell() {
        prediction();
        SensitivityField sensitivity = sensitivity();
        patches();
        Site source = source(sensitivity);
        double[] direction = unit(sensitivity.at(source));
        response(source, direction, sensitivity);
        green(source);
        return page;
    }

    private void prediction() {
        heading("1. What the model says");
        double value = Summary.opening(job);
        double corruptValue = Summary.corrupt(job, corrupt);
        int position = job.position();
        boolean last = position == job.run().tokens().length - 1;
        job.result("full_change", corruptValue - value);
        List<List<String>> rows = new ArrayList<>();
        for (Run run : List.of(job.run(), corrupt)) {
            List<NextToken> top = Summary.predictions(job, run);
            rows.add(List.of(
                    run == job.run() ? "prompt" : "corrupt",
                    Summary.describe(top.subList(0, Math.min(3, top.size()))),
                    Numbers.format("%.3f", run == job.run() ? value : corruptValue)));
        }
        page.section(
                        "What the model says",
                        "The observable F is " + job.observable().describe() + ", read after "
                                + (last ? "the last token" : "token " + position + " of the prompt") + "."
                                + " The corrupt prompt differs in " + differences() + " and changes F by "
                                + Numbers.format("%.2f", corruptValue - value) + ".")
                .table("The most probable tokens there.", List.of("run", "next token and probability", "F"), rows);
    }

    private String differences() {
        int[] own = job.run().tokens();
        int[] other = corrupt.tokens();
        List<String> found = new ArrayList<>();
        for (int t = 0; t < own.length; t++) {
            if (own[t] != other[t]) {
                found.add("token " + t + " ("
                        + TokenLabels.visible(corrupt.tokenText().get(t)) + " for "
                        + TokenLabels.visible(job.run().tokenText().get(t)) + ")");
            }
        }
        return String.join(", ", found);
    }

    private SensitivityField sensitivity() {
        heading("2. Where F is sensitive");
        SensitivityField sensitivity = job.timed("sensitivity", () -> job.run().sensitivity(job.observable()));
        double[][] norms = sensitivity.norms();
        Summary.heatMap(job, "|dF/dR| at every depth and token, from one adjoint sweep", norms, HeatMap.Scale.LOG);
        SensitivityCommand.addTensors(job, sensitivity.field(), norms);
        page.section(
                        "Where F is sensitive",
                        "One adjoint sweep gives the derivative of F with respect to the residual stream at every depth"
                                + " and token. A source J at a site changes F by the inner product of J with it, to"
                                + " first order.")
                .chart("sensitivity", Reports.sensitivity(job, norms));
        return sensitivity;
    }

    private void patches() {
        heading("3. Patches: measured against predicted");
        PatchSweep sweep = job.timed("patch", () -> job.run().patchSweep(corrupt, job.observable()));
        double[][] measured = sweep.measured();
        double[][] predicted = sweep.predicted();
        Agreement agreement = Agreement.of(measured, predicted, job.seed());
        double fullChange = sweep.donorValue() - sweep.value();
        List<Sites.Ranked> largest = Sites.largest(measured, SHOWN);
        List<List<String>> rows = PatchCommand.rows(job, largest, predicted, fullChange);
        Summary.heatMap(
                job,
                "measured change of F when a site takes the corrupt run's residual",
                measured,
                HeatMap.Scale.DIVERGING);
        Tables.print(
                job.terminal(),
                "largest changes; the whole corrupt prompt changes F by " + Numbers.format("%.3f", fullChange),
                rows);
        job.terminal().line("");
        job.terminal().line("predicted against measured changes, " + agreement.over("sites") + ":");
        job.terminal().line("  to first order   " + agreement.shown());
        job.terminal().line("  " + Agreement.KEY);
        job.tensors().add("patch.measured", measured);
        job.tensors().add("patch.predicted", predicted);
        agreement.addTo(job, "");
        page.section(
                        "Patches, measured against predicted",
                        "Replacing the residual at a site by that of the corrupt run inserts a source, the difference of"
                                + " the two residuals. Each patch is measured by running the model on from its site;"
                                + " the first-order prediction needs no further run. A patch is not small, so the two"
                                + " need not agree: the distance from the dashed line is what first order misses.")
                .chart("patches-measured", PatchCommand.measuredChart(job, measured))
                .chart(
                        "patches-predicted-and-measured",
                        Reports.predictedAgainstMeasured(
                                job,
                                predicted,
                                measured,
                                "One point for each site of the map above that is not exactly zero. "
                                        + agreement.caption()))
                .table("The largest measured changes.", PatchCommand.HEADER, Tables.tail(rows));
    }

    /** The most sensitive site half-way up, before F's position: a source at that position would stay in its column. */
    private Site source(SensitivityField sensitivity) {
        int depth = job.model().config().layers() / 2;
        double[] norms = sensitivity.norms()[depth];
        int best = 0;
        for (int t = 0; t < Math.max(1, job.position()); t++) {
            best = norms[t] > norms[best] ? t : best;
        }
        return Site.of(depth, best);
    }

    private static double[] unit(double[] vector) {
        double squares = 0;
        for (double x : vector) {
            squares += x * x;
        }
        double norm = Math.sqrt(squares);
        double[] unit = new double[vector.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = norm == 0 ? 0 : vector[i] / norm;
        }
        return unit;
    }

    private void response(Site source, double[] direction, SensitivityField sensitivity) {
        heading("4. One source, and how it spreads");
        Field response = job.timed("response", () -> job.run().response(source, direction));
        double[][] norms = Reports.blankOutside(response.norms(), source.depth(), source.token());
        double slope = sensitivity.predict(source, direction);
        String token = job.labels().get(source.token());
        Summary.heatMap(
                job,
                "|dR| for a unit source at (depth " + source.depth() + ", token " + token + ") along dF/dR",
                norms,
                HeatMap.Scale.LOG);
        double error = nonlinearity(source, direction, response);
        job.terminal().line("");
        job.terminal()
                .line("F changes by " + Numbers.format("%.3f", slope) + " for each unit of the source, to first order");
        job.terminal()
                .line("run for real, a source of length 1 gives a response " + Numbers.format("%.1f %%", 100 * error)
                        + " off this one");
        job.tensors().add("response", response.toArray(), response.depths(), response.tokens(), response.width());
        job.result("source", Sites.fields(source));
        job.result("source_slope", slope);
        job.result("source_nonlinearity", error);
        page.section(
                        "One source, and how it spreads",
                        "A source of unit length at depth " + source.depth() + ", token " + token
                                + ", the most sensitive site half-way up among the tokens before F's, points along"
                                + " the sensitivity there. The exact tangent of the run carries it to every later depth"
                                + " and token. For each unit of the source F changes by "
                                + Numbers.format("%.3f", slope) + ", to first order. Run for real with the source"
                                + " added, the model's response differs from this one by "
                                + Numbers.format("%.1f %%", 100 * error)
                                + " of its norm over all sites: that is what first order leaves out.")
                .chart(
                        "response",
                        Reports.overSites(
                                job,
                                "Norm of the response",
                                "Euclidean norm of dR[l'][t'] for the unit source. Attention carries it to later tokens, the residual"
                                        + " stream upward; blank sites are outside its light cone.",
                                norms,
                                HeatMap.Scale.LOG,
                                "|dR|"));
    }

    /** How far the response to a source of length 1 is from its tangent, relative to the tangent's norm over all sites. */
    private double nonlinearity(Site source, double[] direction, Field tangent) {
        Field measured = job.timed("response", () -> job.run().measuredResponse(source, direction, 1));
        return Math.sqrt(squares(measured.minus(tangent)) / squares(tangent));
    }

    private static double squares(Field field) {
        double sum = 0;
        for (double[] row : field.norms()) {
            for (double norm : row) {
                sum += norm * norm;
            }
        }
        return sum;
    }

    private void green(Site source) {
        heading("5. All sources at that site at once");
        int layers = job.model().config().layers();
        int rank = Math.min(RANK, job.model().config().width());
        LowRank part =
                job.timed("green", () -> job.run().green(source).to(layers).svd(rank, job.seed()));
        double[] curve = part.energyCurve();
        StringBuilder line = new StringBuilder(
                "energy of the Green operator to depth " + layers + " held by its leading directions: ");
        for (int k = 1; k <= rank; k *= 2) {
            line.append(k == 1 ? "" : ", ")
                    .append(k)
                    .append(": ")
                    .append(Numbers.format("%.1f %%", 100 * curve[k - 1]));
        }
        job.terminal().line(line.toString());
        int width = job.model().config().width();
        GreenCommand.addLeading(job, part);
        page.section(
                        "All sources at that site at once",
                        "The Green operator from the same site to every token of the final residual is a matrix of "
                                + part.u().length / rank + " by " + width
                                + ". Its singular values say how many directions of the source matter downstream.")
                .chart(
                        "energy",
                        Reports.energy(
                                curve,
                                "Sum of the first k squared singular values over the squared Frobenius norm of the operator. "
                                        + "Rank " + rank + " holds " + Numbers.format("%.1f %%", 100 * part.energy())
                                        + " of it."));
    }

    private void heading(String text) {
        job.terminal().line("");
        job.terminal().line(text);
        job.terminal().line("-".repeat(text.length()));
    }
}
