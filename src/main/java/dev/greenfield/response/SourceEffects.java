package dev.greenfield.response;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Source;
import java.util.List;

/** What sources do to an observable, measured: the runs with each source in them, from its first site on, many at a time. */
public final class SourceEffects {
    private final Scope scope;
    private final Readout.Resolved f;
    private final boolean replace;

    private SourceEffects(Scope scope, Observable observable, boolean replace) {
        this.scope = scope;
        this.f = scope.resolve(observable);
        this.replace = replace;
    }

    /**
     * The change of F by each source, added to the stream at its sites.
     *
     * @return [sources]; exactly 0 where F cannot see the source
     * @throws dev.greenfield.failure.InputException if a site or a length is not the run's
     */
    public static double[] added(Scope scope, Observable f, List<Source> sources) {
        return new SourceEffects(scope, f, false).compute(sources);
    }

    /** Likewise when the stream at each site is replaced by the vector there. */
    public static double[] replaced(Scope scope, Observable f, List<Source> sources) {
        return new SourceEffects(scope, f, true).compute(sources);
    }

    private double[] compute(List<Source> sources) {
        SourceColumns columns = new SourceColumns(scope, f.position(), sources);
        double value = new Readout(scope.model()).value(scope.run(), f);
        double[] effects = new double[sources.size()];
        return Task.whole("effects of sources", "sources", effects.length, () -> {
            scope.inBatches(columns.rows(), range -> measure(columns, range, value, effects));
            return effects;
        });
    }

    private void measure(SourceColumns columns, Batches.Range range, double value, double[] effects) {
        Readout readout = new Readout(scope.model());
        HalfDepth top = columns.top();
        int position = f.position();
        new Sweep(scope.run())
                .patchedRuns(
                        columns.seeds(range.from(), range.to()),
                        replace,
                        top,
                        position,
                        position,
                        (level, rows, numbers, x) -> {
                            if (level.equals(top)) {
                                double[] values = readout.values(x.rows(rows.start(position), rows.count(position)), f);
                                for (int c = 0; c < values.length; c++) {
                                    effects[columns.source(range.from() + numbers[c])] = values[c] - value;
                                }
                            }
                        });
    }
}
