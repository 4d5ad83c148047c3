package dev.greenfield.cli;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Reports;
import dev.greenfield.lens.Jacobians;
import dev.greenfield.lens.Lens;
import dev.greenfield.lens.LensReading;
import dev.greenfield.lens.LensToken;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.TokenGrid;
import dev.greenfield.report.TokenLabels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What {@code lens} prints, writes and draws. */
final class LensReport {
    /** More columns than that make a page that browsers are slow with. */
    private static final int MOST_COLUMNS = 256;

    private static final int SHOWN_LETTERS = 14;

    /** What people call the lenses of tensors and results. */
    private static final Map<String, String> NAMES = Map.of("logit", "logit lens", "jacobian", "Jacobian lens");

    private final Job job;
    private final Lens lens;
    private final Jacobians jacobians; // null without
    private final Map<String, LensReading> readings = new LinkedHashMap<>();

    /** @param jacobians null where there is the logit lens alone */
    LensReport(Job job, Lens lens, Jacobians jacobians) {
        this.job = job;
        this.lens = lens;
        this.jacobians = jacobians;
        readings.put("logit", lens.logit());
        lens.jacobian().ifPresent(reading -> readings.put("jacobian", reading));
    }

    /** The token whose rank is followed: the answer, or else what the model says after the position of F. */
    static String chosen(Job job) {
        if (job.observable() != null) {
            return job.observable().answer();
        }
        double[] logits = job.run().logits(job.position());
        return "#"
                + IntStream.range(0, logits.length)
                        .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                        .orElseThrow();
    }

    void show() {
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("token_id", lens.chosen());
        token.put("text", lens.chosenText());
        job.result("chosen", token);
        job.result(
                "depths",
                lens.levels().stream().map(level -> Numbers.half(level.index())).toList());
        readings.forEach((name, reading) -> {
            double[][] ranks = reading.ranks();
            job.tensors().add("lens." + name + ".rank", ranks);
            job.tensors().add("lens." + name + ".probability", reading.probabilities());
            if (job.writes()) {
                job.result(name + "_lens", top(reading));
            }
            job.result(name + "_ranks", whole(at(ranks)));
            Tables.print(job.terminal(), NAMES.get(name) + ": the most probable token at each site", words(reading));
        });
        List<List<String>> ranks = ranks();
        Tables.print(
                job.terminal(),
                "rank of " + TokenLabels.visible(lens.chosenText()) + " at token "
                        + job.labels().get(job.position()),
                ranks);
        if (job.writes()) {
            page(ranks);
        }
    }

    /** A column of numbers: those at F's position. */
    private double[] at(double[][] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(r -> values[r][job.position()])
                .toArray();
    }

    /** Ranks for result.json, where a count has no point; null for a level that is not read. */
    private static List<Object> whole(double[] ranks) {
        List<Object> counts = new ArrayList<>();
        for (double rank : ranks) {
            counts.add(Double.isNaN(rank) ? null : (Object) Math.round(rank));
        }
        return counts;
    }

    /** [levels][T][k] for result.json; null for a level that is not read. */
    private List<Object> top(LensReading reading) {
        List<Object> levels = new ArrayList<>();
        for (int r = 0; r < lens.levels().size(); r++) {
            List<Object> sites = new ArrayList<>();
            for (int t = 0; reading.reads(r) && t < job.labels().size(); t++) {
                sites.add(reading.top(r, t).stream().map(LensReport::fields).toList());
            }
            levels.add(reading.reads(r) ? sites : null);
        }
        return levels;
    }

