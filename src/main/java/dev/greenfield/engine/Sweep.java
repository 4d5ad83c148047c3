package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;

/**
 * The sweeps over the depths of one linearized run: tangents and patched runs climb, cotangents descend. Each takes all its
 * columns through a block at once, so that every linear map is one product over all rows. Memory is that of a
 * {@link Workspace} for all rows; {@link Batches} cuts columns into sweeps that fit.
 */
public final class Sweep {
    private final Linearization run;
    private final DeviceModel model;
    private final Retention retention; // null where nothing is known of other sweeps

    public Sweep(Linearization run) {
        this(run, null);
    }

    Sweep(Linearization run, Retention retention) {
        this.run = run;
        this.model = run.model();
        this.retention = retention;
    }

    /**
     * Carries sources up to a level: exact first-order responses.
     *
     * @param seeds the sources; none above {@code to}
     * @param to the level to reach
     * @param fromToken at {@code to}, and above the last attention before it, only rows at this token and later are needed;
     *     others hold nothing of use there
     * @param lastToken rows after this token are not computed
     * @param visitor sees the batch at every level from the first source to {@code to}
     */
    public void tangents(Seeds seeds, HalfDepth to, int fromToken, int lastToken, Visitor visitor) {
        try (Batch batch = Batch.ofTangents(model, run.length(), seeds, lastToken, retention)) {
            climb(
                    batch,
                    to,
                    fromToken,
                    visitor,
                    level -> batch.enter(level, null, 1),
                    (level, part, primal, from) -> batch.climb(level, part, primal, from));
        }
    }

    /**
     * Carries patched runs up to a level: the full nonlinear effect. A run's rows before its first patch are those of the
     * linearized run and are not computed again.
     *
     * @param replace whether seeds replace the stream at their site; otherwise they are added to it
     * @see #tangents for the other arguments
     */
    public void patchedRuns(Seeds seeds, boolean replace, HalfDepth to, int fromToken, int lastToken, Visitor visitor) {
        try (Batch batch = new Batch(model, run.length(), seeds, true, lastToken, null)) {
            double keep = replace ? 0 : 1;
            Entrance entrance = level -> {
                // Columns born here start from the run's stream, which has its source in it; older ones get it on the
                // way.
                run.insert(level, batch.x(), batch.rows());
                batch.enter(level, run.at(level), keep);
            };
            climb(
                    batch,
                    to,
                    fromToken,
                    visitor,
                    entrance,
                    (level, part, base, from) -> part.value(batch.x(), batch.rows(), base, from, batch.workspace()));
        }
    }

    /** Looks at the batch of a sweep of second derivatives at each level that the sweep reaches, before it goes on. */
    public interface SecondOrderVisitor {
        /**
         * Sees the batch at one level; both matrices are valid only during the call and must not be changed.
         *
         * @param dx first derivatives, [R, D]
         * @param ddx second derivatives, [R, D]
         * @see Visitor#visit for the other arguments
         */
        void visit(HalfDepth level, RaggedRows rows, int[] columns, Matrix dx, Matrix ddx);
    }

    /**
     * Carries sources up to a level to second order. With all of a column's sources times epsilon the stream is
     * x + epsilon dx + epsilon^2 / 2 ddx up to higher powers: dx is what {@link #tangents} gives.
     *
     * @see #tangents for the arguments
     */
    public void curvatures(Seeds seeds, HalfDepth to, int fromToken, int lastToken, SecondOrderVisitor visitor) {
        try (Batch batch = Batch.curved(model, run.length(), seeds, lastToken)) {
            climb(
                    batch,
                    to,
                    fromToken,
                    (level, rows, columns, dx) -> visitor.visit(level, rows, columns, dx, batch.second()),
                    level -> batch.enter(level, null, 1),
                    (level, part, primal, from) -> part.curvature(
                            batch.x(),
                            batch.second(),
                            batch.rows(),
                            primal,
                            from,
                            batch.workspace(),
                            batch.secondWorkspace()));
        }
    }

    /** Lets in what begins at a level. */
    private interface Entrance {
        void enter(HalfDepth level);
    }

    /** Takes a batch through half a block; rows before {@code fromToken} are not needed above it. */
    private interface Step {
        void through(HalfDepth level, BlockPart part, BlockPrimal primal, int fromToken);
    }

    private void climb(Batch batch, HalfDepth to, int fromToken, Visitor visitor, Entrance entrance, Step step) {
        // After the last attention below `to`, rows no longer see each other: only those that are wanted go on.
        HalfDepth lastAttention = Causality.lastAttentionBelow(to);
        HalfDepth start = batch.start();
        Task.run("sweep", "half blocks", start.isAbove(to) ? 0 : start.stepsTo(to), task -> {
            for (HalfDepth level = start; !level.isAbove(to); level = level.above()) {
                task.to(start.stepsTo(level));
                entrance.enter(level);
                batch.visit(level, visitor);
                if (level.isBelow(to)) {
                    int above = level.block() + 1;
                    int next = HalfDepth.ofDepth(above).isBelow(to) ? above : -1;
                    try (BlockVisit visit = model.visit(level.block(), next)) {
                        int from = level.isBelow(lastAttention) ? 0 : fromToken;
                        step.through(level, visit.part(level), run.block(level), from);
                    }
                }
            }
        });
    }

    /**
     * Carries cotangents down to a level: exact sensitivities.
     *
     * @param seeds what is read; none below {@code to}
     * @param to the level to reach
     * @param fromToken rows before this token are not computed
     * @param visitor sees the batch at every level from the highest seed down to {@code to}
     */
    public void cotangents(Seeds seeds, HalfDepth to, int fromToken, Visitor visitor) {
        try (Batch batch = new Batch(model, run.length(), seeds, false, fromToken, retention)) {
            HalfDepth start = batch.start();
            Task.run("sweep", "half blocks", start.isAbove(to) ? to.stepsTo(start) : 0, task -> {
                int nonzeroFrom = run.length() - 1;
                HalfDepth level = start;
                while (true) {
                    task.to(level.stepsTo(start));
                    nonzeroFrom = Math.min(nonzeroFrom, batch.enter(level, null, 1));
                    visitor.visit(level, batch.rows(), batch.columns(), batch.x());
                    if (!level.isAbove(to)) {
                        break;
                    }
                    level = level.below();
                    int next = HalfDepth.ofDepth(level.block()).isAbove(to) ? level.block() - 1 : -1;
                    try (BlockVisit visit = model.visit(level.block(), next)) {
                        visit.part(level)
                                .adjoint(batch.x(), batch.rows(), run.block(level), nonzeroFrom, batch.workspace());
                    }
                    if (Causality.mixesTokens(level)) {
                        nonzeroFrom = fromToken;
                    }
                }
            });
        }
    }
}
