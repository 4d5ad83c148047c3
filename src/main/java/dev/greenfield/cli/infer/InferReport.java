package dev.greenfield.cli.infer;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.cli.show.Summary;
import dev.greenfield.inverse.Inference;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.report.Chart;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.response.SensitivityField;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** What {@code infer} prints, writes and draws. */
final class InferReport {
    private static final int SHOWN = 12;
    private static final int DECODED = 5;
    private static final int AMPLITUDES = 31;
    private static final double FURTHEST = 1.5; // times the source

    private final Job job;
    private final Inference found;
    private final boolean ofStream;
    private final double fullChange; // of F between the prompts; NaN without
    private final double[] vectorNorms; // [n], by site of the source
    private final String unit;

    /**
     * @param ofStream whether a displacement was wanted, not a change of F
     * @param fullChange F of the corrupt prompt minus F of the prompt; NaN where there is none
     */
    InferReport(Job job, Inference found, boolean ofStream, double fullChange) {
        this.job = job;
        this.found = found;
        this.ofStream = ofStream;
        this.fullChange = fullChange;
        this.vectorNorms = Arrays.stream(found.vectors())
                .mapToDouble(v -> Math.sqrt(Arrays.stream(v).map(x -> x * x).sum()))
                .toArray();
        this.unit = ofStream ? "displacement" : "change of F";
    }

    void show(DecodeOptions decode) {
        double[][] norms = norms();
        addTensors(norms);
        addResults();
        Terminal terminal = job.terminal();
        Summary.heatMap(job, "|J|, length of the inferred source at each site", norms, HeatMap.Scale.SEQUENTIAL);
        List<List<String>> sites = siteRows();
        Tables.print(terminal, "the source, longest vectors first", sites);
        Tables.print(terminal, "linearizations", stepRows());
        terminal.line("");
        terminal.line((ofStream ? "displacement wanted " : "change of F wanted ") + number(signed(found.wanted()))
                + ", predicted " + number(signed(found.predicted())) + ", achieved "
                + number(signed(found.achieved())) + " (misfit " + Numbers.format("%.2g", found.misfit())
                + "), by a source of length "
                + number(found.source().norm()) + "; " + ended());
        Decoding words = new Decoding(job);
        longest().forEach(i -> {
            Site site = found.sites().get(i);
            words.add(
                    "depth " + site.depth() + ", " + job.labels().get(site.token()),
                    Sites.fields(site),
                    found.vectors()[i],
                    site);
        });
        words.decode(job, decode, "what the longest vectors of the source write and read");
        words.print();
        if (job.writes()) {
            page(norms, sites, words);
        }
    }

    /** Numbers of the sites of the longest vectors, falling; none of length zero. */
    private List<Integer> longest() {
        return IntStream.range(0, vectorNorms.length)
                .boxed()
                .filter(i -> vectorNorms[i] > 0)
                .sorted(Comparator.comparingDouble(i -> -vectorNorms[i]))
                .limit(DECODED)
                .toList();
    }

    private static String number(double x) {
        return Numbers.format("%.4f", x);
    }

    /** A change as one number: that of F with its sign, or the part of a displacement along the wanted one. */
    private double signed(double[] change) {
        return ofStream ? found.along(change) : change[0];
    }

    private String ended() {
        return switch (found.end()) {
            case REACHED -> "the tolerance is reached";
            case SETTLED -> "the penalty leaves no closer one";
            case STALLED -> "no closer one was found";
            case STEPS -> "the steps are used up";
        };
    }

    /** Lengths at whole depths, [L+1][T]; zero where there is no source. */
    private double[][] norms() {
        double[][] norms =
                new double[job.model().config().layers() + 1][job.run().tokens().length];
        for (int i = 0; i < vectorNorms.length; i++) {
            Site site = found.sites().get(i);
            norms[site.depth()][site.token()] = vectorNorms[i];
        }
        return norms;
    }

    private void addTensors(double[][] norms) {
        job.tensors().add("source", found.vectors());
        job.tensors().add("source.norm", norms);
        if (ofStream) {
            job.tensors().add("displacement.wanted", found.wanted(), found.wanted().length);
            job.tensors().add("displacement.predicted", found.predicted(), found.predicted().length);
            job.tensors().add("displacement.achieved", found.achieved(), found.achieved().length);
        }
    }

    private void addResults() {
        job.result("method", label(found.method()));
        job.result("lambda", found.lambda());
        job.result(
                "sites",
                found.sites().stream()
                        .map(site -> List.of(site.depth(), site.token()))
                        .toList());
        job.result("wanted_change", signed(found.wanted()));
        job.result("predicted_change", signed(found.predicted()));
        job.result("achieved_change", signed(found.achieved()));
        job.result("misfit", found.misfit());
        job.result("predicted_misfit", found.predictedMisfit());
        job.result("norm", found.source().norm());
        job.result("site_norms", vectorNorms);
        job.result("end", label(found.end()));
        List<Map<String, Object>> steps = new ArrayList<>();
        for (Inference.Step step : found.steps()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("norm", step.norm());
            fields.put("misfit", step.misfit());
            fields.put("achieved_change", achieved(step));
            fields.put("iterations", step.iterations());
            fields.put("fraction", step.fraction());
            steps.add(fields);
        }
        job.result("steps", steps);
        if (ofStream && job.observable() != null) {
            SensitivityField s = job.run().sensitivity(job.observable());
            job.result("wanted_change_of_f", fullChange);
            job.result("predicted_change_of_f", s.predict(found.source()));
            job.result("achieved_change_of_f", job.run().effects(List.of(found.source()), job.observable())[0]);
        }
    }

