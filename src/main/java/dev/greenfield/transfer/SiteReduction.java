package dev.greenfield.transfer;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How much of a displacement's effect on F its first n sites carry, n = 1 to N, for one order of the sites. All arrays are [N]. Only
 * sites above depth 0 and below the last depth count: the word that differs is the whole displacement at depth 0, and F's token is all
 * that is read of the last depth.
 *
 * @param share sum of the sizes of the n sites' single patch effects, as a fraction of the sum over all inner sites
 * @param together fraction of the full change achieved with the n sites replaced by the donor's in one run
 * @param added likewise with the n displacements added in one run: where sites are downstream of each other they count twice
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record SiteReduction(double[] share, double[] together, double[] added) {
    private static final int DRAWS = 10;

    /**
     * Of the sites in the order of a ranking.
     *
     * @param most N; as many as there are inner sites if those are fewer
     */
    public static SiteReduction of(DisplacementTransfer transfer, Ranking by, int most) {
        return of(transfer, transfer.inner(transfer.ranked(by)), most);
    }

    /**
     * The control: the mean over draws of sites in random order.
     *
     * @param seed of the draws
     */
    public static SiteReduction random(DisplacementTransfer transfer, int most, long seed) {
        List<SiteReduction> draws = Task.call(
                "random sites",
                "draws",
                DRAWS,
                task -> IntStream.range(0, DRAWS)
                        .mapToObj(i ->
                                task.call(1, () -> of(transfer, transfer.inner(transfer.shuffled(seed, i)), most)))
                        .toList());
        int n = draws.get(0).share.length;
        SiteReduction mean = new SiteReduction(new double[n], new double[n], new double[n]);
        for (SiteReduction draw : draws) {
            for (int i = 0; i < n; i++) {
                mean.share[i] += draw.share[i] / DRAWS;
                mean.together[i] += draw.together[i] / DRAWS;
                mean.added[i] += draw.added[i] / DRAWS;
            }
        }
        return mean;
    }

    private static SiteReduction of(DisplacementTransfer transfer, List<Site> order, int most) {
        if (most < 1) {
            throw new InputException("the " + most + " leading sites: expected 1 or more");
        }
        if (order.isEmpty()) {
            throw new InputException("there is no site between the first and the last depth where the prompts differ"
                    + " as far as F can see: expected a model of 2 layers or more");
        }
        List<Site> sites = order.subList(0, Math.min(most, order.size()));
        List<List<Site>> parts = AmplitudeCurves.cumulative(new ArrayList<>(sites));
        return Task.call("site reduction", "sweeps", 3, task -> {
            task.call(1, transfer::single); // which the transfer keeps
            double[] share = parts.stream()
                    .mapToDouble(part -> SiteTransfer.share(transfer, part))
                    .toArray();
            return new SiteReduction(
                    share,
                    achieved(transfer, task.call(1, () -> transfer.effects(parts, 1))),
                    achieved(transfer, task.call(1, () -> transfer.addedEffects(parts, 1))));
        });
    }

    private static double[] achieved(DisplacementTransfer transfer, double[] effects) {
        return IntStream.range(0, effects.length)
                .mapToDouble(i -> transfer.achieved(effects[i]))
                .toArray();
    }
}
