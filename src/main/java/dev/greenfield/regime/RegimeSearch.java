package dev.greenfield.regime;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.Cancellation;
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
final class RegimeSearch {
    /** Interpolation needs two or three; every third halves the bracket, so that these are enough in any case. */
    private static final int ROUNDS = 15;

    private static final int HALVE_EVERY = 3;
    /** Components of sources on the Java heap at a time: 64 MiB. */
    private static final long COMPONENTS_AT_ONCE = 1L << 23;

    private final Scope scope;
    private final Observable f;
    private final RegimeGrid grid;

    RegimeSearch(Scope scope, Observable f, RegimeGrid grid) {
        this.scope = scope;
        this.f = f;
        this.grid = grid;
    }

    /** One source at one amplitude. */
    private record Point(Source source, RegimeCurve curve, double sign, double amplitude) {}

    /** The two signs of a source. */
    private record Pair(Source source, RegimeCurve forward, RegimeCurve backward) {}

    List<LinearRegime> compute(List<Source> sources) {
        double[] curvatures = SecondOrder.compute(scope, f, sources).second();
        SensitivityField sensitivity = SensitivityField.compute(scope, f);
        RoundingNoise noise = RoundingNoise.of(scope.run(), sensitivity);
        List<Pair> pairs = new ArrayList<>();
        for (Source source : sources) {
            double slope = sensitivity.predict(source);
            pairs.add(new Pair(source, new RegimeCurve(slope, noise), new RegimeCurve(-slope, noise)));
        }
        measureGrid(pairs);
        for (int round = 1; round <= ROUNDS; round++) {
            Cancellation.check();
            boolean halve = round % HALVE_EVERY == 0;
            List<Point> points = new ArrayList<>();
            for (Pair pair : pairs) {
                add(points, pair.source(), pair.forward(), 1, halve);
                add(points, pair.source(), pair.backward(), -1, halve);
            }
            if (points.isEmpty()) {
                break;
            }
            measure(points);
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
                    pairs.get(i).forward(),
                    pairs.get(i).backward()));
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
        int from = 0;
        while (from < points.size()) {
            List<Source> scaled = new ArrayList<>();
            long components = 0;
            for (int i = from; i < points.size() && components < COMPONENTS_AT_ONCE; i++) {
                Point point = points.get(i);
                scaled.add(point.source().times(point.sign() * point.amplitude()));
                components +=
                        (long) point.source().vectors().size() * scope.config().width();
            }
            double[] changes = SourceEffects.added(scope, f, scaled);
            for (double change : changes) {
                Point point = points.get(from++);
                point.curve().put(point.amplitude(), change);
            }
        }
    }
}
