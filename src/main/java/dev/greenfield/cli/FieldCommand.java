package dev.greenfield.cli;

import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.HeadPictures;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.lattice.Field;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import java.io.IOException;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The residual stream and the logits. */
@Command(sortOptions = false)
final class FieldCommand implements Action {
    @Option(
            names = "--attention",
            description = "Also the attention of every head: a tensor, and pictures on the page.",
            order = -1)
    private boolean attention;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        try (Job job = Job.start("field", common, CommonOptions.Need.OPTIONAL, terminal)) {
            job.option("attention", attention);
            Summary.opening(job);
            Field field = addField(job);
            double[][] norms = field.norms();
            Summary.heatMap(job, "|R|, norm of the residual stream", norms, HeatMap.Scale.LOG);
            HeadPictures heads = attention ? HeadPictures.of(job) : null;
            if (job.writes()) {
                ReportPage page = Reports.page(job, "Residual stream", "The field of one forward pass", Map.of())
                        .chart(
                                "norm",
                                Reports.overSites(
                                        job,
                                        "Norm of the residual stream",
                                        "Euclidean norm of the residual R[l][t] entering block l; the top row is the final residual,"
                                                + " before the last LayerNorm. Logarithmic colours.",
                                        norms,
                                        HeatMap.Scale.LOG,
                                        "|R|"));
                if (heads != null) {
                    heads.addTo(page);
                }
                job.report(page);
            }
            job.finish();
        }
    }

    /** Adds the tensors that describe the run itself, where they are written; returns its field. */
    static Field addField(Job job) {
        Field field = job.run().field();
        int tokens = field.tokens();
        if (job.writes()) {
            job.tensors().add("field", field.toArray(), field.depths(), tokens, field.width());
            job.tensors()
                    .add(
                            "logits",
                            job.run().logits(),
                            tokens,
                            job.model().config().vocabulary());
        }
        return field;
    }
}
