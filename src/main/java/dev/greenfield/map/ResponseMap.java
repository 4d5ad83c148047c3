package dev.greenfield.map;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.List;

/**
 * One number for every pair of sites: the Frobenius norm of the Green operator G(target &lt;- source), the D x D matrix
 * dR[target] / dR[source]. It is exactly zero unless the target is at or after the source in depth and in token, and the square root
 * of D at the source itself, where G is the identity.
 *
 * <p>Exact maps push all D directions of a site through the model. Estimates push k random directions z with E[z z'] = 1: |G z|^2 is
 * then an unbiased estimate of |G|^2 (Hutchinson, Comm. Stat. Simul. 19, 1990), and its spread over the k directions gives the
 * standard error.
 *
 * <p>Of {@linkplain MapRequest#directions given directions}, the rows of B, the map holds |G B'| instead, and |B| at the source itself;
 * for orthonormal B that is the norm of G on their span.
 *
 * <p>Levels are depths 0 to L, or with half depths 0, 1/2, 1 to L. Pairs that were not asked for are NaN.
 */
public final class ResponseMap {
    private final int layers;
    private final int tokens;
    private final boolean halfDepths;
    private final double[] squares; // [levels, T, levels, T]
    private final double[] errors; // likewise, standard errors of the squares; null for an exact map
    private final ProjectionSums projections; // null when there are none

    ResponseMap(
            int layers, int tokens, boolean halfDepths, double[] squares, double[] errors, ProjectionSums projections) {
        this.layers = layers;
        this.tokens = tokens;
        this.halfDepths = halfDepths;
        this.squares = squares;
        this.errors = errors;
        this.projections = projections;
    }

    /** Number of levels: L + 1, or 2 L + 1 with half depths. */
    public int levels() {
        return (halfDepths ? 2 : 1) * layers + 1;
    }

    /** Number of tokens T. */
    public int tokens() {
        return tokens;
    }

    /** Whether levels are half depths. */
    public boolean halfDepths() {
        return halfDepths;
    }

    /** Whether every number is exact rather than estimated. */
    public boolean exact() {
        return errors == null;
    }

    /** |G(target &lt;- source)|. */
    public double frobenius(Site source, Site target) {
        return Math.sqrt(squares[at(source, target)]);
    }

    /** The standard error of {@link #frobenius(Site, Site)}, to first order; 0 in an exact map. */
    public double standardError(Site source, Site target) {
        return errorOfRoot(at(source, target));
    }

    private double errorOfRoot(int at) {
        if (Double.isNaN(squares[at])) {
            return Double.NaN;
        }
        if (errors == null || errors[at] == 0) {
            return 0;
        }
        return errors[at] / (2 * Math.sqrt(squares[at]));
    }

    private int at(Site source, Site target) {
        return (level(source) * tokens() + source.token()) * levels() * tokens()
                + level(target) * tokens()
                + target.token();
    }

    private int level(Site site) {
        if (site.middle() && !halfDepths) {
            throw new InputException("site " + site + " is at a half depth, this map has whole depths only");
        }
        int level = site.halfDepth().number(halfDepths);
        if (level >= levels() || site.token() >= tokens()) {
            throw new InputException(
                    "site " + site + " is not in this map of " + levels() + " levels and " + tokens() + " tokens");
        }
        return level;
    }

    /** All norms, [levels, T, levels, T] in the order source level, source token, target level, target token. */
    public double[] frobenius() {
        double[] norms = new double[squares.length];
        for (int i = 0; i < norms.length; i++) {
            norms[i] = Math.sqrt(squares[i]);
        }
        return norms;
    }

    /** All standard errors of {@link #frobenius()}, in its order. */
    public double[] standardErrors() {
        double[] all = new double[squares.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = errorOfRoot(i);
        }
        return all;
    }

    /**
     * Responses along the vectors that {@link MapRequest#projections} named.
     *
     * @throws InputException when none were asked for
     */
    public Projections projections() {
        return read(false, "projections");
    }

    /**
     * The part of an observable's gradient at each source that passes through each target, G(target &lt;- source)'S[target]: the
     * projections on the sensitivity S that {@link MapRequest#gain} gave, vector 0 of every target.
     *
     * @throws InputException when it was not asked for
     */
    public Projections gain() {
        return read(true, "gain");
    }

    private Projections read(boolean gain, String what) {
        List<Site> places = all(layers, tokens, halfDepths);
        Projections found = projections == null ? null : new Projections(projections, gain, places);
        if (found == null || places.stream().allMatch(site -> found.vectors(site) == 0)) {
            throw new InputException("this map has no " + what + ": ask for it with the request's " + what);
        }
        return found;
    }

    /** Every site of the map, level by level. */
    static List<Site> all(int layers, int tokens, boolean halfDepths) {
        List<Site> sites = new ArrayList<>();
        for (HalfDepth level : HalfDepth.levels(layers, halfDepths)) {
            for (int t = 0; t < tokens; t++) {
                sites.add(Site.at(level, t));
            }
        }
        return sites;
    }

    @Override
    public String toString() {
        return (exact() ? "exact" : "estimated") + " response map of " + levels() + " levels and " + tokens()
                + " tokens, " + (halfDepths ? "half depths" : "whole depths");
    }
}
