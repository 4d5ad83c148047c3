package dev.greenfield.transfer;

import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The displacement of a prompt pair in model A, carried to model B by affine maps and added there, at each depth g = 0 to G of the common
 * grid. All arrays are [G+1].
 *
 * <p>At a depth, either all tokens up to F's get their carried displacement, or one token alone: the one of largest predicted change in A,
 * so that nothing of B's own displacement is used. The control's vectors are scaled to the lengths of the carried ones. A map that is zero
 * adds nothing and achieves exactly 0 with cosine 0.
 *
 * @param cosine between carried and own displacement over all tokens of the depth up to F's
 * @param controlCosine likewise of the control
 * @param slice fraction of B's full change achieved by all tokens
 * @param controlSlice likewise of the control
 * @param tokens the single tokens
 * @param site fraction achieved at that token alone by the carried displacement
 * @param ownSite by B's own displacement there
 * @param controlSite by the control's
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record DirectionTransfer(
        double[] cosine,
        double[] controlCosine,
        double[] slice,
        double[] controlSlice,
        int[] tokens,
        double[] site,
        double[] ownSite,
        double[] controlSite) {
    private static final int SOURCES = 5;

    /**
     * Of the same pair of prompts in two models.
     *
     * @param maps fitted on other prompts
     * @param control the maps of a shuffled pairing
     */
    public static DirectionTransfer of(
            DisplacementTransfer a, DisplacementTransfer b, ResidualMaps maps, ResidualMaps control) {
        RelativeDepths depths = maps.depths();
        int n = depths.steps() + 1;
        int position = b.position();
        DirectionTransfer result = new DirectionTransfer(
                new double[n],
                new double[n],
                new double[n],
                new double[n],
                new int[n],
                new double[n],
                new double[n],
                new double[n]);
        List<Source> sources = new ArrayList<>();
        double[][] predicted = depths.onGrid(a.predicted());
        for (int g = 0; g < n; g++) {
            int depth = depths.depthInB(g);
            double[][] own = new double[position + 1][];
            for (int t = 0; t <= position; t++) {
                own[t] = b.displacement().vector(depth, t);
            }
            double[][] carried = maps.displacement(a.displacement(), g);
            double[][] other = control.displacement(a.displacement(), g);
            result.cosine[g] = cosine(carried, own);
            result.controlCosine[g] = cosine(other, own);
            for (int t = 0; t <= position; t++) {
                rescale(other[t], carried[t]);
            }
            int token = largest(predicted[g], position);
            result.tokens[g] = token;
            sources.add(slice(depth, carried, position));
            sources.add(slice(depth, other, position));
            for (double[][] vectors : List.of(carried, own, other)) {
                sources.add(Source.of(Site.of(depth, token), vectors[token]));
            }
        }
        double[] effects = b.effectsOf(sources);
        double[][] into = {result.slice, result.controlSlice, result.site, result.ownSite, result.controlSite};
        for (int i = 0; i < effects.length; i++) {
            into[i % SOURCES][i / SOURCES] = b.achieved(effects[i]);
        }
        return result;
    }

    private static Source slice(int depth, double[][] vectors, int position) {
        Map<Site, double[]> at = new LinkedHashMap<>();
        for (int t = 0; t <= position; t++) {
            at.put(Site.of(depth, t), vectors[t]);
        }
        return Source.of(at);
    }

    private static int largest(double[] values, int position) {
        int largest = position;
        for (int t = 0; t <= position; t++) {
            if (Math.abs(values[t]) > Math.abs(values[largest])) {
                largest = t;
            }
        }
        return largest;
    }

    private static double cosine(double[][] a, double[][] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int t = 0; t < b.length; t++) {
            ab += dot(a[t], b[t]);
            aa += dot(a[t], a[t]);
            bb += dot(b[t], b[t]);
        }
        return aa == 0 || bb == 0 ? 0 : ab / Math.sqrt(aa * bb);
    }

    private static void rescale(double[] vector, double[] like) {
        double length = Math.sqrt(dot(vector, vector));
        double factor = length == 0 ? 0 : Math.sqrt(dot(like, like)) / length;
        for (int i = 0; i < vector.length; i++) {
            vector[i] *= factor;
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
