package dev.greenfield.prediction;

import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.PairMoments;
import dev.greenfield.statistics.PermutationTest;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;

/**
 * Agreement of predicted with measured changes over the prompts of a suite, each number with a bootstrap interval over prompts.
 *
 * @param prompts how many prompts have interventions that are not idle
 * @param sites how many such interventions all of them have together
 * @param compared how many of these the relative errors of single interventions are of
 * @param pearson over the interventions of all prompts together
 * @param pearsonWithin mean over prompts of the correlation within each
 * @param spearman likewise
 * @param rSquared over all together, against the identity line
 * @param slope of the line of least squares through all together, measured over predicted
 * @param relativeError sqrt(sum (p - m)^2 / sum m^2) over all together
 * @param signAgreement fraction of all whose sign is right
 * @param topOverlap mean over prompts; see {@link PredictionQuality#topOverlap}
 * @param medianRelativeError mean over prompts of the median within each
 * @param beyond10 fraction of those compared whose relative error is above 0.1
 * @param beyond20 likewise above 0.2
 * @param beyond50 likewise above 0.5
 * @param p of the correlation within prompts, by {@linkplain PermutationTest#within permutation}; NaN where it is not defined
 */
public record PredictionSummary(
        int prompts,
        long sites,
        long compared,
        Estimate pearson,
        Estimate pearsonWithin,
        Estimate spearman,
        Estimate rSquared,
        Estimate slope,
        Estimate relativeError,
        Estimate signAgreement,
        Estimate topOverlap,
        Estimate medianRelativeError,
        Estimate beyond10,
        Estimate beyond20,
        Estimate beyond50,
        double p) {

    /** Summarizes the prompts of one kind, component and method; those without an intervention that is not idle do not count. */
    public static PredictionSummary of(List<PredictionQuality> all, Bootstrap bootstrap) {
        List<PredictionQuality> prompts =
                all.stream().filter(q -> q.count() > 0).toList();
        return new PredictionSummary(
                prompts.size(),
                prompts.stream().mapToLong(PredictionQuality::count).sum(),
                prompts.stream().mapToLong(PredictionQuality::compared).sum(),
                pooled(prompts, bootstrap, PairMoments::pearson),
                mean(prompts, bootstrap, PredictionQuality::pearson),
                mean(prompts, bootstrap, PredictionQuality::spearman),
                pooled(prompts, bootstrap, PairMoments::rSquared),
                pooled(prompts, bootstrap, PairMoments::slope),
                pooled(prompts, bootstrap, PairMoments::relativeError),
                share(prompts, bootstrap, PredictionQuality::sameSign, PredictionQuality::signed),
                mean(prompts, bootstrap, PredictionQuality::topOverlap),
                mean(prompts, bootstrap, PredictionQuality::medianRelativeError),
                share(prompts, bootstrap, q -> q.beyond()[0], PredictionQuality::compared),
                share(prompts, bootstrap, q -> q.beyond()[1], PredictionQuality::compared),
                share(prompts, bootstrap, q -> q.beyond()[2], PredictionQuality::compared),
                PermutationTest.within(
                        prompts.stream().map(PredictionQuality::predicted).toList(),
                        prompts.stream().map(PredictionQuality::measured).toList(),
                        bootstrap.seed()));
    }

    private static Estimate pooled(
            List<PredictionQuality> prompts, Bootstrap bootstrap, ToDoubleFunction<PairMoments> number) {
        return bootstrap.of(prompts.size(), drawn -> {
            PairMoments sum = new PairMoments();
            for (int i : drawn) {
                sum.add(prompts.get(i).moments());
            }
            return number.applyAsDouble(sum);
        });
    }

    private static Estimate mean(
            List<PredictionQuality> prompts, Bootstrap bootstrap, ToDoubleFunction<PredictionQuality> number) {
        return bootstrap.mean(prompts.stream().mapToDouble(number).toArray());
    }

    private static Estimate share(
            List<PredictionQuality> prompts,
            Bootstrap bootstrap,
            ToIntFunction<PredictionQuality> part,
            ToIntFunction<PredictionQuality> whole) {
        int[] parts = prompts.stream().mapToInt(part).toArray();
        int[] wholes = prompts.stream().mapToInt(whole).toArray();
        return bootstrap.of(prompts.size(), drawn -> {
            long numerator = 0;
            long denominator = 0;
            for (int i : drawn) {
                numerator += parts[i];
                denominator += wholes[i];
            }
            return denominator == 0 ? Double.NaN : (double) numerator / denominator;
        });
    }
}
