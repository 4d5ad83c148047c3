package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.model.ModelConfig;

/**
 * The derivative of a token's MLP as one matrix: M = Wup diag(act'(u)) Wdown, [D, D]. Pushing n rows of the token through the layers
 * takes 4 D F flops a row; forming M takes 2 D^2 F once, and 2 D^2 a row then. Where a token has many rows, more than about 0.6 D
 * for F = 4 D, the second is less. All rows of a token share M, since tangents are linear and of one forward pass.
 *
 * <p>The maps of several tokens are one product: the matrices Wup diag(act'(u_t)) of the tokens, one below the other, times Wdown. A
 * product of D rows alone leaves most of a GPU idle.
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

    /** Takes a range of tokens of a batch, all of which are condensed or none. */
    interface Part {
        void take(int from, int to, boolean condensed);
    }

    /** Cuts the tokens from {@code fromToken} on into runs of those that are condensed and runs of others. */
    void split(RaggedRows rows, int fromToken, Part part) {
        int least = leastRows(model);
        int t = fromToken;
        while (t < rows.tokens()) {
            boolean condensed = rows.count(t) >= least;
            int to = t + 1;
            while (to < rows.tokens() && (rows.count(to) >= least) == condensed) {
                to++;
            }
            part.take(t, to, condensed);
            t = to;
        }
    }

    /** How many tokens' maps are formed at once where the MLP works on {@code chunk} rows at a time. */
    static int mapsAtOnce(ModelConfig config, int chunk) {
        return Math.max(1, chunk / config.width());
    }

    /** Takes the map of one token's MLP, [D, D]. */
    interface Use {
        void take(int token, Matrix map);
    }

    /** Forms the maps of the tokens from (inclusive) to (exclusive), as many at once as there is room for, and hands each over. */
    void maps(DeviceModel.BlockWeights block, Layers.Primal primal, int from, int to, Workspace w, Use use) {
        int width = model.config().width();
        int atOnce = w.mapsAtOnce();
        for (int t = from; t < to; t += atOnce) {
            Cancellation.check();
            int n = Math.min(atOnce, to - t);
            Matrix maps = w.maps(n);
            if (atOnce == 1) {
                formInParts(block, primal, t, maps, w);
            } else {
                Matrix scaled = w.hidden(n * width);
                for (int i = 0; i < n; i++) {
                    scale(block, primal, t + i, 0, scaled.rows(i * width, width));
                }
                backend.multiply(1, scaled, false, block.down(), false, 0, maps);
            }
            for (int i = 0; i < n; i++) {
                Cancellation.check();
                use.take(t + i, maps.rows(i * width, width));
            }
        }
    }

    /** One token's map, where a chunk of the MLP may have fewer rows than Wup. */
    private void formInParts(DeviceModel.BlockWeights block, Layers.Primal primal, int token, Matrix map, Workspace w) {
        int chunk = w.chunk(map.rows());
        for (int i = 0; i < map.rows(); i += chunk) {
            int n = Math.min(chunk, map.rows() - i);
            Matrix scaled = w.hidden(n);
            scale(block, primal, token, i, scaled);
            backend.multiply(1, scaled, false, block.down(), false, 0, map.rows(i, n));
        }
    }

    /** The rows of Wup from {@code fromRow} on, each times act'(u) of a token. */
    private void scale(DeviceModel.BlockWeights block, Layers.Primal primal, int token, int fromRow, Matrix scaled) {
        Matrix up = block.up().rows(fromRow, scaled.rows());
        backend.activationTangent(up, inputs, fromRow, primal.derivative().rows(token, 1), scaled);
    }

    /** Flops of the products that carry the {@code count} rows of one token through the MLP of a block. */
    static double flops(DeviceModel model, long count) {
        double d = model.config().width();
        double f = model.config().inner();
        return count < leastRows(model) ? 4 * d * f * count : 2 * d * d * (f + count);
    }
}
