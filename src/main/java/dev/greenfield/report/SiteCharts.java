package dev.greenfield.report;

import java.util.List;

/** Charts over depths (upward) and the prompt's tokens that several pages show. */
public final class SiteCharts {
    private SiteCharts() {}

    /**
     * The norms of a sensitivity.
     *
     * @param depths labels of the rows, [L+1]
     * @param tokens labels of the columns, [T]
     * @param norms |dF/dR|, [L+1][T]
     */
    public static HeatMap sensitivity(List<String> depths, List<String> tokens, double[][] norms) {
        return new HeatMap(
                "Norm of the sensitivity",
                "Euclidean norm of dF/dR[l][t]: the largest first-order change of F that a source of unit length at the"
                        + " site can cause. Exactly zero at tokens after F's position and, at the last depth, at every"
                        + " other token. Logarithmic colours.",
                depths,
                tokens,
                norms,
                HeatMap.Scale.LOG,
                "|dF/dR|");
    }
}
