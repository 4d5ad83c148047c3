package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.backend.Backend;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelSource;
import java.io.IOException;

/** What a sweep of tangents finds by given ways. */
final class SweepNorms {
    /** Half depths up to depth 2. */
    private static final int LEVELS = 5;

    private SweepNorms() {}

    /**
     * Sums of squares of all columns at all half depths up to depth 2 and at all tokens; columns begin everywhere, in groups of
     * unequal sizes.
     *
     * @param model a directory, or what a random model is called
     * @param tokens of the run, of which the last is not wanted
     */
    static double[] of(
            String model, Backend backend, Shortcuts shortcuts, int[] tokens, int fromToken, int columnsOfSweep)
            throws IOException {
        int length = tokens.length;
        double[] norms = new double[columnsOfSweep * LEVELS * length];
        try (ModelSource source = ModelSource.open(model);
                DeviceModel on = new DeviceModel(source, backend, WeightPlan.resident(), shortcuts);
                Linearization run = new Linearization(on, tokens)) {
            boolean middles = !on.config().architecture().stream().parallel();
            int width = on.config().width();
            Seeds seeds = new Seeds();
            for (int c = 0; c < columnsOfSweep; c++) {
                int level = middles ? c % 4 : 2 * (c % 2);
                int token = (c / 4) % 11 % (length - 1); // more at the first tokens, and none at some of few
                int column = seeds.column(new HalfDepth(level), token, normal(c, width));
                if (c % 29 == 0) {
                    seeds.add(column, new HalfDepth(level), (token + 2) % (length - 1), normal(c + 1000, width));
                }
            }
            Visitor visitor = (level, rows, columns, x) -> {
                double[] squares = new double[rows.rows()];
                backend.squaredNorms(x, squares, 0);
                for (int c = 0; c < columns.length; c++) {
                    for (int t = Math.max(fromToken, rows.first(c)); t <= rows.last(c); t++) {
                        norms[(columns[c] * LEVELS + level.index()) * length + t] = squares[rows.row(t, c)];
                    }
                }
            };
            new Sweep(run).tangents(seeds, HalfDepth.ofDepth(2), fromToken, length - 2, visitor);
        }
        return norms;
    }
}
