package dev.greenfield.engine;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;

/**
 * The sweeps over the depths of one linearized run: tangents and patched runs climb, cotangents descend. Each takes all its
 * columns through a block at once, so that every linear map is one product over all rows. Memory is that of a
 * {@link Workspace} for all rows; {@link Batches} cuts columns into sweeps that fit.
 */
public final class Sweep {
    private final Linearization run;
    private final Layers layers;
    private final Curvatures curvatures;

    public Sweep(Linearization run) {
        this.run = run;
        this.layers = new Layers(run.model());
        this.curvatures = new Curvatures(run.model());
    }

    private interface Half {
        void apply(int halfDepth, int fromToken);
    }

    /**
     * Carries sources up to a half depth: exact first-order responses.
     *
     * @param seeds the sources; none above {@code to}
     * @param to the half depth to reach
     * @param fromToken at {@code to}, and above the last attention before it, only rows at this token and later are needed;
     *     others hold nothing of use there
     * @param lastToken rows after this token are not computed
     * @param visitor sees the batch at every half depth from the first source to {@code to}
     */
    public void tangents(Seeds seeds, int to, int fromToken, int lastToken, Visitor visitor) {
        try (Batch batch = new Batch(run.model(), run.length(), seeds, true, lastToken)) {
            climb(batch, to, fromToken, visitor, h -> batch.enter(h, null, 1), (h, from) -> {
                RaggedRows rows = batch.rows();
                Layers.Primal primal = run.block(h / 2);
                if (h % 2 == 0) {
                    layers.attentionTangent(h / 2, batch.x(), rows, primal, from, batch.workspace());
                } else {
                    layers.mlpTangent(h / 2, batch.x(), rows, primal, from, batch.workspace());
                }
            });
        }
    }

    /**
     * Carries patched runs up to a half depth: the full nonlinear effect. A run's rows before its first patch are those of
     * the linearized run and are not computed again.
     *
     * @param replace whether seeds replace the stream at their site; otherwise they are added to it
     * @see #tangents for the other arguments
     */
    public void patchedRuns(Seeds seeds, boolean replace, int to, int fromToken, int lastToken, Visitor visitor) {
        try (Batch batch = new Batch(run.model(), run.length(), seeds, true, lastToken)) {
            double keep = replace ? 0 : 1;
            Entrance entrance = h -> {
                // Columns born at h start from the run's stream, which has its source in it; older ones get it on the
                // way.
                run.insert(h, batch.x(), batch.rows());
                return batch.enter(h, run.atHalfDepth(h), keep);
            };
            climb(batch, to, fromToken, visitor, entrance, (h, from) -> {
                RaggedRows rows = batch.rows();
                if (h % 2 == 0) {
                    layers.attentionValue(
                            h / 2, batch.x(), rows, run.block(h / 2).attention().qkv(), from, batch.workspace());
                } else {
                    layers.mlpValue(h / 2, Layers.from(batch.x(), rows, from), batch.workspace());
                }
            });
        }
    }

    /** Looks at the batch of a sweep of second derivatives at each half depth that the sweep reaches, before it goes on. */
    public interface SecondOrderVisitor {
        /**
         * Sees the batch at one half depth; both matrices are valid only during the call and must not be changed.
         *
         * @param dx first derivatives, [R, D]
         * @param ddx second derivatives, [R, D]
         * @see Visitor#visit for the other arguments
         */
        void visit(int halfDepth, RaggedRows rows, int[] columns, Matrix dx, Matrix ddx);
    }

    /**
     * Carries sources up to a half depth to second order. With all of a column's sources times epsilon the stream is
     * x + epsilon dx + epsilon^2 / 2 ddx up to higher powers: dx is what {@link #tangents} gives.
     *
     * @see #tangents for the arguments
     */
    public void curvatures(Seeds seeds, int to, int fromToken, int lastToken, SecondOrderVisitor visitor) {
        DeviceModel model = run.model();
        int inner = model.config().inner();
        try (Batch batch = Batch.curved(model, run.length(), seeds, lastToken);
                Buffer bends = model.backend().allocate("activation second derivative", (long) run.length() * inner)) {
            Matrix secondDerivative = Matrix.of(bends, run.length(), inner);
            Visitor both = (h, rows, columns, dx) -> visitor.visit(h, rows, columns, dx, batch.second());
            climb(batch, to, fromToken, both, h -> batch.enter(h, null, 1), (h, from) -> {
                Layers.Primal primal = run.block(h / 2);
                if (h % 2 == 0) {
                    curvatures.attention(h / 2, batch, primal, from);
                } else {
                    curvatures.mlp(h / 2, batch, primal, from, secondDerivative);
                }
            });
        }
    }

    /** The half depth that the last attention half below {@code to} begins at; 0 when there is none. */
    public static int lastAttentionBelow(int to) {
        return (to - 1) / 2 * 2;
    }

    private interface Entrance {
        int[] enter(int halfDepth);
    }

    private static void climb(Batch batch, int to, int fromToken, Visitor visitor, Entrance entrance, Half half) {
        // After the last attention below `to`, rows no longer see each other: only those that are wanted go on.
        int lastAttention = lastAttentionBelow(to);
        for (int h = batch.start(); h <= to; h++) {
            Cancellation.check();
            entrance.enter(h);
            visitor.visit(h, batch.rows(), batch.columns(), batch.x());
            if (h < to) {
                half.apply(h, h >= lastAttention ? fromToken : 0);
            }
        }
    }

    /**
     * Carries cotangents down to a half depth: exact sensitivities.
     *
     * @param seeds what is read; none below {@code to}
     * @param to the half depth to reach
     * @param fromToken rows before this token are not computed
     * @param visitor sees the batch at every half depth from the highest seed down to {@code to}
     */
    public void cotangents(Seeds seeds, int to, int fromToken, Visitor visitor) {
        try (Batch batch = new Batch(run.model(), run.length(), seeds, false, fromToken)) {
            int nonzeroFrom = run.length() - 1;
            for (int h = batch.start(); h >= to; h--) {
                Cancellation.check();
                int[] seeded = batch.enter(h, null, 1);
                if (seeded != null) {
                    nonzeroFrom = Math.min(nonzeroFrom, seeded[0]);
                }
                visitor.visit(h, batch.rows(), batch.columns(), batch.x());
                if (h == to) {
                    break;
                }
                int l = (h - 1) / 2;
                if (h % 2 == 0) {
                    layers.mlpAdjoint(l, batch.x(), batch.rows(), run.block(l), nonzeroFrom, batch.workspace());
                } else {
                    layers.attentionAdjoint(l, batch.x(), batch.rows(), run.block(l), nonzeroFrom, batch.workspace());
                    nonzeroFrom = fromToken;
                }
            }
        }
    }
}
