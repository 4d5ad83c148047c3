package dev.greenfield.cli;

import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lattice.Field;
import dev.greenfield.report.HeatMap;
import dev.greenfield.response.SensitivityField;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The sensitivity of F to every site. */
@Command(sortOptions = false)
public final class SensitivityCommand implements Action {
    private static final int SHOWN = 10;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        try (Job job = Job.start("sensitivity", common, CommonOptions.Need.REQUIRED, terminal)) {
            Summary.opening(job);
            SensitivityField sensitivity =
                    job.timed("sensitivity", () -> job.run().sensitivity(job.observable()));
            double[][] norms = sensitivity.norms();
            List<Sites.Ranked> largest = Sites.largest(norms, SHOWN);
            job.result("largest", largest.stream().map(Sites.Ranked::toMap).toList());
            Summary.heatMap(job, "|dF/dR|, sensitivity of F to the residual at each site", norms, HeatMap.Scale.LOG);
            Tables.print(terminal, "most sensitive sites", Summary.ranking(job, largest, "|dF/dR|"));
            if (job.writes()) {
                addTensors(job, sensitivity.field(), norms);
                job.report(Reports.page(job, "Sensitivity field", "How F depends on the residual stream", Map.of())
                        .chart("norm", Reports.sensitivity(job, norms))
                        .table(
                                "The most sensitive sites.",
                                List.of("depth", "token", "|dF/dR|"),
                                Summary.ranking(job, largest, "").subList(1, largest.size() + 1)));
            }
            job.finish();
        }
    }

    /** Adds field, logits and sensitivities to what is written. */
    static void addTensors(Job job, Field s, double[][] norms) {
        FieldCommand.addField(job);
        job.tensors().add("sensitivity", s.toArray(), s.depths(), s.tokens(), s.width());
        job.tensors().add("sensitivity.norm", norms);
    }
}
