package dev.greenfield.map;

import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Visitor;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;

/** Counts the flops that a map's sweeps have done, for the map's task. Batches come in the order of their columns. */
final class MapProgressMeter {
    private final double[] flopsBefore; // [columns + 1]
    private final Cost cost;
    private final Task task;
    private double done; // in batches that are complete

    /** What half a block takes. */
    interface Cost {
        /** Flops of the half block after a level. */
        double flops(HalfDepth level, RaggedRows rows);
    }

    /**
     * A meter at zero.
     *
     * @param flopsBefore per column the flops of all columns before it, and last those of all, [columns + 1]
     * @param cost of pushing rows through half a block
     * @param task that counts in flops
     */
    MapProgressMeter(double[] flopsBefore, Cost cost, Task task) {
        this.flopsBefore = flopsBefore;
        this.cost = cost;
        this.task = task;
    }

    /** The visitor of a batch that is about to be computed, which the meter then sees through it. */
    Visitor watching(Visitor visitor) {
        double[] pushed = new double[2]; // through the half blocks that are done, and with the one that follows
        HalfDepth[] before = new HalfDepth[1];
        return (level, rows, columns, x) -> {
            visitor.visit(level, rows, columns, x);
            if (!level.equals(before[0])) { // newborn columns are seen apart from the others
                pushed[0] = pushed[1];
                before[0] = level;
                task.seen(done + pushed[0]);
            }
            pushed[1] += cost.flops(level, rows);
        };
    }

    /** A batch has been computed. */
    void computed(Batches.Range range) {
        done = flopsBefore[range.to()];
        task.to(done);
    }

    /** A batch has been taken from a checkpoint. */
    void restored(Batches.Range range) {
        done = flopsBefore[range.to()];
        task.kept(done - flopsBefore[range.from()], done);
    }
}
