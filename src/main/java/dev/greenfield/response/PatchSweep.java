package dev.greenfield.response;

import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Activation patching at every site: what happens to F when the residual at one site is replaced by a donor run's. Measured
 * by running each patched suffix, predicted to first order by the sensitivity field and the displacement donor minus own, and on
 * request to second order.
 */
public final class PatchSweep {
    private final Scope scope;
    private final Observable f;
    private final double value;
    private final double donorValue;
    private final double[][] measured;
    private final double[][] predicted;
    private final Field displacement;
    private final double[][] secondOrder; // null where nobody asked for it

    private PatchSweep(
            Scope scope,
            Observable f,
            double value,
            double donorValue,
            double[][] measured,
            double[][] predicted,
            Field displacement,
            double[][] secondOrder) {
        this.scope = scope;
        this.f = f;
        this.value = value;
        this.donorValue = donorValue;
        this.measured = measured;
        this.predicted = predicted;
        this.displacement = displacement;
        this.secondOrder = secondOrder;
    }

    private record Cell(int depth, int token) {}

    /**
     * Patches every site in batches. A patched run consists of the rows at and after its site only; everything before is the
     * run's own. Sites after F's position cannot change it and are not run, nor are sites where the donor does not differ.
     *
     * @param scope the run that is patched
     * @param donor the run whose residuals are put in, of the same model and length
     * @param f the observable
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public static PatchSweep compute(Scope scope, Scope donor, Observable f) {
        scope.requireAlike(donor, "a patch");
        Readout.Resolved read = scope.resolve(f);
        Field own = scope.run().field();
        Field other = donor.run().field();
        Field displacement = other.minus(own);
        List<Cell> cells = cells(displacement, read.position());
        int[] rows =
                cells.stream().mapToInt(c -> read.position() + 1 - c.token()).toArray();
        double[][] measured = new double[own.depths()][own.tokens()];
        return Task.call("patch sweep", "sites", cells.size(), task -> {
            SensitivityField sensitivity = SensitivityField.compute(scope, f);
            task.run(
                    cells.size(),
                    () -> scope.inBatches(rows, range -> {
                        List<Cell> some = cells.subList(range.from(), range.to());
                        measure(scope.run(), other, read, some, sensitivity.value(), measured);
                    }));
            return new PatchSweep(
                    scope,
                    f,
                    sensitivity.value(),
                    donor.value(f),
                    measured,
                    sensitivity.field().dots(displacement),
                    displacement,
                    null);
        });
    }

    /**
     * This sweep with {@link #secondOrder()}: one more sweep over the same sites, of first and second derivatives.
     *
     * @param own the run that was patched, still open
     * @throws InputException if {@code own} is another run
     */
    public PatchSweep withSecondOrder(Scope own) {
        if (own != scope) {
            throw new InputException("the patch sweep is of another run: ask the run that was patched");
        }
        List<Cell> cells = cells(displacement, scope.position(f));
        List<Source> sources = cells.stream()
                .map(c -> Source.of(Site.of(c.depth(), c.token()), displacement.vector(c.depth(), c.token())))
                .toList();
        double[] changes = SecondOrder.compute(scope, f, sources).predicted(1);
        double[][] second = new double[displacement.depths()][displacement.tokens()];
        for (int i = 0; i < changes.length; i++) {
            second[cells.get(i).depth()][cells.get(i).token()] = changes[i];
        }
        return new PatchSweep(scope, f, value, donorValue, measured, predicted, displacement, second);
    }

    /** The sites that can change F, deepest first, so that a batch's short climbs stay together. */
    private static List<Cell> cells(Field displacement, int position) {
        List<Cell> cells = new ArrayList<>();
        Site read = Site.of(displacement.depths() - 1, position);
        for (int l = read.depth(); l >= 0; l--) {
            for (int t = 0; t <= position; t++) {
                if (Causality.reaches(Site.of(l, t), read) && displacement.norm(l, t) > 0) {
                    cells.add(new Cell(l, t));
                }
            }
        }
        return cells;
    }

