package dev.greenfield.response;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Source;
import java.util.List;

/**
 * The exact first and second derivatives of an observable along sources: with epsilon times a source in the run,
 *
 * <pre>  F(epsilon) = F + epsilon F' + epsilon^2 / 2 F'' + O(epsilon^3)</pre>
 *
 * <p>A source at several sites is one direction: its F'' contains what the sites do to each other. One sweep pushes first and second
 * derivatives of many sources side by side (Taylor mode; Griewank and Walther 2008, chapter 13), so nothing is a difference of
 * runs.
 */
public final class SecondOrder {
    private final double[] first;
    private final double[] second;

    private SecondOrder(int sources) {
        this.first = new double[sources];
        this.second = new double[sources];
    }

    /**
     * Derivatives of F along each source.
     *
     * @throws InputException if a site or a length is not the run's
     */
    public static SecondOrder compute(Scope scope, Observable observable, List<Source> sources) {
        SecondOrder derivatives = new SecondOrder(sources.size());
        Readout.Resolved f = scope.resolve(observable);
        SourceColumns columns = new SourceColumns(scope, f.position(), sources);
        return Task.whole("second derivatives", "sources", sources.size(), () -> {
            scope.curvaturesInBatches(columns.rows(), range -> derivatives.add(scope.run(), f, columns, range));
            return derivatives;
        });
    }

    private void add(Linearization run, Readout.Resolved f, SourceColumns columns, Batches.Range range) {
        Readout readout = new Readout(run.model());
        HalfDepth top = columns.top();
        int position = f.position();
        new Sweep(run)
                .curvatures(
                        columns.seeds(range.from(), range.to()),
                        top,
                        position,
                        position,
                        (level, rows, numbers, dx, ddx) -> {
                            if (level.equals(top)) {
                                int from = rows.start(position);
                                int count = rows.count(position);
                                Readout.Derivatives found =
                                        readout.derivatives(run, f, rows, dx.rows(from, count), ddx.rows(from, count));
                                for (int c = 0; c < count; c++) {
                                    int source = columns.source(range.from() + numbers[c]);
                                    first[source] = found.first()[c];
                                    second[source] = found.second()[c];
                                }
                            }
                        });
    }

    /** F', [sources]; exactly 0 where F cannot see the source. */
    public double[] first() {
        return first.clone();
    }

    /** F'', [sources]; exactly 0 where F cannot see the source. */
    public double[] second() {
        return second.clone();
    }

    /** The change of F to second order when each source is taken epsilon times, epsilon F' + epsilon^2 / 2 F'', [sources]. */
    public double[] predicted(double epsilon) {
        double[] change = new double[first.length];
        for (int i = 0; i < change.length; i++) {
            change[i] = epsilon * (first[i] + epsilon / 2 * second[i]);
        }
        return change;
    }

    @Override
    public String toString() {
        return "first and second derivatives along " + first.length + (first.length == 1 ? " source" : " sources");
    }
}
