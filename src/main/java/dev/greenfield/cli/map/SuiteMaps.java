package dev.greenfield.cli.map;

import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.map.MapStatistics;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ResponseMapChart;
import dev.greenfield.report.TokenLabels;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * The response maps of a suite on their way into one file: each is written as it comes, in the order of the prompts, and the
 * statistics of each length follow. Statistics are of the values as written, so that maps read back from files give the same bits.
 */
final class SuiteMaps {
    /** Pairs of all figures of a page together, of which causality leaves a quarter: about 12 MB. */
    private static final long MOST_PAIRS = 4 << 21;

    private static final int MOST_FIGURES = 12;

    /** Numbers of a map that computing one holds for each pair at most, 8 bytes each: norm, error, and what batches find of both. */
    private static final int WORKING_NUMBERS = 6;

    /** Pairs of all sites that one tensor may have: what its readers hold in an array. */
    private static final double MOST_DENSE = Integer.MAX_VALUE - 8.0;

    private final List<SuitePrompt> prompts;
    private final boolean halfDepths;
    private final int levels;
    private final boolean estimated;
    private final DType type;
    private final Map<Integer, MapStatistics> byLength = new TreeMap<>();

    /**
     * @param prompts in the order of the suite
     * @param levels of the maps: L + 1, or 2 L + 1 with half depths
     * @param estimated whether there are standard errors
     * @param type of the tensors
     */
    SuiteMaps(List<SuitePrompt> prompts, boolean halfDepths, int levels, boolean estimated, DType type) {
        this.prompts = prompts;
        this.halfDepths = halfDepths;
        this.levels = levels;
        this.estimated = estimated;
        this.type = type;
    }

    /**
     * Checks, before anything is computed, that Java's heap holds the statistics and a map in the making.
     *
     * @param heapBytes what Java may take
     */
    void requireHeap(long heapBytes) {
        double longest = 0;
        double need = 0;
        for (int length : SuiteJob.lengths(prompts).keySet()) {
            double all = Math.pow((double) levels * length, 2);
            if (all > MOST_DENSE) {
                throw new MemoryBudgetException(String.format(
                        Locale.ROOT,
                        "the map of a prompt of %d tokens has %.0f pairs of sites, those of a suite at most %.0f: use"
                                + " shorter prompts, or make the map of that prompt alone",
                        length,
                        all,
                        MOST_DENSE));
            }
            need += MapStatistics.bytes(levels, length);
            longest = Math.max(longest, MapStatistics.pairs(levels, length));
        }
        need += WORKING_NUMBERS * Double.BYTES * longest;
        if (need > heapBytes) {
            throw new MemoryBudgetException(
                    "mean and variance for each length of the suite and a map in the making take "
                            + MemoryBudgetException.amount((long) need) + " of Java's memory, which may be "
                            + MemoryBudgetException.amount(heapBytes)
                            + ": give Java more with -Xmx, or use shorter prompts or fewer lengths");
        }
    }

    /** Declares every tensor, in the order in which they are written. */
    void declare(SafetensorsWriter.Builder file) {
        for (SuitePrompt prompt : prompts) {
            file.tensor("map.frobenius." + prompt.number(), type, shape(prompt.length()));
            if (estimated) {
                file.tensor("map.stderr." + prompt.number(), type, shape(prompt.length()));
            }
        }
        SuiteJob.lengths(prompts).forEach((length, count) -> {
            file.tensor("map.mean." + length, type, shape(length));
            if (count > 1) {
                file.tensor("map.variance." + length, type, shape(length));
            }
        });
    }

    private long[] shape(int tokens) {
        return new long[] {levels, tokens, levels, tokens};
    }

    /**
     * Writes the map of the next prompt and takes it into the statistics.
     *
     * @param norms of source l T + t the norms at all sites, [levels, T]; rounded in place as the file rounds
     * @param errors likewise; not asked of an exact map
     */
    void write(SafetensorsWriter file, SuitePrompt prompt, IntFunction<double[]> norms, IntFunction<double[]> errors)
            throws IOException {
        MapStatistics statistics =
                byLength.computeIfAbsent(prompt.length(), length -> new MapStatistics(levels, length));
        try {
            statistics.add(source -> {
                double[] row = norms.apply(source);
                if (type == DType.F32) {
                    for (int i = 0; i < row.length; i++) {
                        row[i] = (float) row[i];
                    }
                }
                append(file, row);
                return row;
            });
        } catch (UncheckedIOException unwritten) {
            throw unwritten.getCause();
        }
        if (estimated) {
            rows(file, prompt.length(), errors);
        }
    }

