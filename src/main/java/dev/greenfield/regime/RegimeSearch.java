package dev.greenfield.regime;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SecondOrder;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SourceEffects;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures the linear regimes of many sources together: first all amplitudes of the grid with both signs, then in rounds one amplitude
 * for each radius that is not yet found. A round is one batched sweep over all sources.
 */
public final class RegimeSearch {
    /** Interpolation needs two or three; every third halves the bracket, so that these are enough in any case. */
    private static final int ROUNDS = 15;

    private static final int HALVE_EVERY = 3;
    /** Components of sources on the Java heap at a time: 64 MiB. */
    private static final long COMPONENTS_AT_ONCE = 1L << 23;

    private final Scope scope;
    private final Observable f;
    private final RegimeGrid grid;

    private RegimeSearch(Scope scope, Observable f, RegimeGrid grid) {
        this.scope = scope;
        this.f = f;
        this.grid = grid;
    }

    /** One source at one amplitude. */
    private record Point(Source source, RegimeCurve curve, double sign, double amplitude) {}

    /** The two signs of a source. */
    private record Pair(Source source, RegimeCurve forward, RegimeCurve backward) {}

    /**
     * Measures sources, all of them together.
     *
     * @param sources J, each with the length that amplitudes are relative to
     * @return in the order of the sources
     * @throws dev.greenfield.failure.InputException if a site or a length is not the run's
     */
    public static List<LinearRegime> compute(Scope scope, Observable f, List<Source> sources, RegimeGrid grid) {
        return new RegimeSearch(scope, f, grid).compute(sources);
    }

    /** Counts the sweeps over all sources: two for second derivatives, two an amplitude, and the rounds. */
    private List<LinearRegime> compute(List<Source> sources) {
        int sweeps = 2 + 2 * grid.amplitudes().length + ROUNDS;
        return Task.call("linear regimes", "sweeps", sweeps, task -> compute(sources, task));
    }

    private List<LinearRegime> compute(List<Source> sources, Task task) {
        double[] curvatures =
                task.call(2, () -> SecondOrder.compute(scope, f, sources).second());
        SensitivityField sensitivity = SensitivityField.compute(scope, f);
        RoundingNoise noise = RoundingNoise.of(scope.run(), sensitivity);
        List<Pair> pairs = new ArrayList<>();
        for (Source source : sources) {
            double slope = sensitivity.predict(source);
            pairs.add(new Pair(source, new RegimeCurve(slope, noise), new RegimeCurve(-slope, noise)));
        }
        task.run(2 * grid.amplitudes().length, () -> measureGrid(pairs));
        for (int round = 1; round <= ROUNDS; round++) {
            boolean halve = round % HALVE_EVERY == 0;
            List<Point> points = new ArrayList<>();
            for (Pair pair : pairs) {
                add(points, pair.source(), pair.forward(), 1, halve);
                add(points, pair.source(), pair.backward(), -1, halve);
            }
            if (points.isEmpty()) {
                break;
            }
            task.run(1, () -> measure(points));
        }
        List<LinearRegime> regimes = new ArrayList<>();
        for (int i = 0; i < sources.size(); i++) {
            Source source = sources.get(i);
            regimes.add(new LinearRegime(
                    source,
                    sensitivity.predict(source),
                    curvatures[i],
                    noise,
                    grid,
                    pairs.get(i).forward().over(grid),
                    pairs.get(i).backward().over(grid)));
        }
        return regimes;
    }

    private void measureGrid(List<Pair> pairs) {
        List<Point> points = new ArrayList<>();
        for (Pair pair : pairs) {
            for (double amplitude : grid.amplitudes()) {
                points.add(new Point(pair.source(), pair.forward(), 1, amplitude));
                points.add(new Point(pair.source(), pair.backward(), -1, amplitude));
            }
        }
        measure(points);
    }

    private void add(List<Point> points, Source source, RegimeCurve curve, double sign, boolean halve) {
        for (double tolerance : grid.tolerances()) {
            curve.next(tolerance, halve).ifPresent(a -> points.add(new Point(source, curve, sign, a)));
        }
    }

    private void measure(List<Point> points) {
        Task.run("amplitudes", "runs", points.size(), task -> {
            int from = 0;
            while (from < points.size()) {
                List<Source> scaled = new ArrayList<>();
                long components = 0;
                for (int i = from; i < points.size() && components < COMPONENTS_AT_ONCE; i++) {
                    Point point = points.get(i);
                    scaled.add(point.source().times(point.sign() * point.amplitude()));
                    components += (long) point.source().vectors().size()
                            * scope.config().width();
                }
                for (double change : task.call(scaled.size(), () -> SourceEffects.added(scope, f, scaled))) {
                    Point point = points.get(from++);
                    point.curve().put(point.amplitude(), change);
                }
            }
        });
    }
}