    private static void measure(
            Linearization run, Field donor, Readout.Resolved f, List<Cell> cells, double value, double[][] measured) {
        Readout readout = new Readout(run.model());
        HalfDepth top = run.model().top();
        int position = f.position();
        Seeds seeds = new Seeds();
        for (Cell cell : cells) {
            seeds.column(HalfDepth.ofDepth(cell.depth()), cell.token(), donor.vector(cell.depth(), cell.token()));
        }
        new Sweep(run).patchedRuns(seeds, true, top, position, position, (level, rows, columns, x) -> {
            if (level.equals(top)) {
                double[] patched = readout.values(x.rows(rows.start(position), rows.count(position)), f);
                for (int c = 0; c < patched.length; c++) {
                    Cell cell = cells.get(columns[c]);
                    measured[cell.depth()][cell.token()] = patched[c] - value;
                }
            }
        });
    }

    /** F of the run before any patch. */
    public double value() {
        return value;
    }

    /** F of the donor run. */
    public double donorValue() {
        return donorValue;
    }

    /** Change of F by the patch at each site, [L+1][T]; exactly 0 where it can have no effect. */
    public double[][] measured() {
        return copy(measured);
    }

    /**
     * Change of F by the patch at a site.
     *
     * @throws InputException if the site is not at a whole depth of the run
     */
    public double measured(Site site) {
        return at(measured, site);
    }

    /**
     * The first-order prediction of {@link #measured(Site)}.
     *
     * @throws InputException if the site is not at a whole depth of the run
     */
    public double predicted(Site site) {
        return at(predicted, site);
    }

    private double at(double[][] values, Site site) {
        if (site.middle() || site.depth() >= values.length || site.token() >= values[0].length) {
            throw new InputException("site " + site + " is not in this patch sweep: expected a whole depth from 0 to "
                    + (values.length - 1) + " and a token from 0 to " + (values[0].length - 1));
        }
        return values[site.depth()][site.token()];
    }

    /** The first-order prediction of {@link #measured()}, [L+1][T]. */
    public double[][] predicted() {
        return copy(predicted);
    }

    /**
     * The prediction of {@link #measured()} to second order, [L+1][T]: F' + F'' / 2 along the displacement at each site; exactly 0 where
     * the patch can have no effect.
     *
     * @throws IllegalStateException if this sweep was made without it; see {@link #withSecondOrder}
     */
    public double[][] secondOrder() {
        if (secondOrder == null) {
            throw new IllegalStateException("this patch sweep has no second order: call withSecondOrder first");
        }
        return copy(secondOrder);
    }

    /** Donor minus own, [L+1, T, D]: the sources that the patches insert. */
    public Field displacement() {
        return displacement;
    }

    /** Whether the two runs are the same at every site, so that no patch can do anything. */
    public boolean changesNothing() {
        for (int l = 0; l < displacement.depths(); l++) {
            for (int t = 0; t < displacement.tokens(); t++) {
                if (displacement.norm(l, t) > 0) {
                    return false;
                }
            }
        }
        return true;
    }

    private static double[][] copy(double[][] values) {
        double[][] copy = new double[values.length][];
        for (int i = 0; i < values.length; i++) {
            copy[i] = values[i].clone();
        }
        return copy;
    }

    @Override
    public String toString() {
        Site largest = Site.of(0, 0);
        for (int l = 0; l < measured.length; l++) {
            for (int t = 0; t < measured[l].length; t++) {
                largest = Math.abs(measured[l][t]) > Math.abs(measured(largest)) ? Site.of(l, t) : largest;
            }
        }
        return String.format(
                Locale.ROOT,
                "patch sweep of %d depths and %d tokens, F = %.4g, donor's %.4g, largest change %.4g at %s",
                measured.length,
                measured[0].length,
                value,
                donorValue,
                measured(largest),
                largest);
    }
}
