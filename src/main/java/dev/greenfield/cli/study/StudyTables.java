package dev.greenfield.cli.study;

import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.prediction.PredictionSummary;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.study.Finding;
import dev.greenfield.study.Measures;
import dev.greenfield.study.PredictionRow;
import dev.greenfield.study.Study;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The tables of a study as comma-separated values (RFC 4180): findings, predictions, and one row a prompt for every other part. */
final class StudyTables {
    private final SuiteJob job;
    private final Study.Outcome outcome;

    StudyTables(SuiteJob job, Study.Outcome outcome) {
        this.job = job;
        this.outcome = outcome;
    }

    void write() throws IOException {
        List<List<String>> findings = new ArrayList<>();
        findings.add(List.of("claim", "metric", "n", "value", "low", "high", "expected", "verdict", "meaning"));
        for (Finding f : outcome.findings()) {
            findings.add(List.of(
                    f.claim().id(),
                    f.metric(),
                    Integer.toString(f.n()),
                    number(f.estimate().value()),
                    number(f.estimate().low()),
                    number(f.estimate().high()),
                    f.expectation().text(),
                    f.verdict().label(),
                    f.meaning()));
        }
        table("findings", findings);
        for (Map.Entry<String, Map<Integer, Measures>> part : outcome.measures().entrySet()) {
            table(part.getKey(), part.getKey().equals("prediction") ? predictions() : prompts(part.getValue()));
        }
    }

    /** A row a prompt, with every single number; rows of numbers are in the files of the prompts. */
    private static List<List<String>> prompts(Map<Integer, Measures> measures) {
        Set<String> names = new LinkedHashSet<>();
        measures.values()
                .forEach(one -> one.values().forEach((name, values) -> {
                    if (values.length == 1) {
                        names.add(name);
                    }
                }));
        List<List<String>> rows = new ArrayList<>();
        List<String> header = new ArrayList<>(List.of("prompt"));
        header.addAll(names);
        rows.add(header);
        measures.forEach((prompt, one) -> {
            List<String> row = new ArrayList<>(List.of(Integer.toString(prompt)));
            names.forEach(name -> row.add(number(one.number(name))));
            rows.add(row);
        });
        return rows;
    }

    private List<List<String>> predictions() {
        List<List<String>> rows = new ArrayList<>();
        for (PredictionRow prediction : outcome.predictions()) {
            PredictionSummary summary = prediction.summary();
            Map<String, Estimate> measures = new LinkedHashMap<>();
            measures.put("pearson", summary.pearson());
            measures.put("spearman", summary.spearman());
            measures.put("r2", summary.rSquared());
            measures.put("slope", summary.slope());
            measures.put("relative_error", summary.relativeError());
            measures.put("sign", summary.signAgreement());
            measures.put("top5", summary.topOverlap());
            measures.put("median_error", summary.medianRelativeError());
            if (rows.isEmpty()) {
                List<String> header = new ArrayList<>(List.of("kind", "component", "method", "n", "interventions"));
                measures.keySet().forEach(name -> header.addAll(List.of(name, name + "_low", name + "_high")));
                header.add("permutation_p");
                rows.add(header);
            }
            List<String> row = new ArrayList<>(List.of(
                    prediction.kind(),
                    prediction.component(),
                    prediction.method(),
                    Integer.toString(summary.prompts()),
                    Long.toString(summary.sites())));
            measures.values().forEach(e -> row.addAll(List.of(number(e.value()), number(e.low()), number(e.high()))));
            row.add(number(summary.p()));
            rows.add(row);
        }
        return rows;
    }

    private void table(String name, List<List<String>> rows) throws IOException {
        String text = rows.stream()
                .map(row -> row.stream().map(StudyTables::quoted).collect(Collectors.joining(",", "", "\r\n")))
                .collect(Collectors.joining());
        Files.writeString(job.further(name + ".csv"), text);
    }

    /**
     * A cell as it is written. Where it begins as a formula does, and is no number, an apostrophe comes first: spreadsheets would
     * compute it.
     */
    static String quoted(String cell) {
        String visible = Lines.escaped(cell);
        boolean formula = visible.matches("[=+\\-@].*") && !visible.matches("[-+]?[0-9.]+([eE][-+]?[0-9]+)?|-Infinity");
        String text = formula ? "'" + visible : visible;
        return text.matches("[^\",]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }

    /** Empty where there is no number. */
    private static String number(double value) {
        return Double.isNaN(value) ? "" : Double.toString(value);
    }
}
