package dev.greenfield.inverse;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * From a wish to a source that does it in the run, not only to first order: Gauss-Newton steps, each linearized around the run with the
 * source so far in it (Nocedal and Wright, Numerical Optimization, 2006, section 10.3). With m(J) the measured change, A its derivative at
 * J and b = wanted - m(J) + A J, a step goes towards
 *
 * <p>J* = argmin |A J* - b|^2 + lambda |J*|^2,
 *
 * <p>which for lambda = 0 is the shortest source that to this order does what is wanted, and is halved until
 * |wanted - m|^2 + lambda |J|^2 falls. Where a whole step does not bring that down to a quarter, J* may lie where first order no longer
 * holds; then the shortest change of J that does what is left is tried too, and the better of the two is taken.
 */
final class Refinement {
    private static final int MOST_HALVINGS = 10;
    private static final double SETTLED = 1e-3;
    private static final double SOLVING_SHARE = 0.5; // of the work of a step, for its progress
    private static final double SHARE_LEFT = 0.1; // of what is left to do, enough for a step towards it

    private final Scope scope;
    private final Outputs outputs;
    private final List<Site> sites;
    private final double lambda;
    private final LeastSquares.Stop stop;
    private final int mostSteps;
    private final double[] plain; // outputs of the run itself

    /**
     * @param lambda the penalty itself, not relative to anything
     * @param stop of each least-squares problem; its misfit is also the tolerance of the search
     */
    Refinement(Scope scope, Outputs outputs, List<Site> sites, double lambda, LeastSquares.Stop stop, int mostSteps) {
        this.scope = scope;
        this.outputs = outputs;
        this.sites = sites;
        this.lambda = lambda;
        this.stop = stop;
        this.mostSteps = mostSteps;
        this.plain = outputs.values(scope);
    }

    /** What the search found. */
    // Handed over and read once, never compared.
    @SuppressWarnings("ArrayRecordComponent")
    record Found(double[] source, double[] achieved, List<Inference.Step> steps, Inference.End end) {}

    /** A source, and the run with it. */
    private final class Point implements AutoCloseable {
        final double[] source;
        final Scope around;
        final double[] change;

        Point(double[] source) {
            long need = Linearization.bytes(scope.model(), scope.length());
            if (need > scope.freeBytes()) {
                throw new MemoryBudgetException("a run with a source in it takes " + MemoryBudgetException.amount(need)
                        + ", the memory budget leaves " + MemoryBudgetException.amount(scope.freeBytes())
                        + ": " + Remedy.RAISE_MEMORY + " or close earlier runs");
            }
            this.source = source;
            this.around = scope.with(at(sites, source));
            try {
                this.change = outputs.values(around);
            } catch (RuntimeException | Error e) {
                around.close();
                throw e;
            }
            LeastSquares.add(change, -1, plain);
        }

        double misfit(double[] wanted) {
            return LeastSquares.norm(left(wanted)) / LeastSquares.norm(wanted);
        }

        double[] left(double[] wanted) {
            double[] left = wanted.clone();
            LeastSquares.add(left, -1, change);
            return left;
        }

        double objective(double[] wanted) {
            double[] left = left(wanted);
            return LeastSquares.dot(left, left) + lambda * LeastSquares.dot(source, source);
        }

        @Override
        public void close() {
            around.close();
        }
    }

    /**
     * Looks for the source.
     *
     * @param tangent around the run itself
     * @param wanted change of the outputs, not zero
     */
    Found find(Tangent tangent, double[] wanted) {
        return Task.call("refinement", "steps", mostSteps, task -> find(tangent, wanted, task));
    }

