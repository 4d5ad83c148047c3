package dev.greenfield.map;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.SiteGrid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

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
 *
 * <p>Held is a number for each pair that was asked for and can be nonzero, as float32 where the map is computed in that or less: of a
 * whole map a quarter. Arrays are made of it when they are asked for.
 */
public final class ResponseMap {
    /** Pairs up to which a text shows some of them: all are read for it. */
    private static final long MOST_READ = 1L << 24;

    private final MapPairs pairs;
    private final List<Site> places; // all sites, level by level
    private final boolean[] target; // by place
    private final double[] identity; // per source the norm at its own site
    private final PairValues norms;
    private final PairValues errors; // standard errors of the norms; null for an exact map
    private final ProjectionSums projections; // null when there are none

    ResponseMap(MapPairs pairs, double[] identity, PairValues norms, PairValues errors, ProjectionSums projections) {
        this.pairs = pairs;
        this.identity = identity;
        this.norms = norms;
        this.errors = errors;
        this.projections = projections;
        int layers = (pairs.cone().levels() - 1) / (pairs.halfDepths() ? 2 : 1);
        this.places = List.copyOf(all(layers, pairs.cone().tokens(), pairs.halfDepths()));
        this.target = new boolean[places.size()];
        pairs.targets().forEach(site -> target[pairs.level(site) * tokens() + site.token()] = true);
    }

    /** Number of levels: L + 1, or 2 L + 1 with half depths. */
    public int levels() {
        return pairs.cone().levels();
    }

    /** Number of tokens T. */
    public int tokens() {
        return pairs.cone().tokens();
    }

    /** Whether levels are half depths. */
    public boolean halfDepths() {
        return pairs.halfDepths();
    }

    /** Whether every number is exact rather than estimated. */
    public boolean exact() {
        return errors == null;
    }

    /** The sites that were asked for as sources, level by level. */
    public List<Site> sources() {
        return pairs.sources();
    }

    /** The sites that were asked for as targets, level by level. */
    public List<Site> targets() {
        return pairs.targets();
    }

    /** Every site at the map's levels, asked for or not, level by level: what the rows and columns of its arrays stand for. */
    public List<Site> places() {
        return places;
    }

    /** How many pairs of a source and a target that it can reach, itself left out, the map holds. */
    public long pairs() {
        return pairs.count();
    }

    /** |G(target &lt;- source)|; NaN where it was not asked for. */
    public double frobenius(Site source, Site target) {
        return number(source, target, norms);
    }

    /** The standard error of {@link #frobenius(Site, Site)}, to first order; 0 in an exact map. */
    public double standardError(Site source, Site target) {
        return number(source, target, errors);
    }

    private double number(Site source, Site target, PairValues values) {
        require(source);
        require(target);
        int number = pairs.source(source);
        int level = pairs.level(target);
        if (number < 0 || !this.target[level * tokens() + target.token()]) {
            return Double.NaN;
        }
        if (source.equals(target)) {
            return values == norms ? identity[number] : 0;
        }
        long at = pairs.at(number, pairs.level(source), source.token(), level, target.token());
        return at < 0 || values == null ? 0 : values.get(at);
    }

    private void require(Site site) {
        if (site.middle() && !halfDepths()) {
            throw new InputException("site " + site + " is at a half depth, this map has whole depths only");
        }
        if (pairs.level(site) >= levels() || site.token() >= tokens()) {
            throw new InputException(
                    "site " + site + " is not in this map of " + levels() + " levels and " + tokens() + " tokens");
        }
    }

    /**
     * The norms of the responses to a source, [levels, T]; NaN where they were not asked for. A large map is read source by source.
     *
     * @throws InputException when the map has no such site
     */
    public double[] frobenius(Site source) {
        double[] row = row(source, norms);
        int own = pairs.level(source) * tokens() + source.token();
        if (pairs.source(source) >= 0 && target[own]) {
            row[own] = identity[pairs.source(source)];
        }
        return row;
    }

    /** The standard errors of {@link #frobenius(Site)}, in its order. */
    public double[] standardErrors(Site source) {
        return row(source, errors);
    }

    private double[] row(Site source, PairValues values) {
        require(source);
        int number = pairs.source(source);
        double[] row = new double[target.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = number >= 0 && target[i] ? 0 : Double.NaN;
        }
        if (number < 0 || values == null) {
            return row;
        }
        Cone cone = pairs.cone();
        int level = pairs.level(source);
        long at = pairs.start(number);
        for (int to = level + 1; to < levels(); to++) {
            int until = cone.until(level, source.token(), to);
            for (int t = cone.from(level, source.token(), to); t < until; t++) {
                if (target[to * tokens() + t]) {
                    row[to * tokens() + t] = values.get(at++);
                }
            }
        }
        return row;
    }

    /**
     * All norms, [levels, T, levels, T] in the order source level, source token, target level, target token.
     *
     * @throws MemoryBudgetException if no array is so long, or the heap has no room for it: {@link #frobenius(Site)} gives them source
     *     by source
     */
    public double[] frobenius() {
        return PairValues.dense("the whole map", places, this::frobenius);
    }

    /** All standard errors of {@link #frobenius()}, in its order. */
    public double[] standardErrors() {
        return PairValues.dense("the whole map", places, this::standardErrors);
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

    /** Of each source the norm of its response over all tokens of the last depth, [levels][T]; NaN where it was not asked for. */
    public double[][] reach() {
        int last = (levels() - 1) * tokens();
        double[][] reach = new double[levels()][tokens()];
        for (double[] row : reach) {
            Arrays.fill(row, Double.NaN);
        }
        for (Site source : sources()) {
            double[] norms = frobenius(source);
            double sum = 0;
            for (int to = 0; to < tokens(); to++) {
                sum += norms[last + to] * norms[last + to];
            }
            reach[pairs.level(source)][source.token()] = Math.sqrt(sum);
        }
        return reach;
    }

    /** The responses of the last depth to each source as a table in HTML, for notebooks. */
    public String toHtml() {
        return toHtml(List.of());
    }

    /** Likewise with what the tokens read, such as {@code run.tokenText()}. */
    public String toHtml(List<String> tokens) {
        Objects.requireNonNull(tokens, "tokens");
        return grid().html(summary(), tokens);
    }

    private SiteGrid grid() {
        return new SiteGrid("|G| from each site to the whole last depth", reach(), halfDepths());
    }

    private String summary() {
        return (exact() ? "exact" : "estimated") + " response map of " + levels() + " levels and " + tokens()
                + " tokens, " + (halfDepths() ? "half depths" : "whole depths");
    }

    /** What it is, and the responses of the last depth, as far as they are quick to read. */
    @Override
    public String toString() {
        return pairs() > MOST_READ ? summary() : summary() + "\n" + grid().text();
    }
}
