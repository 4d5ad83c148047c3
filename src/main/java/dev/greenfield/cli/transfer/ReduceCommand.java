package dev.greenfield.cli.transfer;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.CorruptPrompt;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.failure.InputException;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import dev.greenfield.transfer.SiteReduction;
import dev.greenfield.transfer.SliceReduction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How much of a displacement's effect few sites and few directions carry. */
@Command(sortOptions = false)
public final class ReduceCommand implements Action {
    private static final int DEFAULT_TOP = 10;
    private static final int DEFAULT_RANK = 16;

    @Mixin
    private final CorruptPrompt corrupt = new CorruptPrompt();

    @Option(names = "--top", paramLabel = "N", description = "The first 1, 2, ..., N sites. Default: 10.", order = -1)
    private String top;

    @Option(
            names = "--rank",
            paramLabel = "K",
            description = "The first 1, 2, ..., K directions of the operators between depths. Default: 16.",
            order = -1)
    private String rank;

    @Option(
            names = "--depths",
            paramLabel = "LIST",
            description = "The depths between which operators are reduced, such as 0,4,8,12. Default: all.",
            order = -1)
    private String depths;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        corrupt.check();
        int most = top == null ? DEFAULT_TOP : Quantities.atLeast("--top", top, 1, "a number of sites, at least 1");
        int k = rank == null
                ? DEFAULT_RANK
                : Quantities.atLeast("--rank", rank, 1, "a number of directions, at least 1");
        try (Job job = Job.start("reduce", common, CommonOptions.Need.REQUIRED, terminal)) {
            int[] chosen = depths(job.model().config().layers());
            // As many directions as a depth's tokens have components, if that is fewer.
            int directions =
                    Math.min(k, (job.position() + 1) * job.model().config().width());
            Run other = corrupt.run(job);
            Summary.opening(job);
            Summary.corrupt(job, other);
            DisplacementTransfer transfer =
                    job.timed("sensitivity", () -> job.run().transfer(other, job.observable()));
            TransferCommand.requireChange(transfer);
            job.option("depths", chosen);
            job.option("rank", directions);
            job.option("top", most);
            job.result("full_change", transfer.fullChange());
            terminal.progress("putting in leading and random sites");
            Map<String, SiteReduction> sites = job.timed("sites", () -> sites(transfer, most, job.seed()));
            List<SliceReduction> slices = new ArrayList<>();
            for (int i = 0; i < chosen.length; i++) {
                for (int j = i + 1; j < chosen.length; j++) {
                    int from = chosen[i];
                    int to = chosen[j];
                    terminal.progress("operator from depth " + from + " to depth " + to);
                    slices.add(
                            job.timed("slices", () -> SliceReduction.of(transfer, from, to, directions, job.seed())));
                }
            }
            int unsettled =
                    (int) slices.stream().filter(slice -> !slice.settled()).count();
            Summary.unsettled(terminal, unsettled, slices.size());
            write(job, sites, slices, directions);
            new ReduceFigures(job, transfer, sites, slices).show(corrupt.shown());
            job.finish();
        }
    }

    private int[] depths(int layers) {
        if (depths == null) {
            return IntStream.rangeClosed(0, layers).toArray();
        }
        String expected = "two or more depths from 0 to " + layers + " in rising order, such as 0," + layers;
        double[] given = Quantities.numbers("--depths", depths, expected);
        int[] chosen = new int[given.length];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = (int) given[i];
            if (chosen[i] != given[i] || chosen[i] < 0 || chosen[i] > layers || (i > 0 && chosen[i] <= chosen[i - 1])) {
                throw new InputException("--depths " + Quantities.quoted(depths) + ": expected " + expected);
            }
        }
        if (chosen.length < 2) {
            throw new InputException("--depths " + Quantities.quoted(depths) + ": expected " + expected);
        }
        return chosen;
    }

    private static Map<String, SiteReduction> sites(DisplacementTransfer transfer, int most, long seed) {
        Map<String, SiteReduction> sites = new LinkedHashMap<>();
        sites.put("predicted", SiteReduction.of(transfer, Ranking.PREDICTED, most));
        sites.put("sensitivity", SiteReduction.of(transfer, Ranking.SENSITIVITY, most));
        sites.put("random", SiteReduction.random(transfer, most, seed));
        return sites;
    }

    private static void write(Job job, Map<String, SiteReduction> sites, List<SliceReduction> slices, int directions) {
        sites.forEach((name, reduction) -> {
            job.tensors().add("reduce.share." + name, reduction.share(), reduction.share().length);
            job.tensors().add("reduce.together." + name, reduction.together(), reduction.together().length);
            job.tensors().add("reduce.added." + name, reduction.added(), reduction.added().length);
        });
        int levels = job.model().config().layers() + 1;
        ReduceFigures.CURVES.forEach((name, curve) -> {
            double[] all = new double[levels * levels * directions];
            Arrays.fill(all, Double.NaN);
            for (SliceReduction slice : slices) {
                System.arraycopy(
                        curve.apply(slice), 0, all, (slice.from() * levels + slice.to()) * directions, directions);
            }
            job.tensors().add("reduce." + name, all, levels, levels, directions);
        });
        job.result("rank", directions);
        job.result(
                "slices",
                slices.stream()
                        .map(slice -> {
                            Map<String, Object> fields = new LinkedHashMap<>();
                            fields.put("from_depth", slice.from());
                            fields.put("to_depth", slice.to());
                            fields.put("predicted_change", slice.predicted());
                            fields.put("settled", slice.settled());
                            ReduceFigures.CURVES.forEach((name, curve) ->
                                    fields.put(name.replace('.', '_'), curve.apply(slice)[directions - 1]));
                            return fields;
                        })
                        .toList());
    }
}
