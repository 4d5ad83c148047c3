package dev.greenfield.response;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Source;
import java.util.List;

/** What sources do to an observable, measured: the runs with each source in them, from its first site on, many at a time. */
public final class SourceEffects {
    private final Linearization run;
    private final Readout.Resolved f;
    private final boolean replace;

    private SourceEffects(Linearization run, Readout.Resolved f, boolean replace) {
        this.run = run;
        this.f = f;
        this.replace = replace;
    }

    /**
     * The change of F by each source, added to the stream at its sites.
     *
     * @param budgetBytes memory that the runs may take
     * @return [sources]; exactly 0 where F cannot see the source
     * @throws InputException if a site or a length is not the run's
     */
    public static double[] added(Linearization run, Readout.Resolved f, List<Source> sources, long budgetBytes) {
        return new SourceEffects(run, f, false).compute(sources, budgetBytes);
    }

    /** Likewise when the stream at each site is replaced by the vector there. */
    public static double[] replaced(Linearization run, Readout.Resolved f, List<Source> sources, long budgetBytes) {
        return new SourceEffects(run, f, true).compute(sources, budgetBytes);
    }

    private double[] compute(List<Source> sources, long budgetBytes) {
        SourceColumns columns = new SourceColumns(run, f, sources);
        double value = new Readout(run.model()).value(run, f);
        double[] effects = new double[sources.size()];
        Batches.run(run.model(), columns.rows(), budgetBytes, range -> measure(columns, range, value, effects));
        return effects;
    }

    private void measure(SourceColumns columns, Batches.Range range, double value, double[] effects) {
        Readout readout = new Readout(run.model());
        HalfDepth top = columns.top();
        int position = f.position();
        new Sweep(run)
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

    /**
     * Refuses a source that is not of this run.
     *
     * @throws dev.greenfield.lattice.InputException if a site or a length is not the run's
     */
    public static void check(Linearization run, Source source) {
        SourceColumns.check(run, source);
    }
}
