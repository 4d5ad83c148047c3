package dev.greenfield.map;

import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.HalfDepth;
import java.util.function.LongSupplier;

/** Counts the flops that a map's sweeps have done and tells a listener now and then. Batches come in the order of their columns. */
final class MapProgressMeter {
    private static final long INTERVAL_NANOS = 1_000_000_000;

    private final double[] flopsBefore; // [columns + 1]
    private final Cost cost;
    private final MapProgress.Listener listener;
    private final LongSupplier clock;
    private double done; // in batches that are complete
    private double restored; // of those
    private boolean started;
    private long start;
    private long told;

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
     * @param listener is told; may be null
     * @param clock in nanoseconds
     */
    MapProgressMeter(double[] flopsBefore, Cost cost, MapProgress.Listener listener, LongSupplier clock) {
        this.flopsBefore = flopsBefore;
        this.cost = cost;
        this.listener = listener;
        this.clock = clock;
    }

    /** The visitor of a batch that is about to be computed, which the meter then sees through it. */
    Visitor watching(Visitor visitor) {
        if (!started) {
            started = true;
            start = clock.getAsLong();
            told = start;
        }
        double[] pushed = new double[2]; // through the half blocks that are done, and with the one that follows
        return (level, rows, columns, x) -> {
            visitor.visit(level, rows, columns, x);
            pushed[0] = pushed[1];
            pushed[1] += cost.flops(level, rows);
            tell(done + pushed[0], false);
        };
    }

    /** A batch has been computed. */
    void computed(Batches.Range range) {
        finished(range);
        tell(done, range.to() == columns());
    }

    /** A batch has been taken from a checkpoint. */
    void restored(Batches.Range range) {
        restored += flopsBefore[range.to()] - flopsBefore[range.from()];
        finished(range);
        if (range.to() == columns()) {
            tell(done, true);
        }
    }

    private void finished(Batches.Range range) {
        done = flopsBefore[range.to()];
    }

    private int columns() {
        return flopsBefore.length - 1;
    }

    private void tell(double flops, boolean end) {
        if (listener == null) {
            return;
        }
        long now = clock.getAsLong();
        if (end || now - told >= INTERVAL_NANOS) {
            told = now;
            double seconds = started ? (now - start) / 1e9 : 0;
            listener.at(new MapProgress(flops, restored, flopsBefore[columns()], seconds));
        }
    }
}
