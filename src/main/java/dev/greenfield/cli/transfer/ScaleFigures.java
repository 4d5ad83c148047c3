package dev.greenfield.cli.transfer;

import dev.greenfield.Model;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.ModelIdentity;
import dev.greenfield.cli.job.SuiteHalves;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePair;
import dev.greenfield.cli.show.Agreement;
import dev.greenfield.cli.show.Averages;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.TokenLabels;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.transfer.DirectionTransfer;
import dev.greenfield.transfer.RankAgreement;
import dev.greenfield.transfer.RelativeDepths;
import dev.greenfield.transfer.ScaleComparison;
import dev.greenfield.transfer.SiteTransfer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** What {@code scale} collects over the pairs of a suite, writes, prints and draws. */
final class ScaleFigures {
    private static final List<String> AGREEMENTS = List.of("sensitivity", "map");
    private static final List<String> SITES = List.of("carried", "own", "random");

    /** The numbers of a direction transfer by the names of their tensors, each [G+1]. */
    private static final Map<String, Function<DirectionTransfer, double[]>> DIRECTIONS = directions();

    private final SuiteJob job;
    private final Model other;
    private final String nameB;
    private final SuiteHalves halves;
    private final RelativeDepths depths;
    private final Averages averages;
    private final List<DirectionTransfer> carried = new ArrayList<>();
    private SuitePair first; // the pair that the page shows
    private ScaleComparison shown;
    private int fittedRuns;

    ScaleFigures(SuiteJob job, Model other, String nameB, SuiteHalves halves) {
        this.job = job;
        this.other = other;
        this.nameB = nameB;
        this.halves = halves;
        this.depths =
                new RelativeDepths(job.model().config().layers(), other.config().layers());
        this.averages = new Averages(job.seed());
    }

    private static Map<String, Function<DirectionTransfer, double[]>> directions() {
        Map<String, Function<DirectionTransfer, double[]>> directions = new LinkedHashMap<>();
        directions.put("cosine", DirectionTransfer::cosine);
        directions.put("cosine.control", DirectionTransfer::controlCosine);
        directions.put("slice", DirectionTransfer::slice);
        directions.put("slice.control", DirectionTransfer::controlSlice);
        directions.put("site", DirectionTransfer::site);
        directions.put("site.own", DirectionTransfer::ownSite);
        directions.put("site.control", DirectionTransfer::controlSite);
        return directions;
    }

    void opening() {
        job.opening(job.prompts());
        job.terminal()
                .line("models    " + depths.layersA() + " and " + depths.layersB() + " layers, compared at "
                        + (depths.steps() + 1) + " relative depths");
    }

    /** Tensors in the order in which they are written: four for each pair, then those of {@link #write}. */
    void declare(SafetensorsWriter.Builder builder, List<SuitePair> pairs) {
        int n = depths.steps() + 1;
        for (SuitePair pair : pairs) {
            int tokens = pair.prompt().length();
            int number = pair.prompt().number();
            for (String model : List.of("a", "b")) {
                builder.tensor("scale." + model + ".sensitivity." + number, job.type(), n, tokens);
            }
            for (String model : List.of("a", "b")) {
                builder.tensor("scale." + model + ".map." + number, job.type(), n, tokens, n, tokens);
            }
        }
        for (String name : AGREEMENTS) {
            builder.tensor("scale.agreement." + name, job.type(), pairs.size(), 4);
        }
        for (String name : SITES) {
            builder.tensor("scale.sites." + name, job.type(), pairs.size(), 2);
        }
        for (String name : DIRECTIONS.keySet()) {
            builder.tensor(
                    "scale.direction." + name, job.type(), halves.judged().size(), n);
        }
    }

    /** Writes what is there once all pairs are done. */
    void write(SafetensorsWriter file) throws IOException {
        for (String name : AGREEMENTS) {
            file.write(columns(List.of(name + ".rho", name + ".within", name + ".shuffled", name + ".shifted")));
        }
        for (String name : SITES) {
            file.write(columns(List.of("sites." + name + ".share", "sites." + name + ".together")));
        }
        for (Function<DirectionTransfer, double[]> of : DIRECTIONS.values()) {
            file.write(carried.stream().map(of).flatMapToDouble(Arrays::stream).toArray());
        }
    }

