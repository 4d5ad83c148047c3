package dev.greenfield.statistics;

import org.apache.commons.statistics.ranking.NaturalRanking;

/** Spearman's rank correlation. */
public final class RankCorrelation {
    private RankCorrelation() {}

    /** Of pairs of numbers, equal numbers sharing their mean rank; NaN for fewer than two pairs, or where one side is constant. */
    public static double spearman(double[] a, double[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(a.length + " and " + b.length + " values");
        }
        if (a.length < 2) {
            return Double.NaN;
        }
        NaturalRanking ranking = new NaturalRanking();
        return PairMoments.of(ranking.apply(a), ranking.apply(b)).pearson();
    }
}
