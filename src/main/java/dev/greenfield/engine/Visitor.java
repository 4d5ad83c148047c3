package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

/** Looks at the batch of a sweep at each half depth that the sweep reaches, before it goes on. */
public interface Visitor {
    /**
     * Sees the batch at one half depth.
     *
     * @param halfDepth twice the depth, plus 1 in the middle of a block
     * @param rows which rows the batch has
     * @param columns per column of the batch its number in the seeds
     * @param x the rows, [R, D]; must not be changed, and is valid only during the call
     */
    void visit(int halfDepth, RaggedRows rows, int[] columns, Matrix x);
}