    /** The numbers of these names, one row a pair. */
    private double[] columns(List<String> names) {
        List<double[]> columns = names.stream().map(averages::values).toList();
        double[] rows = new double[columns.get(0).length * columns.size()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = columns.get(i % columns.size())[i / columns.size()];
        }
        return rows;
    }

    void add(SuitePair pair, ScaleComparison comparison) {
        if (first == null) {
            first = pair;
            shown = comparison;
        }
        agreement("sensitivity", comparison.sensitivity());
        agreement("map", comparison.map());
        SiteTransfer sites = comparison.sites();
        sites("carried", sites.carried());
        sites("own", sites.own());
        sites("random", sites.random());
    }

    private void agreement(String name, RankAgreement agreement) {
        averages.add(name + ".rho", agreement.rho());
        averages.add(name + ".within", agreement.within());
        averages.add(name + ".shuffled", agreement.shuffled());
        averages.add(name + ".shifted", agreement.shifted());
        averages.add(name + ".r_squared", agreement.rSquared());
        averages.add(name + ".slope", agreement.slope());
        averages.add(name + ".relative_error", agreement.missed());
        averages.add(name + ".permutation_p", agreement.p());
        averages.add(name + ".above_shifted", agreement.rho() - agreement.shifted());
    }

    private void sites(String name, SiteTransfer.Carried carried) {
        averages.add("sites." + name + ".share", carried.share());
        averages.add("sites." + name + ".together", carried.together());
    }

    void fitted(int runs) {
        fittedRuns = runs;
    }

    void add(DirectionTransfer transfer) {
        carried.add(transfer);
        DIRECTIONS.forEach((name, of) -> {
            double[] values = of.apply(transfer);
            for (int g = 0; g < values.length; g++) {
                averages.add(at(name, g), values[g]);
            }
        });
    }

    private static String at(String name, int g) {
        return "direction." + name + "." + g;
    }

    /** Results, tables and the page. */
    void show(int top, int probes, double ridge) {
        String digest = job.writes() ? other.source().sha256() : null;
        job.result("model_b", ModelIdentity.fields(nameB, digest, other.source()));
        job.result("layers", new int[] {depths.layersA(), depths.layersB()});
        job.result("relative_depths", relative());
        job.option("model_b", nameB);
        job.option("top", top);
        job.option("probes", probes);
        job.option("ridge", ridge);
        job.result("top", top);
        job.result("probes", probes);
        job.result("ridge", ridge);
        job.result("fitted_runs", fittedRuns);
        job.result(
                "judged", halves.judged().stream().map(p -> p.prompt().number()).toList());
        job.result("means", averages.toMap());
        List<List<String>> agreement = agreementRows();
        List<List<String>> sites = siteRows(top);
        List<List<String>> directions = directionRows();
        Tables.print(
                job.terminal(),
                "agreement of the two models in size and in rank (95 % intervals over pairs of prompts)",
                agreement);
        Tables.print(job.terminal(), "the " + top + " leading sites of the first model in the second", sites);
        Tables.print(
                job.terminal(),
                "displacements of the first model carried to the second, "
                        + halves.judged().size() + " pairs that the maps were not fitted on",
                directions);
        if (job.writes()) {
            page(agreement, sites, directions, ridge);
        }
    }

    private double[] relative() {
        return IntStream.rangeClosed(0, depths.steps())
                .mapToDouble(g -> (double) g / depths.steps())
                .toArray();
    }