    /** Of a change of F with its sign. */
    private double achieved(Inference.Step step) {
        return ofStream ? step.along() : Math.signum(found.wanted()[0]) * step.along();
    }

    private List<List<String>> siteRows() {
        List<String> labels = job.labels();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("depth", "token", "|J|", "share of |J|^2"));
        double square = Math.pow(found.source().norm(), 2);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < vectorNorms.length; i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingDouble(i -> -vectorNorms[i]));
        for (int i : order.subList(0, Math.min(SHOWN, order.size()))) {
            Site site = found.sites().get(i);
            rows.add(List.of(
                    Integer.toString(site.depth()),
                    labels.get(site.token()),
                    Numbers.format("%.4g", vectorNorms[i]),
                    Numbers.format("%.1f %%", square == 0 ? 0 : 100 * vectorNorms[i] * vectorNorms[i] / square)));
        }
        return rows;
    }

    private List<List<String>> stepRows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("number", "|J|", "achieved", "misfit", "iterations", "part of the step"));
        for (int i = 0; i < found.steps().size(); i++) {
            Inference.Step step = found.steps().get(i);
            rows.add(List.of(
                    Integer.toString(i + 1),
                    Numbers.format("%.4g", step.norm()),
                    number(achieved(step)),
                    Numbers.format("%.2e", step.misfit()),
                    Integer.toString(step.iterations()),
                    Numbers.format("%.3g", step.fraction())));
        }
        return rows;
    }

    private void page(double[][] norms, List<List<String>> sites, Decoding words) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Method", label(found.method()) + ", lambda " + found.lambda());
        facts.put(ofStream ? "Wanted displacement" : "Wanted change of F", number(signed(found.wanted())));
        facts.put("Predicted", number(signed(found.predicted())));
        facts.put("Achieved", number(signed(found.achieved())));
        facts.put("Misfit", Numbers.format("%.3g", found.misfit()));
        facts.put("Length of the source", number(found.source().norm()));
        facts.put("Ended", ended());
        ReportPage page = Reports.page(job, "Inference of a source", "The source that makes a wanted change", facts)
                .chart(
                        "source",
                        Reports.overSites(
                                job,
                                "Length of the source at each site",
                                "Euclidean norm of the inferred vector J at each site; zero where no source was allowed, chosen or"
                                        + " needed.",
                                norms,
                                HeatMap.Scale.SEQUENTIAL,
                                "|J|"));
        if (job.observable() != null) {
            page.chart("along-source", amplitudes());
        }
        page.chart("convergence", convergence())
                .table("The longest vectors of the source.", sites.get(0), Tables.tail(sites))
                .table(
                        "Linearizations: the first is of the run itself, each later one of the run with the source so far.",
                        stepRows().get(0),
                        Tables.tail(stepRows()));
        words.addTo(page);
        job.report(page);
    }

    /** F against the amplitude of the source, by first order and measured: where the wish lies in or out of the linear regime. */
    private Chart amplitudes() {
        double slope = job.run().sensitivity(job.observable()).predict(found.source());
        double[] amplitude = new double[AMPLITUDES];
        double[] predicted = new double[AMPLITUDES];
        List<Source> sources = new ArrayList<>();
        for (int i = 0; i < AMPLITUDES; i++) {
            amplitude[i] = FURTHEST * i / (AMPLITUDES - 1);
            predicted[i] = amplitude[i] * slope;
            sources.add(found.source().times(amplitude[i]));
        }
        double[] measured = job.run().effects(sources, job.observable());
        List<LineChart.Series> series = new ArrayList<>();
        series.add(new LineChart.Series("measured", amplitude, measured));
        series.add(new LineChart.Series("first order", amplitude, predicted, 0));
        double wanted = ofStream ? fullChange : found.wanted()[0];
        series.add(new LineChart.Series(
                ofStream ? "between the prompts" : "wanted", new double[] {0, FURTHEST}, new double[] {wanted, wanted
                }));
        return new LineChart(
                "Change of F along the source",
                "The inferred source times an amplitude: 1 is the source itself. Dashed: what the sensitivity of the run"
                        + " predicts.",
                "amplitude",
                "change of F",
                false,
                false,
                series);
    }

    private Chart convergence() {
        int n = found.steps().size();
        double[] number = new double[n + 1];
        double[] misfit = new double[n + 1];
        misfit[0] = 1;
        for (int i = 0; i < n; i++) {
            number[i + 1] = i + 1;
            misfit[i + 1] = found.steps().get(i).misfit();
        }
        return new LineChart(
                "Convergence",
                "Misfit |wanted - achieved| / |wanted| of the " + unit
                        + ", measured after each linearization; 1 before the first.",
                "linearizations",
                "misfit",
                false,
                true,
                List.of(new LineChart.Series("misfit", number, misfit)));
    }

    /** A constant's name as users write it: {@code least-norm}. */
    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
