package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Rotary;
import java.util.List;

/**
 * From normalized rows to the queries, keys and values of every head, [R, 3 A] with A = H h. For GPT-2 that is a linear layer. Later
 * families project fewer keys and values than queries, may normalize each head's query and key, and turn both by the angle of their
 * token: y = spread(norm(n W + b)), where spread is linear.
 *
 * <p>Most take room for what is projected, [m, (H + 2 K) h], which is null where the projection is all.
 */
final class Heads {
    private final Backend backend;
    private final Architecture.Attention attention;
    private final double epsilon;
    private final Rotary rotary; // null for none
    private final Linear projection;
    private final Buffer gain;
    private final boolean normed;
    private final boolean whole;

    /**
     * @param layer the block
     * @param projection W [D, (H + 2 K) h] and b
     * @param gain of the norms of queries and keys: [2 h] where each head has its own, [(H + K) h] where they are normalized as a whole, null
     *     where there are none
     */
    Heads(Backend backend, ModelConfig config, int layer, Linear projection, Buffer gain) {
        this.backend = backend;
        this.attention = config.architecture().attention();
        this.epsilon = config.epsilon();
        this.rotary = attention.rotary(layer);
        this.projection = projection;
        this.gain = gain;
        this.normed = attention.headNorms() != Architecture.HeadNorms.NONE;
        this.whole = attention.headNorms() == Architecture.HeadNorms.WHOLE;
    }

    /** The linear layer that all begins with. */
    Linear projection() {
        return projection;
    }

    /**
     * What the derivatives need of the forward pass.
     *
     * @param layout with the angles of the run's tokens; null where the projection is all
     * @param norms of queries and keys; none where they have none, otherwise one of all, or one of the queries and one of the keys
     */
    record Primal(HeadLayout layout, List<Normed> norms) {}