    private List<List<String>> agreementRows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("agreement", "sensitivity |S|", "response map |G|"));
        Map<String, String> kinds = new LinkedHashMap<>();
        kinds.put("r_squared", "R2 of second = first");
        kinds.put("slope", "slope of second over first");
        kinds.put("relative_error", "missed, |second - first| / |second|");
        kinds.put("rho", "Spearman, aligned by relative depth");
        kinds.put("within", "Spearman within each depth");
        kinds.put("shuffled", "control: sites shuffled");
        kinds.put("shifted", "control: depths shifted");
        kinds.put("above_shifted", "aligned minus depths shifted");
        kinds.put("permutation_p", "p within each depth, mean");
        kinds.forEach((key, name) ->
                rows.add(List.of(name, averages.shown("sensitivity." + key), averages.shown("map." + key))));
        return rows;
    }

    private List<List<String>> siteRows(int top) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("sites of the second model", "share of single effects", "achieved together"));
        Map<String, String> kinds = new LinkedHashMap<>();
        kinds.put("carried", top + " leading sites of the first");
        kinds.put("own", "as many of its own");
        kinds.put("random", "as many random ones");
        kinds.forEach((key, name) -> rows.add(List.of(
                name, averages.shown("sites." + key + ".share"), averages.shown("sites." + key + ".together"))));
        return rows;
    }

    private List<List<String>> directionRows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "relative depth",
                "cosine",
                "of control",
                "achieved by depth",
                "by control",
                "by one token",
                "by its own",
                "by control"));
        for (int g = 0; g <= depths.steps(); g++) {
            List<String> row = new ArrayList<>(List.of(Numbers.format("%.3f", relative()[g])));
            for (String name : DIRECTIONS.keySet()) {
                row.add(averages.shown(at(name, g)));
            }
            rows.add(row);
        }
        return rows;
    }

    private void page(
            List<List<String>> agreement, List<List<String>> sites, List<List<String>> directions, double ridge) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "Second model",
                nameB + " (" + depths.layersB() + " layers, width "
                        + other.config().width() + ")");
        facts.put("Ridge", Numbers.format("%g", ridge) + ", " + fittedRuns + " prompts");
        List<String> labels = TokenLabels.of(first.prompt().tokenText());
        List<String> rows = IntStream.rangeClosed(0, depths.steps())
                .mapToObj(g -> Numbers.format("%.2f", relative()[g]))
                .toList();
        String caption = "|dF/dR| of the pair of entry " + first.prompt().number() + ", "
                + first.observable().describe() + ", over tokens and relative depths.";
        job.report(Reports.page(
                        job,
                        "Two models on the same prompts",
                        "Sensitivities, responses, sites and directions, aligned by relative depth",
                        facts)
                .table(
                        "Agreement of the two models in size and in rank, means over pairs of prompts. With p a value of the"
                                + " first model and m the one of the second at the same tokens and relative depth: "
                                + Agreement.DEFINITIONS + ".",
                        agreement.get(0),
                        agreement.subList(1, agreement.size()))
                .table(
                        "What the leading sites of the first model do in the second.",
                        sites.get(0),
                        sites.subList(1, sites.size()))
                .table(
                        "Displacements carried by affine maps, on prompts that these were not fitted on.",
                        directions.get(0),
                        directions.subList(1, directions.size()))
                .chart(
                        "sensitivity-a",
                        new HeatMap(
                                "Sensitivity of the first model",
                                caption,
                                rows,
                                labels,
                                shown.sensitivityA(),
                                HeatMap.Scale.LOG,
                                "|S|",
                                "sensitivity"))
                .chart(
                        "sensitivity-b",
                        new HeatMap(
                                "Sensitivity of the second model",
                                caption,
                                rows,
                                labels,
                                shown.sensitivityB(),
                                HeatMap.Scale.LOG,
                                "|S|",
                                "sensitivity"))
                .chart(
                        "directions",
                        curves(
                                "Directions of carried displacements",
                                "Cosine between the displacement that the map carries over and the second model's own, over all tokens of"
                                        + " a depth. The control's maps were fitted on prompts paired at random.",
                                "cosine",
                                Map.of("carried", "cosine", "control", "cosine.control")))
                .chart(
                        "answers-by-depth",
                        curves(
                                "Answers by carried displacements, whole depths",
                                "Fraction of the second model's change of answer that a carried displacement of all tokens achieves. Its own"
                                        + " achieves 1. The control has the same lengths.",
                                "achieved fraction",
                                Map.of("carried", "slice", "control", "slice.control")))
                .chart(
                        "answers-by-token",
                        curves(
                                "Answers by carried displacements, one token",
                                "The same at the one token that the first model predicts most of at that depth.",
                                "achieved fraction",
                                Map.of("carried", "site", "own", "site.own", "control", "site.control"))));
    }

    private LineChart curves(String title, String caption, String yName, Map<String, String> names) {
        List<LineChart.Series> series = names.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(e -> new LineChart.Series(
                        e.getKey(),
                        relative(),
                        IntStream.rangeClosed(0, depths.steps())
                                .mapToDouble(
                                        g -> averages.mean(at(e.getValue(), g)).value())
                                .toArray()))
                .toList();
        return new LineChart(title, caption, "relative depth l / L", yName, false, false, series);
    }
}
