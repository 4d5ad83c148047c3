package dev.greenfield.response;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.ArrayList;
import java.util.List;

/**
 * Activation patching at every site: what happens to F when the residual at one site is replaced by a donor run's. Measured
 * by running each patched suffix, predicted to first order by the sensitivity field and the displacement donor minus own, and on
 * request to second order.
 */
public final class PatchSweep {
    private final Linearization run;
    private final Readout.Resolved f;
    private final double value;
    private final double donorValue;
    private final double[][] measured;
    private final double[][] predicted;
    private final Field displacement;
    private final double[][] secondOrder; // null where nobody asked for it

    private PatchSweep(
            Linearization run,
            Readout.Resolved f,
            double value,
            double donorValue,
            double[][] measured,
            double[][] predicted,
            Field displacement,
            double[][] secondOrder) {
        this.run = run;
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
     * @param run the run that is patched
     * @param donor the run whose residuals are put in, of the same model and length
     * @param f the observable
     * @param budgetBytes memory that the sweeps may take
     */
    public static PatchSweep compute(Linearization run, Linearization donor, Readout.Resolved f, long budgetBytes) {
        if (donor.length() != run.length()) {
            throw new InputException("the runs have " + run.length() + " and " + donor.length()
                    + " tokens: a patch needs prompts of equal length, reword one of them");
        }
        if (donor.model() != run.model()) {
            throw new InputException("the runs belong to different models: a patch needs two runs of one model");
        }
        Field own = run.field();
        Field other = donor.field();
        Field displacement = other.minus(own);
        SensitivityField sensitivity = SensitivityField.compute(run, f);
        double[][] measured = new double[own.depths()][own.tokens()];
        List<Cell> cells = cells(displacement, f.position());
        int[] rows = cells.stream().mapToInt(c -> f.position() + 1 - c.token()).toArray();
        Batches.run(
                run.model(),
                rows,
                budgetBytes,
                range ->
                        measure(run, other, f, cells.subList(range.from(), range.to()), sensitivity.value(), measured));
        return new PatchSweep(
                run,
                f,
                sensitivity.value(),
                new Readout(run.model()).value(donor, f),
                measured,
                sensitivity.field().dots(displacement),
                displacement,
                null);
    }

    /**
     * This sweep with {@link #secondOrder()}: one more sweep over the same sites, of first and second derivatives.
     *
     * @param own the run that was patched, still open
     * @param budgetBytes memory that the sweep may take
     * @throws InputException if {@code own} is another run
     */
    public PatchSweep withSecondOrder(Linearization own, long budgetBytes) {
        if (own != run) {
            throw new InputException("the patch sweep is of another run: ask the run that was patched");
        }
        List<Cell> cells = cells(displacement, f.position());
        List<Source> sources = cells.stream()
                .map(c -> Source.of(Site.of(c.depth(), c.token()), displacement.vector(c.depth(), c.token())))
                .toList();
        double[] changes = SecondOrder.compute(run, f, sources, budgetBytes).predicted(1);
        double[][] second = new double[displacement.depths()][displacement.tokens()];
        for (int i = 0; i < changes.length; i++) {
            second[cells.get(i).depth()][cells.get(i).token()] = changes[i];
        }
        return new PatchSweep(run, f, value, donorValue, measured, predicted, displacement, second);
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

    /** The first-order prediction of {@link #measured}, [L+1][T]. */
    public double[][] predicted() {
        return copy(predicted);
    }

    /**
     * The prediction of {@link #measured} to second order, [L+1][T]: F' + F'' / 2 along the displacement at each site; exactly 0 where
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
}
