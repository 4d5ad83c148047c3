package dev.greenfield.inverse;

import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A source that was inferred from a wish, what first order says that it changes, and what it does change. Immutable. Outputs are
 * those of the wish, [m]: observables in their order, or the stream at the target sites, D numbers each.
 */
public final class Inference {
    /** How sources were looked for. */
    public enum Method {
        /** The shortest source that does what is wanted. */
        LEAST_NORM,
        /** A compromise between the misfit and the length of the source. */
        RIDGE,
        /** A source at few sites. */
        SPARSE
    }

    /** Why the search ended. */
    public enum End {
        /** The achieved change is within the tolerance of the wanted one. */
        REACHED,
        /** A penalized search that another step would hardly improve. */
        SETTLED,
        /** No step in the last direction came closer. */
        STALLED,
        /** The steps that were allowed are used up. */
        STEPS
    }

    /**
     * The state after one linearization.
     *
     * @param norm length of the source
     * @param misfit |wanted - achieved| / |wanted|, measured
     * @param along the achieved change along the wanted one, &lt;wanted, achieved&gt; / |wanted|
     * @param iterations of the least-squares solution; 1 where it is closed
     * @param fraction of the step that was taken, halved until it came closer
     */
    public record Step(double norm, double misfit, double along, int iterations, double fraction) {}

    private final Method method;
    private final double lambda;
    private final Source source;
    private final List<Site> sites;
    private final double[] wanted;
    private final double[] predicted;
    private final double[] achieved;
    private final List<Step> steps;
    private final End end;

    Inference(
            Method method,
            double lambda,
            List<Site> sites,
            Source source,
            double[] wanted,
            double[] predicted,
            double[] achieved,
            List<Step> steps,
            End end) {
        this.method = method;
        this.lambda = lambda;
        this.sites = List.copyOf(sites);
        this.source = source;
        this.wanted = wanted;
        this.predicted = predicted;
        this.achieved = achieved;
        this.steps = List.copyOf(steps);
        this.end = end;
    }

    /** How it was looked for. */
    public Method method() {
        return method;
    }

    /** The penalty on the square of the source's length, relative to the square of the largest singular value; 0 for none. */
    public double lambda() {
        return lambda;
    }

    /** The source: one vector [D] at each of its sites. */
    public Source source() {
        return source;
    }

    /** The source's sites: as they were allowed, or best first where few were chosen. */
    public List<Site> sites() {
        return sites;
    }

    /** The vectors of the source, one row a site, [n][D]. */
    public double[][] vectors() {
        Map<Site, double[]> vectors = source.vectors();
        return sites.stream().map(site -> vectors.get(site).clone()).toArray(double[][]::new);
    }

    /** The wanted change of the outputs, [m]. */
    public double[] wanted() {
        return wanted.clone();
    }

    /** What the source changes by the first order of the run without it, [m]. */
    public double[] predicted() {
        return predicted.clone();
    }

    /** What the source changes, measured with it in the run, [m]. */
    public double[] achieved() {
        return achieved.clone();
    }

    /** |wanted - achieved| / |wanted|. */
    public double misfit() {
        return misfit(achieved);
    }

    /** |wanted - predicted| / |wanted|. */
    public double predictedMisfit() {
        return misfit(predicted);
    }

    private double misfit(double[] change) {
        double[] rest = wanted.clone();
        LeastSquares.add(rest, -1, change);
        return LeastSquares.norm(rest) / LeastSquares.norm(wanted);
    }

    /** The part of a change of the outputs [m] that lies along the wanted one, &lt;wanted, change&gt; / |wanted|; signed. */
    public double along(double[] change) {
        return LeastSquares.dot(wanted, change) / LeastSquares.norm(wanted);
    }

    /** Each linearization in turn; the first is that of the run itself, so that its source is the first-order answer. */
    public List<Step> steps() {
        return steps;
    }

    /** Why the search ended. */
    public End end() {
        return end;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s, misfit %.3g after %d %s (%s)",
                source,
                misfit(),
                steps.size(),
                steps.size() == 1 ? "step" : "steps",
                end.name().toLowerCase(Locale.ROOT));
    }
}
