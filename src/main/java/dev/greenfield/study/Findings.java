package dev.greenfield.study;

import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.commons.statistics.descriptive.Median;

/** Makes findings of a part's measures, with intervals over the prompts that have them. */
final class Findings {
    private final Claim claim;
    private final List<PromptPair> pairs = new ArrayList<>();
    private final List<Measures> measures = new ArrayList<>();
    private final Bootstrap bootstrap;
    private final List<Finding> found = new ArrayList<>();

    /**
     * @param claim that they belong to
     * @param table what was measured, by the prompt's number; prompts without anything are left out
     * @param seed of the resamples
     */
    Findings(Claim claim, List<PromptPair> all, Map<Integer, Measures> table, long seed) {
        this.claim = claim;
        this.bootstrap = new Bootstrap(Bootstrap.RESAMPLES, seed);
        for (PromptPair pair : all) {
            Measures one = table.get(pair.number());
            if (one != null && !one.values().isEmpty()) {
                pairs.add(pair);
                measures.add(one);
            }
        }
    }

    List<Finding> found() {
        return List.copyOf(found);
    }

    List<PromptPair> pairs() {
        return pairs;
    }

    List<Measures> measures() {
        return measures;
    }

    Bootstrap bootstrap() {
        return bootstrap;
    }

    double[] values(String name) {
        return measures.stream().mapToDouble(one -> one.number(name)).toArray();
    }

    private static double[] defined(double[] values) {
        return Arrays.stream(values).filter(v -> !Double.isNaN(v)).toArray();
    }

    void add(String metric, int n, Estimate estimate, Finding.Expectation expectation, String meaning) {
        found.add(new Finding(claim, metric, n, estimate, expectation, meaning));
    }

    /** The mean over prompts of a number of each. */
    void mean(String name, Finding.Expectation expectation, String meaning) {
        mean(name, values(name), expectation, meaning);
    }

    void mean(String metric, double[] values, Finding.Expectation expectation, String meaning) {
        double[] defined = defined(values);
        add(metric, defined.length, bootstrap.mean(defined), expectation, meaning);
    }

    /** The mean over prompts of the difference of two numbers of each. */
    void difference(String metric, String name, String minus, Finding.Expectation expectation, String meaning) {
        double[] a = values(name);
        double[] b = values(minus);
        double[] gaps = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            gaps[i] = a[i] - b[i];
        }
        mean(metric, gaps, expectation, meaning);
    }

    /** The median over prompts of a number of each, which may be infinite. */
    void median(String name, Finding.Expectation expectation, String meaning) {
        double[] defined = defined(values(name));
        Estimate estimate = bootstrap.of(defined.length, drawn -> {
            double[] sample = Arrays.stream(drawn).mapToDouble(i -> defined[i]).toArray();
            return sample.length == 0 ? Double.NaN : Median.withDefaults().evaluate(sample);
        });
        add(name, defined.length, estimate, expectation, meaning);
    }

    /** The sum over prompts of one count divided by that of another. */
    void share(String metric, String partName, String wholeName, Finding.Expectation expectation, String meaning) {
        double[] parts = values(partName);
        double[] wholes = values(wholeName);
        int[] counted =
                IntStream.range(0, parts.length).filter(i -> wholes[i] > 0).toArray();
        Estimate estimate = bootstrap.of(counted.length, drawn -> {
            double numerator = 0;
            double denominator = 0;
            for (int i : drawn) {
                numerator += parts[counted[i]];
                denominator += wholes[counted[i]];
            }
            return numerator / denominator;
        });
        add(metric, counted.length, estimate, expectation, meaning);
    }
}