    private static void append(SafetensorsWriter file, double[] row) {
        try {
            file.write(row);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void rows(SafetensorsWriter file, int tokens, IntFunction<double[]> rows) throws IOException {
        for (int source = 0; source < levels * tokens; source++) {
            file.write(rows.apply(source));
        }
    }

    /** Writes the statistics after the last map, and completes the file. */
    void finish(SafetensorsWriter file) throws IOException {
        for (Map.Entry<Integer, MapStatistics> entry : byLength.entrySet()) {
            rows(file, entry.getKey(), entry.getValue()::mean);
            if (entry.getValue().count() > 1) {
                rows(file, entry.getKey(), entry.getValue()::variance);
            }
        }
        file.commit();
    }

    /** The results of a finished suite for {@code result.json}. */
    Map<String, Object> results(Object options, String shard) {
        Map<String, Object> results = new LinkedHashMap<>();
        results.put("options", options);
        results.put("shard", shard);
        List<Map<String, Object>> lengths = new ArrayList<>();
        SuiteJob.lengths(prompts).forEach((length, count) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("tokens", length);
            entry.put("prompts", count);
            lengths.add(entry);
        });
        results.put("lengths", lengths);
        results.put("prompts", prompts.stream().map(SuitePrompt::toMap).toList());
        return results;
    }

    /** A page of the mean maps, as many as a page can hold, and of the prompts. */
    ReportPage report(Map<String, String> facts) {
        ReportPage page = new ReportPage(
                        "Response maps of a suite",
                        "How much every site of the residual stream responds to every other, over prompts")
                .facts(facts);
        List<Integer> left = new ArrayList<>();
        long pairs = 0;
        int shown = 0;
        List<Map.Entry<Integer, MapStatistics>> order = new ArrayList<>(byLength.entrySet());
        order.sort(Comparator.comparingLong(entry -> -entry.getValue().count()));
        for (Map.Entry<Integer, MapStatistics> entry : order) {
            long size = (long) Math.pow((double) levels * entry.getKey(), 2);
            if (pairs + size > MOST_PAIRS || shown == MOST_FIGURES) {
                left.add(entry.getKey());
                continue;
            }
            pairs += size;
            shown++;
            chart(page, entry.getKey(), entry.getValue());
        }
        if (!left.isEmpty()) {
            page.section(
                    "",
                    "Lengths whose mean maps this page has no room for, in tokens: "
                            + String.join(
                                    ", ", left.stream().map(String::valueOf).toList())
                            + ". Their means and variances are in the tensors.");
        }
        return page.table(
                "The prompts, by their numbers in the suite.",
                List.of("number", "tokens", "prompt"),
                SuiteJob.table(prompts));
    }

    private void chart(ReportPage page, int length, MapStatistics statistics) {
        long n = statistics.count();
        page.chart(
                "mean-response-" + length + "-tokens",
                new ResponseMapChart(
                        "Mean response over " + n + (n == 1 ? " prompt" : " prompts") + " of " + length + " tokens",
                        "Mean over prompts, aligned token by token, of the Frobenius norm of the Green operator from the selected"
                                + " source to each target. A token that is not the same in all prompts is shown as \u2026",
                        Sites.levels(levels, halfDepths),
                        labels(length),
                        (level, token) -> statistics.mean(level * length + token),
                        "mean |G|"));
    }

    /** What the tokens of a length read where all prompts agree. */
    private List<String> labels(int length) {
        List<String> common = null;
        for (SuitePrompt prompt : prompts) {
            if (prompt.length() != length) {
                continue;
            }
            if (common == null) {
                common = new ArrayList<>(prompt.tokenText());
            }
            for (int t = 0; t < length; t++) {
                if (!common.get(t).equals(prompt.tokenText().get(t))) {
                    common.set(t, "\u2026");
                }
            }
        }
        return TokenLabels.of(common);
    }
}
