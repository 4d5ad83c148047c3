package dev.greenfield.response;

import dev.greenfield.backend.MemoryBudgetException;
import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.InputException;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * One number for every pair of sites: the Frobenius norm of the Green operator G(target &lt;- source), the D x D matrix
 * dR[target] / dR[source]. It is exactly zero unless the target is at or after the source in depth and in token, and the square root
 * of D at the source itself, where G is the identity.
 *
 * <p>Exact maps push all D directions of a site through the model. Estimates push k random directions z with E[z z'] = 1: |G z|^2 is
 * then an unbiased estimate of |G|^2 (Hutchinson, Comm. Stat. Simul. 19, 1990), and its spread over the k directions gives the
 * standard error.
 *
 * <p>Levels are depths 0 to L, or with half depths 0, 1/2, 1 to L. Pairs that were not asked for are NaN.
 */
public final class ResponseMap {
    private final Linearization run;
    private final boolean halfDepths;
    private final double[] squares; // [levels, T, levels, T]
    private final double[] errors; // likewise, standard errors of the squares; null for an exact map

    ResponseMap(Linearization run, boolean halfDepths, double[] squares, double[] errors) {
        this.run = run;
        this.halfDepths = halfDepths;
        this.squares = squares;
        this.errors = errors;
    }

    /** From which side the map is computed. Both give the same map; a side's cost is the rows that it pushes. */
    public enum Mode {
        /** The cheaper of the two. */
        AUTO,
        /** Tangents from each source upward: cheap for few sources. */
        FORWARD,
        /** Cotangents from each target downward: cheap for few targets. */
        ADJOINT
    }

    /** Number of levels: L + 1, or 2 L + 1 with half depths. */
    public int levels() {
        return (halfDepths ? 2 : 1) * run.model().config().layers() + 1;
    }

    /** Number of tokens T. */
    public int tokens() {
        return run.length();
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
        int level = halfDepths ? site.halfDepth() : site.depth();
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

    /** A map that is being asked for: what it is of, and how it is computed. */
    public static final class Request {
        private final Linearization run;
        private final LongSupplier budget;
        private int probes = 16;
        private boolean gaussian;
        private long seed;
        private boolean halfDepths;
        private Mode mode = Mode.AUTO;
        private Collection<Site> sources;
        private Collection<Site> targets;

        /** A map of a run, to be computed within a memory budget. */
        public Request(Linearization run, LongSupplier budget) {
            this.run = run;
            this.budget = budget;
        }

        /** Estimates from {@code k} random directions a site, at least 2; 16 when nothing else is asked for. */
        public Request probes(int k) {
            if (k < 2) {
                throw new InputException(k + " probes: expected at least 2, since a standard error needs them");
            }
            probes = k;
            return this;
        }

        /** Takes normal numbers for the directions instead of random signs, whose estimates vary less. */
        public Request gaussian() {
            gaussian = true;
            return this;
        }

        /** All D directions of each site: no estimate. */
        public Request exact() {
            probes = 0;
            return this;
        }

        /** The seed of the random directions; the same seed gives the same directions however the work is cut. */
        public Request seed(long value) {
            seed = value;
            return this;
        }

        /** Half depths as well, between the attention and the MLP of each block. */
        public Request halfDepths() {
            halfDepths = true;
            return this;
        }

        /** Forward, adjoint or, when nothing is said, the cheaper of the two. */
        public Request mode(Mode wanted) {
            mode = wanted;
            return this;
        }

        /** Only these sources; all when nothing is said. */
        public Request sources(Collection<Site> sites) {
            sources = checked(sites);
            return this;
        }

        /** Only these targets; all when nothing is said. */
        public Request targets(Collection<Site> sites) {
            targets = checked(sites);
            return this;
        }

        private Collection<Site> checked(Collection<Site> sites) {
            int top = 2 * run.model().config().layers();
            for (Site site : sites) {
                if (site.halfDepth() > top || site.token() >= run.length()) {
                    throw new InputException("site " + site + " is not in this run: expected a depth of at most "
                            + top / 2 + " and a token from 0 to " + (run.length() - 1));
                }
            }
            if (sites.isEmpty()) {
                throw new InputException("no sites: a map needs at least one source and one target");
            }
            return List.copyOf(sites);
        }

        /** Every site of the map, level by level. */
        private List<Site> all() {
            List<Site> sites = new ArrayList<>();
            for (int h = 0; h <= 2 * run.model().config().layers(); h += halfDepths ? 1 : 2) {
                for (int t = 0; t < run.length(); t++) {
                    sites.add(new Site(h / 2, h % 2 == 1, t));
                }
            }
            return sites;
        }

        /** How the map would be computed now, and what that would take. */
        public MapPlan plan() {
            return sweep().plan(mode, budget.getAsLong());
        }

        /** Computes the map. */
        public ResponseMap compute() {
            return sweep().compute(mode, budget.getAsLong());
        }

        private MapSweep sweep() {
            List<Site> every = all();
            if ((long) every.size() * every.size() > Integer.MAX_VALUE - 8) {
                throw new MemoryBudgetException("a map of " + every.size() + " sites has "
                        + (long) every.size() * every.size() + " pairs, one array holds " + (Integer.MAX_VALUE - 8)
                        + ": use a shorter prompt, or whole depths only");
            }
            List<Site> from = sources == null ? every : known(sources);
            List<Site> to = targets == null ? every : known(targets);
            return new MapSweep(run, halfDepths, from, to, new MapDirections(run, probes, gaussian, seed));
        }

        private List<Site> known(Collection<Site> sites) {
            List<Site> unique = sites.stream().distinct().toList();
            for (Site site : unique) {
                if (site.middle() && !halfDepths) {
                    throw new InputException("site " + site + " is at a half depth: ask for half depths as well");
                }
            }
            return unique;
        }
    }
}
