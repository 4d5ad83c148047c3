package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;

/** Looks at the batch of a sweep at each level that the sweep reaches, before it goes on. */
public interface Visitor {
    /**
     * Sees the batch at one level.
     *
     * @param level where the sweep is
     * @param rows which rows the batch has
     * @param columns per column of the batch its number in the seeds
     * @param x the rows, [R, D]; must not be changed, and is valid only during the call
     */
    void visit(HalfDepth level, RaggedRows rows, int[] columns, Matrix x);
}
