package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;

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
    private final Linear projection;
    private final Buffer gain;

    /**
     * @param projection W [D, (H + 2 K) h] and b
     * @param gain [2 h] of the norms of queries and keys; null where there are none
     */
    Heads(Backend backend, ModelConfig config, Linear projection, Buffer gain) {
        this.backend = backend;
        this.attention = config.architecture().attention();
        this.epsilon = config.epsilon();
        this.projection = projection;
        this.gain = gain;
    }

    /**
     * What the derivatives need of the forward pass.
     *
     * @param layout with the angles of the run's tokens; null where the projection is all
     * @param normalized queries and keys after their norms, [T, (H + K) h]; null where they have none
     * @param inverse factors of those norms, [T, H + K]; likewise
     */
    record Primal(HeadLayout layout, Matrix normalized, Buffer inverse) {}

    /** Room for the primal of a run. */
    Primal allocate(RunMemory memory) {
        if (attention.plain()) {
            return new Primal(null, null, null);
        }
        HeadLayout layout = new HeadLayout(
                attention.heads(),
                attention.keyHeads(),
                attention.headWidth(),
                attention.rotary() == null ? null : memory.rotation(attention.rotary()),
                gain);
        return attention.headNorms()
                ? new Primal(
                        layout,
                        memory.rows("normalized queries and keys", normalizedWidth()),
                        memory.perToken("1/norm of queries and keys", normalizedHeads()))
                : new Primal(layout, null, null);
    }

    /** Elements of a primal for each token, without the angles, which all blocks share. */
    long primalElements() {
        return attention.headNorms() ? normalizedWidth() + normalizedHeads() : 0;
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

    /** The queries and keys of projected rows, [R, (H + K) h]. */
    private Matrix normed(Matrix projected) {
        return new Matrix(
                projected.buffer(), projected.offset(), projected.rows(), normalizedWidth(), projected.stride());
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
        if (attention.headNorms()) {
            Matrix part = normed(projected);
            if (keep) {
                backend.blocks().rmsNorm(part, normalizedHeads(), epsilon, primal.normalized(), primal.inverse());
            }
            backend.blocks().rmsNorm(part, normalizedHeads(), epsilon, part, null);
        }
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
        backend.blocks().spreadHeads(primal.layout(), room, rows, dqkv);
    }

    /** In place; the Jacobian is symmetric. */
    private void normTangent(Matrix projected, RaggedRows rows, Primal primal) {
        if (attention.headNorms()) {
            Matrix part = normed(projected);
            backend.blocks()
                    .rmsNormTangent(
                            part, normalizedHeads(), rows, 0, primal.normalized(), primal.inverse(), part, false);
        }
    }

    /** Cotangents, from dqkv [m, 3 A] to y [m, D]. */
    void adjoint(Matrix dqkv, RaggedRows rows, Primal primal, Matrix y, Matrix room) {
        if (primal.layout() == null) {
            projection.multiplyTransposed(dqkv, y);
            return;
        }
        backend.blocks().gatherHeads(primal.layout(), dqkv, rows, room);
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
        if (!attention.headNorms()) {
            tangent(dn, rows, primal, dqkv, first);
            tangent(ddn, rows, primal, ddqkv, second);
            return;
        }
        projection.multiply(dn, first);
        projection.multiply(ddn, second);
        normTangent(second, rows, primal);
        backend.blocks()
                .rmsNormCurvature(
                        normed(first),
                        normalizedHeads(),
                        rows,
                        0,
                        primal.normalized(),
                        primal.inverse(),
                        normed(second));
        normTangent(first, rows, primal);
        backend.blocks().spreadHeads(primal.layout(), first, rows, dqkv);
        backend.blocks().spreadHeads(primal.layout(), second, rows, ddqkv);
    }
}
