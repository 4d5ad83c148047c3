package dev.greenfield.regime;

import dev.greenfield.regime.LinearRegime.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.commons.statistics.descriptive.Median;

/**
 * How often the reliability flag is right: radii predicted from F' and F'' against measured ones, and its verdict at each amplitude
 * against what was seen there. Sources of several runs may be pooled if their grids are the same.
 *
 * @param tolerance q
 * @param factor predicted radii within this factor of the measured agree
 * @param sources how many sources have a predicted radius and a measured one, or a bound of it
 * @param agree of these, how many agree: times or divided by the factor, the prediction is within what is known of the measured
 * @param found how many sources have a measured radius that is more than a bound
 * @param foundAgree of these, how many agree
 * @param medianRatio median over these of predicted / measured; NaN where there are none
 * @param amplitudes the verdicts, by amplitude
 */
public record FlagAgreement(
        double tolerance,
        double factor,
        int sources,
        int agree,
        int found,
        int foundAgree,
        double medianRatio,
        List<AtAmplitude> amplitudes) {
    /** Copies the list. */
    public FlagAgreement {
        amplitudes = List.copyOf(amplitudes);
    }

    /**
     * Verdicts at one amplitude, on the sources whose change was large enough to say.
     *
     * @param amplitude of both signs
     * @param sources how many
     * @param reliable how many of them are within the tolerance, as measured
     * @param agree how many the flag says right
     * @param falselyReliable how many it calls reliable that are off
     */
    public record AtAmplitude(double amplitude, int sources, int reliable, int agree, int falselyReliable) {
        /** The part of the sources that the flag says right; NaN where there are none. */
        public double rate() {
            return sources == 0 ? Double.NaN : (double) agree / sources;
        }

        /** How many it calls unreliable that are within the tolerance. */
        public int falselyUnreliable() {
            return sources - agree - falselyReliable;
        }
    }

    /**
     * Compares.
     *
     * @param regimes measured on one grid
     * @param i number of the tolerance in it
     * @param factor at least 1
     */
    public static FlagAgreement of(List<LinearRegime> regimes, int i, double factor) {
        if (regimes.isEmpty()) {
            throw new IllegalArgumentException("no regimes to compare");
        }
        RegimeGrid grid = regimes.get(0).grid();
        double tolerance = grid.tolerances()[i];
        int sources = 0;
        int agree = 0;
        int foundAgree = 0;
        List<Double> ratios = new ArrayList<>();
        for (LinearRegime regime : regimes) {
            double predicted = regime.predictedRadius(tolerance);
            Radius measured = regime.radius(i);
            if (Double.isNaN(predicted) || measured.kind() == Radius.Kind.UNKNOWN) {
                continue;
            }
            boolean right = measured.agrees(predicted, factor);
            sources++;
            agree += right ? 1 : 0;
            if (measured.kind() == Radius.Kind.FOUND) {
                ratios.add(predicted / measured.value());
                foundAgree += right ? 1 : 0;
            }
        }
        List<AtAmplitude> verdicts = new ArrayList<>();
        for (int a = 0; a < grid.amplitudes().length; a++) {
            verdicts.add(verdicts(regimes, a, tolerance));
        }
        double[] sorted = ratios.stream().mapToDouble(Double::doubleValue).toArray();
        return new FlagAgreement(
                tolerance,
                factor,
                sources,
                agree,
                sorted.length,
                foundAgree,
                sorted.length == 0 ? Double.NaN : Median.withDefaults().evaluate(sorted),
                verdicts);
    }

    /**
     * The amplitude at which the flag is right least often. Far from the radii any flag is right; this is how good it is near them.
     *
     * @return empty where nothing could be measured at any amplitude
     */
    public Optional<AtAmplitude> worst() {
        return amplitudes.stream().filter(at -> at.sources() > 0).min(Comparator.comparingDouble(AtAmplitude::rate));
    }

    private static AtAmplitude verdicts(List<LinearRegime> regimes, int a, double tolerance) {
        int sources = 0;
        int reliable = 0;
        int agree = 0;
        int falselyReliable = 0;
        double amplitude = regimes.get(0).grid().amplitudes()[a];
        for (LinearRegime regime : regimes) {
            Verdict verdict = regime.verdict(a, tolerance);
            if (verdict == Verdict.NOT_MEASURABLE || Double.isNaN(regime.predictedRadius(tolerance))) {
                continue;
            }
            boolean within = verdict == Verdict.WITHIN;
            boolean flag = regime.reliable(amplitude, tolerance);
            sources++;
            reliable += within ? 1 : 0;
            agree += within == flag ? 1 : 0;
            falselyReliable += flag && !within ? 1 : 0;
        }
        return new AtAmplitude(amplitude, sources, reliable, agree, falselyReliable);
    }
}
