package dev.greenfield.map;

import dev.greenfield.failure.MemoryBudgetException;
import java.util.Locale;

/**
 * How a {@link ResponseMap} will be computed, and what that takes.
 *
 * @param forward whether tangents climb from the sources; otherwise cotangents descend from the targets
 * @param columns tangents or cotangents in all, a direction of a site each
 * @param rows vectors [D] that they are made of when all are alive
 * @param sweeps into how many batches they are cut
 * @param flops of the matrix products that are executed: see {@link dev.greenfield.engine.HalfBlockFlops}
 * @param bytes the most memory that one batch takes, with what all of them keep
 * @param keptMaps of how many tokens' MLPs the maps are formed once for all sweeps; see {@link dev.greenfield.engine.KeptTokens}
 */
public record MapPlan(boolean forward, int columns, long rows, int sweeps, double flops, long bytes, int keptMaps) {
    /** One line for people. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s, %d columns of %d rows in %d %s, %.3g Tflop of products, %s at a time%s",
                forward ? "forward" : "adjoint",
                columns,
                rows,
                sweeps,
                sweeps == 1 ? "sweep" : "sweeps",
                flops / 1e12,
                MemoryBudgetException.amount(bytes),
                keptMaps == 0 ? "" : ", maps of " + keptMaps + " MLPs kept");
    }
}
