package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.ModelConfig;
import java.util.Arrays;

/**
 * A norm of what a half of a block adds, f to N(f) diag(g), as Gemma 2 and OLMo 2 have it. There is no matrix after it that its gain could be
 * folded into. The Jacobian of N is symmetric, that of the whole is not: an adjoint scales first.
 */
final class PostNorm {
    private final Backend backend;
    private final ModelConfig config;
    private final Norm norm;
    private final Buffer gain;

    /** @param gain g, [D] */
    PostNorm(Backend backend, ModelConfig config, Buffer gain) {
        this.backend = backend;
        this.config = config;
        this.norm = new Norm(backend, config, true);
        this.gain = gain;
    }

    /** Room for the primal of a run. */
    Norm.Primal allocate(RunMemory memory) {
        return norm.allocate(memory);
    }

    /**
     * Makes what a half adds ready to be added, in a forward pass or in patched runs.
     *
     * @param post the norm; null where the half has none, and nothing is done
     * @param f [n, D], without its bias; replaced by N(f + bias) diag(g)
     * @param keep the primal that receives what the derivatives need; null for none
     * @return the bias that is still to be added with f; null where the norm has taken it
     */
    static Buffer finish(PostNorm post, Matrix f, Buffer bias, Norm.Primal keep) {
        if (post == null) {
            return bias;
        }
        post.value(f, bias, keep);
        return null;
    }

    private void value(Matrix f, Buffer bias, Norm.Primal keep) {
        backend.addBias(f, bias);
        if (keep == null) {
            norm.value(f, f);
        } else {
            norm.forward(f, keep);
        }
        backend.blocks().scaleColumns(keep == null ? f : keep.normalized(), gain, f);
    }

    /** Tangents, in place: df rows {@code fromRow} and on of a batch, [n, D]. */
    void tangent(Matrix df, RaggedRows rows, int fromRow, Norm.Primal at) {
        norm.tangent(df, rows, fromRow, at, df);
        backend.blocks().scaleColumns(df, gain, df);
    }

    /**
     * Cotangents.
     *
     * @param g rows {@code fromRow} and on of a batch, [n, D]
     * @param df [n, D]; may be g itself
     */
    void adjoint(Matrix g, RaggedRows rows, int fromRow, Norm.Primal at, Matrix df) {
        backend.blocks().scaleColumns(g, gain, df);
        norm.tangent(df, rows, fromRow, at, df);
    }

    /** First and second derivatives together, in place. */
    void curvature(Matrix df, Matrix ddf, RaggedRows rows, int fromRow, Norm.Primal at) {
        norm.curvature(df, ddf, rows, fromRow, at, df, ddf);
        backend.blocks().scaleColumns(df, gain, df);
        backend.blocks().scaleColumns(ddf, gain, ddf);
    }

    /**
     * This norm at the tokens of a run, on the host.
     *
     * @param normalized [T, D]
     * @param inverse 1 / sqrt(mean(f^2) + epsilon), [T]
     * @param gain [D]
     */
    record AtRun(double[] normalized, double[] inverse, double[] gain, double epsilon) {
        /**
         * What the stream receives when f changes at a token, N(f + change) diag(g) - N(f) diag(g).
         *
         * @param change [D]
         */
        double[] received(int token, double[] change) {
            int width = gain.length;
            double[] changed = new double[width];
            double square = 0;
            for (int i = 0; i < width; i++) {
                changed[i] = normalized[token * width + i] / inverse[token] + change[i];
                square += changed[i] * changed[i];
            }
            double factor = 1 / Math.sqrt(square / width + epsilon);
            for (int i = 0; i < width; i++) {
                changed[i] = gain[i] * (changed[i] * factor - normalized[token * width + i]);
            }
            return changed;
        }
    }

    AtRun at(Norm.Primal run) {
        int width = config.width();
        int tokens = run.normalized().rows();
        double[] normalized = HostMemory.doubles("what attention adds", tokens, width);
        double[] inverse = new double[tokens];
        double[] factors = new double[width];
        backend.downloadLater(run.normalized().buffer(), run.normalized().offset(), normalized, 0, tokens * width);
        backend.downloadLater(run.inverseStd(), 0, inverse, 0, tokens);
        backend.downloadLater(gain, 0, factors, 0, width);
        backend.await();
        return new AtRun(normalized, inverse, factors, config.epsilon());
    }

    /** Makes a token's own map M [D, D], of a run of {@code tokens} tokens, M N' diag(g). */
    void afterMap(Matrix map, int token, int tokens, Norm.Primal at) {
        int[] here = new int[config.width()];
        Arrays.fill(here, token);
        tangent(map, RaggedRows.of(tokens, here, here), 0, at);
    }
}
