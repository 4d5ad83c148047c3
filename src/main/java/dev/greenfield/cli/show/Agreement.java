package dev.greenfield.cli.show;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.job.Job;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.PairMoments;
import dev.greenfield.statistics.PermutationTest;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How predicted changes of one sweep agree with measured ones, over the sites where either is not zero. Sites where both are zero, mostly
 * because they must be, would only flatter the figures; how many they are is said.
 *
 * @param sites how many sites are compared
 * @param zero how many are not, because both numbers are zero
 * @param correlation Pearson's, with an interval over sites
 * @param rSquared against the line predicted = measured
 * @param slope of measured over predicted: 1.27 where changes are 27 % larger than predicted
 * @param missed the share missed, |measured - predicted| / |measured|
 * @param p of the correlation, by permutation of the sites
 */
public record Agreement(
        int sites, int zero, Estimate correlation, Estimate rSquared, Estimate slope, Estimate missed, double p) {
    /** What the numbers of a prediction p of measurements m are, for people. */
    public static final String DEFINITIONS = "R2 = 1 - sum (m - p)^2 / sum (m - mean m)^2, against the line m = p;"
            + " slope is that of the line of least squares of m over p; missed is |m - p| / |m|,"
            + " the root of sum (m - p)^2 / sum m^2";

    /** The same in a line below what is printed. */
    public static final String KEY =
            "R2 is against measured = predicted, slope of measured over predicted, missed |measured - predicted| / |measured|";

    /** Of points in a figure, for its caption; no correlation, which says nothing of sizes. */
    public static String ofPoints(double[] predicted, double[] measured) {
        PairMoments sums = PairMoments.of(predicted, measured);
        return "R2 against that line " + Numbers.three(sums.rSquared()) + ", slope " + Numbers.three(sums.slope())
                + ", share missed |m - p| / |m| " + Numbers.three(sums.relativeError());
    }

    /** Of two maps of one shape. */
    public static Agreement of(double[][] measured, double[][] predicted, long seed) {
        double[] m = Arrays.stream(measured).flatMapToDouble(Arrays::stream).toArray();
        double[] p = Arrays.stream(predicted).flatMapToDouble(Arrays::stream).toArray();
        int[] kept =
                IntStream.range(0, m.length).filter(i -> m[i] != 0 || p[i] != 0).toArray();
        double[] x = IntStream.of(kept).mapToDouble(i -> p[i]).toArray();
        double[] y = IntStream.of(kept).mapToDouble(i -> m[i]).toArray();
        return new Agreement(
                kept.length,
                m.length - kept.length,
                estimate(x, y, seed, PairMoments::pearson),
                estimate(x, y, seed, PairMoments::rSquared),
                estimate(x, y, seed, PairMoments::slope),
                estimate(x, y, seed, PairMoments::relativeError),
                PermutationTest.p(x, y, seed));
    }

    private static Estimate estimate(double[] x, double[] y, long seed, ToDoubleFunction<PairMoments> number) {
        return new Bootstrap(Bootstrap.RESAMPLES, seed).of(x.length, drawn -> {
            double[] a = IntStream.of(drawn).mapToDouble(i -> x[i]).toArray();
            double[] b = IntStream.of(drawn).mapToDouble(i -> y[i]).toArray();
            return number.applyAsDouble(PairMoments.of(a, b));
        });
    }

    /** For people: {@code R2 0.812, slope 1.27, missed 27.0 %, correlation 0.9999}. */
    public String shown() {
        return "R2 " + Numbers.format("%.4f", rSquared.value()) + ", slope " + Numbers.format("%.4f", slope.value())
                + ", missed " + Numbers.format("%.1f %%", 100 * missed.value())
                + ", correlation " + Numbers.format("%.4f", correlation.value());
    }

    /** For people: over which sites. */
    public String over(String places) {
        return "over the " + sites + " " + places + " where either is not zero (" + zero + " where both are left out)";
    }

    /** For a chart's caption. */
    public String caption() {
        return "R2 against that line " + three(rSquared) + ", slope of measured m over predicted p " + three(slope)
                + ", share missed |m - p| / |m| " + three(missed) + ", correlation "
                + three(correlation) + " (intervals of 95 % over " + sites + " sites; p by permutation "
                + Numbers.three(p) + "). " + DEFINITIONS + ". Left out: " + zero + " sites where both are zero.";
    }

    private static String three(Estimate estimate) {
        return Numbers.interval(estimate, Numbers::three);
    }

    /** Adds {@code correlation}, a number, and {@code agreement}, the whole, to the results. */
    public void addTo(Job job, String suffix) {
        job.result("correlation" + suffix, correlation.value());
        job.result("agreement" + suffix, toMap());
    }

    /** For {@code result.json}. */
    private Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("sites", sites);
        map.put("zero", zero);
        map.put("correlation", Numbers.fields(correlation));
        map.put("r_squared", Numbers.fields(rSquared));
        map.put("slope", Numbers.fields(slope));
        map.put("relative_error", Numbers.fields(missed));
        map.put("permutation_p", p);
        return map;
    }
}
