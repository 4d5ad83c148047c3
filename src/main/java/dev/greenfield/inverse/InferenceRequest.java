package dev.greenfield.inverse;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * A wish about one run, and how to look for the source that fulfils it. Say what is wanted with {@link #change} (several times for
 * several observables) or {@link #displacement}, where sources may be with {@link #among}, how with {@link #leastNorm},
 * {@link #ridge} or {@link #sparse}, then {@link #solve}. Not for two threads at once.
 */
public final class InferenceRequest {
    /** The penalty by which few sites are chosen where none is given, relative to the largest singular value's square. */
    private static final double CHOOSING = 1e-3;

    private static final double RIDGE = 1e-4;
    private static final double GRADIENT = 1e-7;

    private final Scope scope;
    private final List<Observable> observables = new ArrayList<>();
    private final List<Double> changes = new ArrayList<>();
    private Source displacement;
    private List<Site> among;
    private Inference.Method method;
    private double lambda = Double.NaN;
    private int mostSites;
    private double tolerance = Double.NaN;
    private int mostSteps = 12;
    private int mostIterations = 200;

    /** A request about a run. */
    public InferenceRequest(Scope scope) {
        this.scope = scope;
    }

    /** Wants F to change by x, in the units of F. Called several times, all changes are wanted together. */
    public InferenceRequest change(Observable f, double x) {
        requireFinite("the wanted change", x);
        if (displacement != null) {
            throw new InputException(
                    "both a displacement and a change of an observable are wanted: ask for one of them");
        }
        scope.resolve(f); // refuses one that is not of this run
        observables.add(f);
        changes.add(x);
        return this;
    }

    /** Wants F to change by a fraction of its value in this run, such as 0.1 for a tenth more. */
    public InferenceRequest changeByFraction(Observable f, double fraction) {
        requireFinite("the wanted fraction", fraction);
        return change(f, fraction * scope.value(f));
    }

    /**
     * Wants the stream to move by given vectors, such as those to a donor's run.
     *
     * @param wanted per target site its displacement [D]
     */
    public InferenceRequest displacement(Source wanted) {
        if (!observables.isEmpty()) {
            throw new InputException(
                    "both a displacement and a change of an observable are wanted: ask for one of them");
        }
        scope.check(wanted);
        displacement = wanted;
        return this;
    }

    /**
     * Where sources may be. Unless said, every site at a whole depth below what is wanted that can move it: for observables, below the
     * last depth.
     */
    public InferenceRequest among(Collection<Site> sites) {
        sites.forEach(site -> scope.check("source site", site));
        among = List.copyOf(new LinkedHashSet<>(sites));
        return this;
    }

    /** The shortest source; the default for observables. */
    public InferenceRequest leastNorm() {
        method = Inference.Method.LEAST_NORM;
        return this;
    }

    /** The least of |misfit|^2 + lambda |J|^2, the default for displacements; lambda is 1e-4 unless {@link #lambda} says otherwise. */
    public InferenceRequest ridge() {
        method = Inference.Method.RIDGE;
        return this;
    }

    /** A source at this many sites at most, chosen by orthogonal group matching pursuit. */
    public InferenceRequest sparse(int sites) {
        if (sites < 1) {
            throw new InputException("a source at " + sites + " sites: expected at least 1");
        }
        method = Inference.Method.SPARSE;
        mostSites = sites;
        return this;
    }

    /** The penalty on |J|^2, relative to the square of the map's largest singular value; at least 0. */
    public InferenceRequest lambda(double penalty) {
        if (!(penalty >= 0) || Double.isInfinite(penalty)) {
            throw new InputException("lambda " + penalty + ": expected a number of at least 0");
        }
        lambda = penalty;
        return this;
    }

    /**
     * The misfit |wanted - achieved| / |wanted| at which to stop: 0.001 for observables and 0.01 for displacements unless said. Give the
     * noise level of a displacement that was measured with noise (the discrepancy principle).
     */
    public InferenceRequest tolerance(double misfit) {
        if (!(misfit > 0 && misfit < 1)) {
            throw new InputException("tolerance " + misfit + ": expected a number between 0 and 1");
        }
        tolerance = misfit;
        return this;
    }

    /** The misfit at which the search stops. */
    public double tolerance() {
        return Double.isNaN(tolerance) ? (displacement != null ? 1e-2 : 1e-3) : tolerance;
    }

    /** The most linearizations (12 unless said); 1 gives the first-order answer. */
    public InferenceRequest steps(int most) {
        mostSteps = requirePositive("steps", most);
        return this;
    }

    /** How many linearizations there are at most. */
    public int steps() {
        return mostSteps;
    }

    /** The most iterations of each least-squares problem of a displacement; 200 unless said. */
    public InferenceRequest iterations(int most) {
        mostIterations = requirePositive("iterations", most);
        return this;
    }

    private static int requirePositive(String what, int number) {
        if (number < 1) {
            throw new InputException(number + " " + what + ": expected at least 1");
        }
        return number;
    }

    private static void requireFinite(String what, double x) {
        if (!Double.isFinite(x)) {
            throw new InputException(what + " is " + x + ": expected a finite number");
        }
    }

    /**
     * Looks for the source.
     *
     * @throws InputException when nothing is wanted, or no allowed site can move what is wanted
     */
    public Inference solve() {
        return Task.call("inference", "tenths", 10, this::search);
    }

    /** A tenth each for the map and its scale, four each for the choice of sites and the search itself. */
    private Inference search(Task task) {
        if (observables.isEmpty() && displacement == null) {
            throw new InputException("nothing is wanted: ask for a change of an observable or a displacement");
        }
        boolean stream = displacement != null;
        Outputs outputs = stream
                ? new Outputs.Stream(List.copyOf(displacement.vectors().keySet()))
                : Outputs.Observables.of(scope, observables);
        double[] wanted = wanted();
        if (LeastSquares.norm(wanted) == 0) {
            throw new InputException("the wanted change is 0: no source is needed for it, ask for another change");
        }
        List<Site> sites = sites(outputs);
        Inference.Method how = method != null ? method : stream ? Inference.Method.RIDGE : Inference.Method.LEAST_NORM;
        double penalty = penalty(how, stream);
        double enough = tolerance();
        LeastSquares.Stop stop = new LeastSquares.Stop(enough, GRADIENT, mostIterations);
        Tangent around = task.call(1, () -> outputs.tangent(scope, sites));
        double unit = task.call(1, around::largestSquare);
        if (unit == 0) {
            throw new InputException("no source at the " + sites.size()
                    + " allowed sites changes what is wanted, to first order: allow other sites");
        }
        Tangent tangent = around;
        if (how == Inference.Method.SPARSE) {
            double choosing = unit * (penalty > 0 ? penalty : CHOOSING);
            // A wish of few numbers is fulfilled from one site; more of them make the source shorter.
            LeastSquares.Stop until = stream ? stop : new LeastSquares.Stop(0, GRADIENT, mostIterations);
            tangent =
                    around.at(task.call(4, () -> new GroupPursuit(around, wanted, choosing).choose(mostSites, until)));
        }
        Tangent chosen = tangent;
        Refinement.Found found = task.call(
                4,
                () -> new Refinement(scope, outputs, chosen.sites(), penalty * unit, stop, mostSteps)
                        .find(chosen, wanted));
        return new Inference(
                how,
                penalty,
                chosen.sites(),
                Refinement.at(chosen.sites(), found.source()),
                wanted,
                chosen.apply(found.source()),
                found.achieved(),
                found.steps(),
                found.end());
    }

    private double penalty(Inference.Method how, boolean stream) {
        if (how == Inference.Method.LEAST_NORM) {
            if (lambda > 0) {
                throw new InputException("lambda " + lambda + " with least norm: a penalty belongs to ridge or sparse");
            }
            return 0;
        }
        if (!Double.isNaN(lambda)) {
            return lambda;
        }
        return stream || how == Inference.Method.RIDGE ? RIDGE : 0;
    }

    private double[] wanted() {
        if (displacement == null) {
            return changes.stream().mapToDouble(Double::doubleValue).toArray();
        }
        return displacement.vectors().values().stream()
                .flatMapToDouble(Arrays::stream)
                .toArray();
    }

    private List<Site> sites(Outputs outputs) {
        List<Site> allowed = among;
        if (allowed == null) {
            allowed = new ArrayList<>();
            for (int l = 0; HalfDepth.ofDepth(l).isBelow(outputs.highest()); l++) {
                for (int t = 0; t < scope.length(); t++) {
                    allowed.add(Site.of(l, t));
                }
            }
        }
        List<Site> able = allowed.stream().filter(outputs::see).toList();
        if (able.isEmpty()) {
            throw new InputException(
                    "none of the " + allowed.size() + " allowed sites can move what is wanted: expected"
                            + " sites below it, at its token or, with an attention in between, before it");
        }
        return able;
    }
}
