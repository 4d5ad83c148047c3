package dev.greenfield.cli.transfer;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.CorruptPrompt;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.transfer.AmplitudeCurves;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What parts of the displacement to another prompt achieve, over amplitudes. */
@Command(sortOptions = false)
public final class TransferCommand implements Action {
    private static final String DEFAULT_ALPHA = "0,0.25,0.5,0.75,1";
    private static final int DEFAULT_TOP = 10;

    @Mixin
    private final CorruptPrompt corrupt = new CorruptPrompt();

    @Option(
            names = "--alpha",
            paramLabel = "LIST",
            description = "Amplitudes of the displacement, also negative or above 1. Default: " + DEFAULT_ALPHA + ".",
            order = -1)
    private String alpha = DEFAULT_ALPHA;

    @Option(
            names = "--top",
            paramLabel = "N",
            description = "Put in the 1, 2, ..., N leading sites together, by predicted change and by sensitivity."
                    + " Default: 10.",
            order = -1)
    private String top;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        corrupt.check();
        double[] alphas = Quantities.numbers("--alpha", alpha, "amplitudes separated by commas, such as 0,0.5,1");
        int most = top == null
                ? DEFAULT_TOP
                : Quantities.atLeast("--top", top, 1, "a number of sites, at least 1; leave it out for " + DEFAULT_TOP);
        try (Job job = Job.start("transfer", common, CommonOptions.Need.REQUIRED, terminal)) {
            Run other = corrupt.run(job);
            Summary.opening(job);
            Summary.corrupt(job, other);
            DisplacementTransfer transfer =
                    job.timed("sensitivity", () -> job.run().transfer(other, job.observable()));
            requireChange(transfer);
            terminal.progress("putting the displacement in at sites, depths and tokens, at " + alphas.length
                    + (alphas.length == 1 ? " amplitude" : " amplitudes"));
            AmplitudeCurves curves = job.timed("transfer", () -> transfer.curves(alphas, most));
            job.option("alpha", alphas);
            job.option("top", most);
            job.result("full_change", transfer.fullChange());
            write(job, curves, transfer.hasAnswer());
            new TransferFigures(job, transfer, curves).show(corrupt.shown());
            job.finish();
        }
    }

    /** Refuses prompts between which F does not change: nothing could be a fraction of that. */
    static void requireChange(DisplacementTransfer transfer) {
        if (transfer.fullChange() == 0) {
            throw new InputException("F is the same for both prompts, so that no fraction of its change can be"
                    + " achieved: choose a corrupt prompt, an --answer or a --foil for which it differs");
        }
    }

    private static void write(Job job, AmplitudeCurves curves, boolean hasAnswer) {
        double[] alphas = curves.alphas();
        double[][][] sites = curves.sites();
        job.tensors().add("transfer.alpha", alphas, alphas.length);
        int depths = sites[0].length;
        int tokens = sites[0][0].length;
        double[] flat = Arrays.stream(sites)
                .flatMap(Arrays::stream)
                .flatMapToDouble(Arrays::stream)
                .toArray();
        job.tensors().add("transfer.achieved", flat, alphas.length, depths, tokens);
        Map<String, double[][]> parts = new LinkedHashMap<>();
        parts.put("slices", curves.slices());
        parts.put("columns", curves.columns());
        parts.put("top", curves.top(Ranking.PREDICTED));
        parts.put("top.sensitivity", curves.top(Ranking.SENSITIVITY));
        parts.forEach((name, values) -> job.tensors().add("transfer." + name, values));
        job.result("alpha", alphas);
        job.result("top_sites", Sites.fields(curves.leading(Ranking.PREDICTED)));
        job.result("top_sites_sensitivity", Sites.fields(curves.leading(Ranking.SENSITIVITY)));
        if (hasAnswer) {
            Map<String, Object> flips = new LinkedHashMap<>();
            flips.put(
                    "sites",
                    Arrays.stream(sites).map(grid -> flipped(curves, grid)).toList());
            parts.forEach((name, values) -> flips.put(
                    name.replace('.', '_'),
                    Arrays.stream(values).map(row -> flipped(curves, row)).toList()));
            job.result("flips", flips);
        }
    }

    /** Depth and token of each site that turns the answer. */
    private static List<Map<String, Object>> flipped(AmplitudeCurves curves, double[][] grid) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (int l = 0; l < grid.length; l++) {
            for (int t : flipped(curves, grid[l])) {
                list.add(Sites.fields(Site.of(l, t)));
            }
        }
        return list;
    }

    /** The places of a row that turn the answer. */
    private static List<Integer> flipped(AmplitudeCurves curves, double[] row) {
        List<Integer> list = new ArrayList<>();
        for (int i = 0; i < row.length; i++) {
            if (curves.flips(row[i])) {
                list.add(i);
            }
        }
        return list;
    }
}