    /**
     * A part of the projected columns that is normalized, in groups of equal width.
     *
     * @param from its first column
     * @param columns how many
     * @param groups of them
     * @param normalized [T, columns]
     * @param inverse factors, [T, groups]
     */
    record Normed(int from, int columns, int groups, Matrix normalized, Buffer inverse) {
        /** These columns of projected rows [R, (H + 2 K) h]. */
        private Matrix of(Matrix projected) {
            return new Matrix(
                    projected.buffer(), projected.offset() + from, projected.rows(), columns, projected.stride());
        }
    }

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        if (attention.plain()) {
            return new Primal(null, List.of());
        }
        HeadLayout layout = new HeadLayout(
                attention.heads(),
                attention.keyHeads(),
                attention.headWidth(),
                rotary == null ? null : memory.rotation(rotary),
                whole ? null : gain);
        if (!normed) {
            return new Primal(layout, List.of());
        }
        int queries = attention.queryWidth();
        return new Primal(
                layout,
                whole
                        ? List.of(norm(memory, 0, queries, 1), norm(memory, queries, attention.keyWidth(), 1))
                        : List.of(norm(memory, 0, normalizedWidth(), normalizedHeads())));
    }

    private static Normed norm(RunMemory memory, int from, int columns, int groups) {
        return new Normed(
                from,
                columns,
                groups,
                memory.rows("normalized queries and keys", columns),
                memory.perToken("1/norm of queries and keys", groups));
    }

    /** Elements of a primal for each token, without the angles, which all blocks share. */
    long primalElements() {
        return normed ? normalizedWidth() + (whole ? 2 : normalizedHeads()) : 0;
    }

    /** Elements of work space for each row that is in attention at once. */
    static long workElements(ModelConfig config) {
        Architecture.Attention attention = config.architecture().attention();
        return attention.plain() ? 0 : attention.projectedWidth();
    }

    private int normalizedHeads() {
        return attention.heads() + attention.keyHeads();
    }

    private int normalizedWidth() {
        return normalizedHeads() * attention.headWidth();
    }

    /** Scales normalized queries and keys, in place, where the layout does not. */
    private void scale(Matrix projected) {
        if (whole) {
            Matrix both = new Matrix(
                    projected.buffer(), projected.offset(), projected.rows(), normalizedWidth(), projected.stride());
            backend.blocks().scaleColumns(both, gain, both);
        }
    }

    /** The value in a forward pass, from n [T, D] to qkv [T, 3 A], keeping what the derivatives need. */
    void forward(Matrix n, RaggedRows rows, Primal keep, Matrix qkv, Matrix room) {
        value(n, rows, keep, true, qkv, room);
    }

    /** The value in patched runs, from n [m, D] to qkv [m, 3 A]. */
    void value(Matrix n, RaggedRows rows, Primal base, Matrix qkv, Matrix room) {
        value(n, rows, base, false, qkv, room);
    }

    private void value(Matrix n, RaggedRows rows, Primal primal, boolean keep, Matrix qkv, Matrix room) {
        Matrix projected = primal.layout() == null ? qkv : room;
        projection.multiply(n, projected);
        backend.addBias(projected, projection.bias());
        if (primal.layout() == null) {
            return;
        }
        for (Normed norm : primal.norms()) {
            Matrix part = norm.of(projected);
            if (keep) {
                backend.blocks().rmsNorm(part, norm.groups(), epsilon, norm.normalized(), norm.inverse());
            }
            backend.blocks().rmsNorm(part, norm.groups(), epsilon, part, null);
        }
        scale(projected);
        backend.blocks().spreadHeads(primal.layout(), projected, rows, qkv);
    }

    /** Tangents, from dn [m, D] to dqkv [m, 3 A]. */
    void tangent(Matrix dn, RaggedRows rows, Primal primal, Matrix dqkv, Matrix room) {
        if (primal.layout() == null) {
            projection.multiply(dn, dqkv);
            return;
        }
        projection.multiply(dn, room);
        normTangent(room, rows, primal);
        scale(room);
        backend.blocks().spreadHeads(primal.layout(), room, rows, dqkv);
    }

    /** In place; the Jacobian is symmetric. */
    private void normTangent(Matrix projected, RaggedRows rows, Primal primal) {
        for (Normed norm : primal.norms()) {
            Matrix part = norm.of(projected);
            backend.blocks()
                    .rmsNormTangent(part, norm.groups(), rows, 0, norm.normalized(), norm.inverse(), part, false);
        }
    }

    /** Cotangents, from dqkv [m, 3 A] to y [m, D]. */
    void adjoint(Matrix dqkv, RaggedRows rows, Primal primal, Matrix y, Matrix room) {
        if (primal.layout() == null) {
            projection.multiplyTransposed(dqkv, y);
            return;
        }
        backend.blocks().gatherHeads(primal.layout(), dqkv, rows, room);
        scale(room);
        normTangent(room, rows, primal);
        projection.multiplyTransposed(room, y);
    }

    /** First and second derivatives together; {@code first} and {@code second} are room for each. */
    void curvature(
            Matrix dn,
            Matrix ddn,
            RaggedRows rows,
            Primal primal,
            Matrix dqkv,
            Matrix ddqkv,
            Matrix first,
            Matrix second) {
        if (!normed) {
            tangent(dn, rows, primal, dqkv, first);
            tangent(ddn, rows, primal, ddqkv, second);
            return;
        }
        projection.multiply(dn, first);
        projection.multiply(ddn, second);
        normTangent(second, rows, primal);
        for (Normed norm : primal.norms()) {
            backend.blocks()
                    .rmsNormCurvature(
                            norm.of(first), norm.groups(), rows, 0, norm.normalized(), norm.inverse(), norm.of(second));
        }
        normTangent(first, rows, primal);
        scale(first);
        scale(second);
        backend.blocks().spreadHeads(primal.layout(), first, rows, dqkv);
        backend.blocks().spreadHeads(primal.layout(), second, rows, ddqkv);
    }
}
