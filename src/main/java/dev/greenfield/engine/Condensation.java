package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.ModelConfig;

/**
 * The derivative of a token's MLP as one matrix: M = Wup diag(act'(u)) Wdown, [D, D]. Pushing n rows of the token through the layers
 * takes 4 D F flops a row; forming M takes 2 D^2 F once, and 2 D^2 a row then. Where a token has many rows, more than about 0.6 D
 * for F = 4 D, the second is less. All rows of a token share M, since tangents are linear and of one forward pass.
 */
final class Condensation {
    private final DeviceModel model;
    private final Backend backend;
    private final RaggedRows inputs; // the rows of Wup as a batch at one token: row i of Wup is what input i gives

    Condensation(DeviceModel model) {
        this.model = model;
        this.backend = model.backend();
        int[] zeros = new int[model.config().width()];
        this.inputs = RaggedRows.of(1, zeros, zeros);
    }

    /** How many rows of a token make its own map worth forming. */
    static int leastRows(DeviceModel model) {
        double share = model.backend().condensationThreshold();
        return (int) Math.min(Integer.MAX_VALUE, Math.ceil(share * evenRows(model.config())));
    }

    /** At how many rows both ways take the same flops: 2 D^2 F + 2 D^2 n = 4 D F n. */
    private static double evenRows(ModelConfig config) {
        double d = config.width();
        double f = config.inner();
        return 2 * f > d ? d * f / (2 * f - d) : Double.POSITIVE_INFINITY;
    }

    /** Takes a range of tokens of a batch: one token that is condensed, or any number that are not. */
    interface Part {
        void take(int from, int to, boolean condensed);
    }

    /** Cuts the tokens from {@code fromToken} on into those that are condensed, one by one, and runs of others. */
    void split(RaggedRows rows, int fromToken, Part part) {
        int least = leastRows(model);
        int t = fromToken;
        while (t < rows.tokens()) {
            int to = t;
            while (to < rows.tokens() && rows.count(to) < least) {
                to++;
            }
            if (to > t) {
                part.take(t, to, false);
                t = to;
            } else {
                part.take(t, t + 1, true);
                t++;
            }
        }
    }

    /** Forms the map of one token's MLP, [D, D]. */
    Matrix map(DeviceModel.BlockWeights block, Layers.Primal primal, int token, Workspace w) {
        int width = model.config().width();
        Matrix map = w.tokenMap();
        Matrix slopes = primal.derivative().rows(token, 1);
        int chunk = w.chunk(width);
        for (int i = 0; i < width; i += chunk) {
            int n = Math.min(chunk, width - i);
            Matrix scaled = w.hidden(n);
            backend.activationTangent(block.up().rows(i, n), inputs, i, slopes, scaled);
            backend.multiply(1, scaled, false, block.down(), false, 0, map.rows(i, n));
        }
        return map;
    }

    /** Flops of the products that carry the {@code count} rows of one token through the MLP of a block. */
    static double flops(DeviceModel model, long count) {
        double d = model.config().width();
        double f = model.config().inner();
        return count < leastRows(model) ? 4 * d * f * count : 2 * d * d * (f + count);
    }
}
