package dev.greenfield.transfer;

import dev.greenfield.map.ResponseMap;

/**
 * One pair of prompts in two models: both models' sensitivities and response maps on the grid of {@link RelativeDepths}, how they agree,
 * and what the leading sites of A do in B.
 *
 * @param sensitivityA |S| of A on the grid, [G+1][T]
 * @param sensitivityB of B
 * @param mapA norms of A's response map on the grid, [G+1, T, G+1, T]
 * @param mapB of B
 * @param sensitivity agreement of the sensitivities
 * @param map agreement of the maps
 * @param sites what A's leading sites do in B
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record ScaleComparison(
        double[][] sensitivityA,
        double[][] sensitivityB,
        double[] mapA,
        double[] mapB,
        RankAgreement sensitivity,
        RankAgreement map,
        SiteTransfer sites) {
    /**
     * Compares.
     *
     * @param a the pair in model A
     * @param b the same tokens in model B
     * @param mapA response map of A's first run, of all sites at whole depths
     * @param mapB of B's
     * @param top how many leading sites of A
     * @param seed of the controls
     */
    public static ScaleComparison of(
            DisplacementTransfer a, DisplacementTransfer b, ResponseMap mapA, ResponseMap mapB, int top, long seed) {
        RelativeDepths depths = new RelativeDepths(a.layers(), b.layers());
        int tokens = a.own().tokens();
        double[][] sensitivityA = depths.onGrid(a.sensitivity().norms());
        double[][] sensitivityB = depths.onGrid(b.sensitivity().norms());
        double[] gridA = depths.onGrid(mapA.frobenius(), a.layers(), tokens);
        double[] gridB = depths.onGrid(mapB.frobenius(), b.layers(), tokens);
        return new ScaleComparison(
                sensitivityA,
                sensitivityB,
                gridA,
                gridB,
                RankAgreement.ofSensitivities(sensitivityA, sensitivityB, a.position(), seed),
                RankAgreement.ofMaps(gridA, gridB, depths.steps(), tokens, seed),
                SiteTransfer.of(a, b, top, seed));
    }
}