    private static Map<String, Object> fields(LensToken token) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("token_id", token.id());
        fields.put("text", token.text());
        fields.put("logit", token.logit());
        fields.put("probability", token.probability());
        return fields;
    }

    /** The table of words, from the last depth down. */
    private List<List<String>> words(LensReading reading) {
        List<List<String>> rows = new ArrayList<>();
        List<String> heading = new ArrayList<>(List.of("depth"));
        heading.addAll(job.labels());
        rows.add(heading);
        for (int r = lens.levels().size() - 1; r >= 0; r--) {
            List<String> row = new ArrayList<>(List.of(lens.levels().get(r).toString()));
            for (int t = 0; t < job.labels().size(); t++) {
                row.add(
                        reading.reads(r)
                                ? TokenLabels.visible(reading.top(r, t).get(0).text())
                                : "-");
            }
            rows.add(row);
        }
        return rows;
    }

    private List<List<String>> ranks() {
        List<String> heading = new ArrayList<>(List.of("depth"));
        List<double[]> columns = new ArrayList<>(); // rank and probability of each lens in turn
        readings.forEach((name, reading) -> {
            heading.add(NAMES.get(name));
            heading.add("probability");
            columns.add(at(reading.ranks()));
            columns.add(at(reading.probabilities()));
        });
        List<List<String>> rows = new ArrayList<>();
        rows.add(heading);
        for (int r = lens.levels().size() - 1; r >= 0; r--) {
            List<String> row = new ArrayList<>(List.of(lens.levels().get(r).toString()));
            for (int c = 0; c < columns.size(); c++) {
                double value = columns.get(c)[r];
                row.add(Double.isNaN(value) ? "-" : Numbers.format(c % 2 == 0 ? "%.0f" : "%.3g", value));
            }
            rows.add(row);
        }
        return rows;
    }

    private void page(List<List<String>> ranks) {
        String word = TokenLabels.visible(lens.chosenText());
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Token", word);
        if (jacobians != null) {
            facts.put(
                    "Jacobians",
                    jacobians.origin() + (jacobians.prompts() > 0 ? ", over " + jacobians.prompts() + " prompts" : ""));
        }
        ReportPage page = Reports.page(job, "Lens", "What the vocabulary reads from the stream at every site", facts)
                .chart(new LineChart(
                        "Rank of " + word + " by depth",
                        "At token \"" + job.labels().get(job.position())
                                + "\". Rank 1 is the most probable of all tokens. Logarithmic.",
                        "depth",
                        "rank",
                        false,
                        true,
                        readings.entrySet().stream().map(this::series).toList()));
        readings.forEach((name, reading) -> page.chart(grid(name, reading, word)));
        page.table(
                "Rank and probability of " + word + " at token " + job.labels().get(job.position()) + ".",
                ranks.get(0),
                Tables.tail(ranks));
        job.report(page);
    }

    private LineChart.Series series(Map.Entry<String, LensReading> entry) {
        return new LineChart.Series(
                NAMES.get(entry.getKey()),
                lens.levels().stream().mapToDouble(level -> level.index() / 2.0).toArray(),
                at(entry.getValue().ranks()));
    }

    private TokenGrid grid(String name, LensReading reading, String word) {
        int tokens = job.labels().size();
        int first = Math.max(0, tokens - MOST_COLUMNS);
        double[][] ranks = reading.ranks();
        List<List<TokenGrid.Cell>> cells = new ArrayList<>();
        for (int r = 0; r < lens.levels().size(); r++) {
            List<TokenGrid.Cell> row = new ArrayList<>();
            for (int t = first; t < tokens; t++) {
                row.add(reading.reads(r) ? cell(reading.top(r, t), ranks[r][t], word) : TokenGrid.Cell.empty());
            }
            cells.add(row);
        }
        String how = name.equals("logit")
                ? "The last norm and the output matrix are applied to the stream at each site as if it were the last depth's."
                : "The stream at each site is brought to the last depth by the averaged Jacobian of its depth; then the last"
                        + " norm and the output matrix are applied. Depths without a Jacobian are empty.";
        return new TokenGrid(
                name.equals("logit") ? "Logit lens" : NAMES.get(name),
                how + " The word is the most probable token there, its colour that token's probability."
                        + (first > 0 ? " The last " + MOST_COLUMNS + " tokens are shown." : ""),
                lens.levels().stream().map(level -> "depth " + level).toList(),
                job.labels().subList(first, tokens),
                cells,
                "probability",
                "the most probable token is " + word);
    }

    private TokenGrid.Cell cell(List<LensToken> top, double rank, String word) {
        List<String> detail = new ArrayList<>();
        for (LensToken token : top) {
            detail.add(Numbers.format("%.3f", token.probability()) + "  " + TokenLabels.visible(token.text()));
        }
        detail.add("rank of " + word + ": " + Numbers.format("%.0f", rank));
        String text = TokenLabels.visible(top.get(0).text());
        return new TokenGrid.Cell(
                text.codePointCount(0, text.length()) > SHOWN_LETTERS
                        ? text.substring(0, text.offsetByCodePoints(0, SHOWN_LETTERS - 1)) + "\u2026"
                        : text,
                Math.min(1, top.get(0).probability()),
                top.get(0).id() == lens.chosen(),
                detail);
    }
}