    private Found find(Tangent tangent, double[] wanted, Task task) {
        List<Inference.Step> steps = new ArrayList<>();
        Tangent around = tangent;
        Point here = null;
        try {
            double[] b = wanted.clone();
            double[] from = null; // the source so far; none at first
            double objective = LeastSquares.dot(wanted, wanted);
            while (true) {
                // Relative to b, the misfit that may be left of the wish.
                double enough = stop.misfit() / 2 * LeastSquares.norm(wanted) / LeastSquares.norm(b);
                LeastSquares.Solution solution = solve(around, b, enough, task);
                double fraction = 1;
                Point next = new Point(solution.x());
                if (here != null && !(next.objective(wanted) < objective / 4)) {
                    next = better(next, nearer(around, here, next, wanted), wanted);
                }
                double[] goal = next.source;
                while (!(next.objective(wanted) < objective) && fraction > Math.scalb(1.0, -MOST_HALVINGS)) {
                    next.close();
                    fraction /= 2;
                    next = new Point(between(from, goal, fraction));
                }
                if (!(next.objective(wanted) < objective)) {
                    next.close();
                    return end(here, steps, Inference.End.STALLED);
                }
                if (here != null) {
                    here.close();
                }
                here = next;
                steps.add(new Inference.Step(
                        LeastSquares.norm(here.source),
                        here.misfit(wanted),
                        LeastSquares.dot(wanted, here.change) / LeastSquares.norm(wanted),
                        solution.iterations(),
                        fraction));
                task.to(steps.size());
                if (here.misfit(wanted) <= stop.misfit()) {
                    return end(here, steps, Inference.End.REACHED);
                }
                double fell = 1 - here.objective(wanted) / objective;
                if (lambda > 0 && fell < SETTLED) {
                    return end(here, steps, Inference.End.SETTLED);
                }
                if (steps.size() >= mostSteps) {
                    return end(here, steps, Inference.End.STEPS);
                }
                objective = here.objective(wanted);
                around = outputs.tangent(here.around, sites);
                from = here.source;
                b = here.left(wanted);
                LeastSquares.add(b, 1, around.apply(from));
            }
        } finally {
            if (here != null) {
                here.close();
            }
        }
    }

    private LeastSquares.Solution solve(Tangent around, double[] b, double misfit, Task task) {
        LeastSquares.Stop until = new LeastSquares.Stop(misfit, stop.gradient(), stop.iterations());
        return task.call(SOLVING_SHARE, () -> around.solve(b, lambda, until));
    }

    /**
     * The source so far and the shortest change of it that to first order does what is left to do. The other point is closed when
     * this one cannot be had.
     */
    private Point nearer(Tangent around, Point here, Point other, double[] wanted) {
        try {
            double[] left = here.left(wanted);
            double[] goal = around.solve(
                            left, lambda, new LeastSquares.Stop(SHARE_LEFT, stop.gradient(), stop.iterations()))
                    .x();
            LeastSquares.add(goal, 1, here.source);
            return new Point(goal);
        } catch (RuntimeException | Error e) {
            other.close();
            throw e;
        }
    }

    /** The point of smaller objective; the other is closed. */
    private Point better(Point a, Point b, double[] wanted) {
        boolean first = a.objective(wanted) <= b.objective(wanted);
        (first ? b : a).close();
        return first ? a : b;
    }

    private Found end(Point here, List<Inference.Step> steps, Inference.End end) {
        return here == null
                ? new Found(
                        HostMemory.doubles(
                                "the source", sites.size(), scope.config().width()),
                        new double[plain.length],
                        steps,
                        end)
                : new Found(here.source, here.change, steps, end);
    }

    /** A point on the way from a source, or from none, to another. */
    private static double[] between(double[] from, double[] to, double fraction) {
        double[] point = to.clone();
        LeastSquares.scale(point, fraction);
        if (from != null) {
            LeastSquares.add(point, 1 - fraction, from);
        }
        return point;
    }

    /** The parts of a vector [n D] at their sites. */
    static Source at(List<Site> sites, double[] source) {
        int width = source.length / sites.size();
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        for (int i = 0; i < sites.size(); i++) {
            vectors.put(sites.get(i), Arrays.copyOfRange(source, i * width, (i + 1) * width));
        }
        return Source.of(vectors);
    }
}
