package dev.greenfield.transfer;

import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the sites that lead in one model do in another: the n sites of largest predicted change in A, at the same tokens and relative
 * depths of B, beside B's own leading sites and random ones, as many of each. Only sites above depth 0 and below the last depth count: at
 * depth 0 the word that differs is the whole displacement, at the last depth F's token is the whole answer, in whatever model.
 *
 * @param sites the sites in B, at most n: two sites of A may come to the same one
 * @param carried what A's sites do in B
 * @param own what B's own leading sites do
 * @param random the mean over draws of random sites
 */
public record SiteTransfer(List<Site> sites, Carried carried, Carried own, Carried random) {
    private static final int DRAWS = 10;

    /**
     * What a set of sites does.
     *
     * @param share sum of the sizes of their single patch effects, as a fraction of that sum over all inner sites
     * @param together fraction of the full change that they achieve replaced together
     */
    public record Carried(double share, double together) {}

    /** Copies the list. */
    public SiteTransfer {
        sites = List.copyOf(sites);
    }

    /**
     * Of the same pair of prompts in two models.
     *
     * @param n how many sites of A
     * @param seed of the random sites
     */
    public static SiteTransfer of(DisplacementTransfer a, DisplacementTransfer b, int n, long seed) {
        RelativeDepths depths = new RelativeDepths(a.layers(), b.layers());
        List<Site> inner = b.inner(b.sites());
        List<Site> mapped = a.inner(a.ranked(Ranking.PREDICTED)).stream()
                .limit(n)
                .map(depths::inB)
                .distinct()
                .filter(inner::contains)
                .toList();
        int count = mapped.size();
        List<Carried> draws = Task.call(
                "random sites",
                "draws",
                DRAWS,
                task -> IntStream.range(0, DRAWS)
                        .mapToObj(i -> task.call(1, () -> carried(b, first(b.inner(b.shuffled(seed, i)), count))))
                        .toList());
        Carried random = new Carried(
                draws.stream().mapToDouble(Carried::share).average().orElseThrow(),
                draws.stream().mapToDouble(Carried::together).average().orElseThrow());
        return new SiteTransfer(
                mapped, carried(b, mapped), carried(b, first(b.inner(b.ranked(Ranking.PREDICTED)), count)), random);
    }

    private static Carried carried(DisplacementTransfer transfer, List<Site> sites) {
        return new Carried(share(transfer, sites), transfer.achieved(transfer.effects(List.of(sites), 1)[0]));
    }

    /** The sizes of these sites' single patch effects over those of all inner sites; NaN where those are all zero. */
    static double share(DisplacementTransfer transfer, List<Site> sites) {
        double[][] single = transfer.single();
        double all = sum(single, transfer.inner(transfer.sites()));
        return all == 0 ? Double.NaN : sum(single, sites) / all;
    }

    private static double sum(double[][] single, List<Site> sites) {
        return sites.stream()
                .mapToDouble(s -> Math.abs(single[s.depth()][s.token()]))
                .sum();
    }

    private static List<Site> first(List<Site> sites, int count) {
        return sites.subList(0, Math.min(count, sites.size()));
    }
}
