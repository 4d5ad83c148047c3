package dev.greenfield.cli.show;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.Job;
import dev.greenfield.report.AttentionChart;
import dev.greenfield.report.ReportPage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The attention of a run: its tensor, a row of numbers a head, and the pictures of the page. */
public final class HeadPictures {
    private static final int SHOWN = 10;

    private final Job job;
    private final int blocks;
    private final int heads;
    private final List<Head> all = new ArrayList<>();

    /**
     * What one head looks at, as means over the queries after the first token, which sees itself alone; NaN where there are none.
     *
     * @param first at the first token
     * @param self at the query's own
     * @param previous at the token before
     * @param distance how many tokens back
     */
    private record Head(int block, int head, double first, double self, double previous, double distance) {
        double elsewhere() {
            return 1 - first - self;
        }

        Map<String, Object> toMap() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("block", block);
            map.put("head", head);
            map.put("first", first);
            map.put("self", self);
            map.put("previous", previous);
            map.put("distance", distance);
            return map;
        }

        static Head of(int block, int head, double[] patterns, int tokens) {
            double first = 0;
            double self = 0;
            double previous = 0;
            double distance = 0;
            for (int i = 1; i < tokens; i++) {
                int row = (head * tokens + i) * tokens;
                first += patterns[row];
                self += patterns[row + i];
                previous += patterns[row + i - 1];
                for (int j = 0; j < i; j++) {
                    distance += (i - j) * patterns[row + j];
                }
            }
            double n = tokens > 1 ? tokens - 1 : Double.NaN;
            return new Head(block, head, first / n, self / n, previous / n, distance / n);
        }
    }

    private HeadPictures(Job job) {
        this.job = job;
        this.blocks = job.model().config().layers();
        this.heads = job.model().config().heads();
    }

    /** Goes through the heads of a job's run, prints those that look elsewhere the most, and adds tensor and results. */
    public static HeadPictures of(Job job) {
        HeadPictures pictures = new HeadPictures(job);
        Run run = job.run();
        int tokens = run.tokens().length;
        for (int l = 0; l < pictures.blocks; l++) {
            int block = l;
            double[] patterns = job.timed("attention", () -> run.attention(block));
            for (int h = 0; h < pictures.heads; h++) {
                pictures.all.add(Head.of(l, h, patterns, tokens));
            }
        }
        if (job.writes()) {
            job.tensors()
                    .add(
                            "attention",
                            file -> {
                                for (int l = 0; l < pictures.blocks; l++) {
                                    file.write(run.attention(l));
                                }
                            },
                            pictures.blocks,
                            pictures.heads,
                            tokens,
                            tokens);
        }
        job.result("attention", pictures.all.stream().map(Head::toMap).toList());
        pictures.print();
        return pictures;
    }

    private void print() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("block", "head", "first token", "own token", "token before", "distance"));
        all.stream()
                .sorted(Comparator.comparingDouble(head -> Double.isNaN(head.first()) ? 1 : -head.elsewhere()))
                .limit(SHOWN)
                .forEach(head -> rows.add(List.of(
                        Integer.toString(head.block()),
                        Integer.toString(head.head()),
                        Numbers.three(head.first()),
                        Numbers.three(head.self()),
                        Numbers.three(head.previous()),
                        Numbers.three(head.distance()))));
        Tables.print(
                job.terminal(),
                "attention: the heads that look elsewhere than at the first token and their own the most, and what they"
                        + " give to each",
                rows);
    }

    /** Adds the pictures to a page. */
    public void addTo(ReportPage page) {
        page.chart(AttentionChart.of(
                "Attention of every head",
                "Probabilities of attention: queries down, keys across, colours by the square root. Rows sum to 1. A picture"
                        + " a head, the last block on top; the selected one is enlarged.",
                job.labels(),
                blocks,
                all.stream().mapToDouble(Head::elsewhere).toArray(),
                job.run()::attention));
    }
}
