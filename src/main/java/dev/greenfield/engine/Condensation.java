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
 * <p>Of a gated MLP M is (Wgate diag(act'(g) u) + Wup diag(act(g))) Wdown: the hidden layer's tangents along the rows of its matrices,
 * times Wdown. That takes the same flops to form and saves a third more.
 *
 * <p>A tangent's product x M runs fastest on a GPU when M' is what lies in memory. Where the backend keeps Wdown' beside Wdown, tangents get
 * M' = Wdown' diag(act'(u)) Wup' instead, for the same flops.
 *
 * <p>Where a norm follows the MLP, M is followed by its derivative at the token, which makes it M N' diag(g).
 *
 * <p>The maps of several tokens are one product: the matrices Wup diag(act'(u_t)) of the tokens, one below the other, times Wdown. A
 * product of D rows alone leaves most of a GPU idle.
 */
final class Condensation {
    private final Backend backend;
    private final ModelConfig config;
    private final HiddenLayer layer;
    private final MlpPart.Weights weights;
    private final RaggedRows inputs; // D rows as a batch at one token

    Condensation(Backend backend, ModelConfig config, HiddenLayer layer, MlpPart.Weights weights) {
        this.backend = backend;
        this.config = config;
        this.layer = layer;
        this.weights = weights;
        int[] zeros = new int[config.width()];
        this.inputs = RaggedRows.of(1, zeros, zeros);
    }

    /** Flops of forming one map. */
    static double flopsToForm(ModelConfig config) {
        double d = config.width();
        return 2 * d * d * config.inner();
    }

    /** How many rows of a token make its own map worth forming. */
    static int leastRows(Backend backend, ModelConfig config) {
        return (int) Math.min(Integer.MAX_VALUE, Math.ceil(backend.condensationThreshold() * evenRows(config)));
    }

    /** At how many rows both ways take the same flops: 2 D^2 F + 2 D^2 n = 2 D (W + F) n. */
    private static double evenRows(ModelConfig config) {
        double d = config.width();
        double f = config.inner();
        double up = config.architecture().mlp().upWidth();
        return up + f > d ? d * f / (up + f - d) : Double.POSITIVE_INFINITY;
    }

    /** Takes the tokens of a batch from (inclusive) to (exclusive). */
    interface Tokens {
        void take(int from, int to);
    }

    /** Whether a token's {@code count} rows go through a map of its own. */
    private boolean condenses(MlpPart.Primal at, int token, int count, Retention retention) {
        int least = leastRows(backend, config);
        return count >= least
                || (retention != null
                        && count > 0
                        && retention.maps().has(at, token)
                        && retention.rows(count) >= least);
    }

    /**
     * Cuts the tokens from {@code fromToken} on into runs of those with rows enough for maps of their own, which {@code condensed}
     * takes, and runs of others.
     *
     * @param at the run
     * @param retention what is known of other sweeps; null for nothing
     */
    void split(
            RaggedRows rows, int fromToken, MlpPart.Primal at, Retention retention, Tokens condensed, Tokens others) {
        int t = fromToken;
        while (t < rows.tokens()) {
            boolean enough = condenses(at, t, rows.count(t), retention);
            int to = t + 1;
            while (to < rows.tokens() && condenses(at, to, rows.count(to), retention) == enough) {
                to++;
            }
            (enough ? condensed : others).take(t, to);
            t = to;
        }
    }

    /** How many tokens' maps are formed at once where the MLP works on {@code chunk} rows at a time. */
    static int mapsAtOnce(ModelConfig config, int chunk) {
        return Math.max(1, chunk / config.width());
    }

    /** Takes the map of one token's MLP, [D, D], as it is or transposed. */
    interface Use {
        void take(int token, Matrix map, boolean transposed);
    }

    /** What a map is made of: the rows of {@code left} times act'(u) of a token, [D, F], times the weights of the other layer. */
    private record Factors(Matrix left, Product right, boolean transposed) {}

    private interface Product {
        void of(Matrix scaled, Matrix maps);
    }

    private Factors factors(boolean forTangents) {
        Matrix downTransposed = forTangents && !config.architecture().mlp().gated() && weights.post() == null
                ? backend.keptTranspose(weights.down().weight())
                : null; // [D, F]
        return downTransposed == null
                ? new Factors(weights.up().weight(), weights.down()::multiply, false)
                : new Factors(downTransposed, weights.up()::multiplyTransposed, true);
    }

    /** Elements of {@link #mapsAtOnce} maps. */
    static long mapElements(ModelConfig config, int chunk) {
        return (long) config.width() * config.width() * mapsAtOnce(config, chunk);
    }

    /**
     * Hands over the maps of the tokens from (inclusive) to (exclusive): those that are kept, and others formed, as many at once as
     * there is room for.
     *
     * @param forTangents whether rows will be multiplied by M, else by M'
     * @param at the run
     */
    void maps(boolean forTangents, MlpPart.Primal at, int from, int to, Workspace w, Use use) {
        Factors factors = factors(forTangents);
        int atOnce = w.mapsAtOnce();
        KeptMaps kept = w.retention() == null ? null : w.retention().maps();
        boolean planned = kept != null && kept.planned();
        for (int t = from, n; t < to; t += n) {
            Cancellation.check();
            KeptMaps.Kept there = kept == null ? null : kept.get(at, t);
            if (there == null && planned && kept.has(at, t)) {
                KeptMaps.Tokens together = kept.together(at, t, atOnce);
                form(factors, at, together.from(), together.to(), w, (token, map, transposed) -> {});
                there = kept.get(at, t);
            }
            n = 1;
            if (there != null) {
                use.take(t, there.map(), there.transposed());
                continue;
            }
            while (n < Math.min(atOnce, to - t)
                    && (kept == null || (planned ? !kept.has(at, t + n) : kept.get(at, t + n) == null))) {
                n++;
            }
            form(factors, at, t, t + n, w, use);
        }
    }

    /** Forms the maps of tokens by one product, keeps those that are to be kept, and hands each over. */
    private void form(Factors factors, MlpPart.Primal at, int from, int to, Workspace w, Use use) {
        Matrix derivative = at.derivative(); // [T, W]
        int width = config.width();
        int n = to - from;
        Matrix maps = w.maps(n); // [n D, D]
        if (w.mapsAtOnce() == 1) {
            formInParts(factors, derivative, from, maps, w);
        } else {
            Matrix scaled = w.scaled(n * width); // [n D, F]
            for (int i = 0; i < n; i++) {
                scale(factors.left(), derivative, from + i, 0, scaled.rows(i * width, width));
            }
            factors.right().of(scaled, maps);
        }
        for (int i = 0; i < n; i++) {
            Cancellation.check();
            Matrix map = maps.rows(i * width, width); // [D, D]
            if (weights.post() != null) {
                weights.post().afterMap(map, from + i, derivative.rows(), at.post());
            }
            if (w.retention() != null) {
                w.retention().maps().keep(at, from + i, map, factors.transposed());
            }
            use.take(from + i, map, factors.transposed());
        }
    }

    /** One token's map [D, D], where a chunk of the MLP may have fewer rows. */
    private void formInParts(Factors factors, Matrix derivative, int token, Matrix map, Workspace w) {
        w.forEachChunk(0, map.rows(), (i, n) -> {
            Matrix scaled = w.scaled(n); // [n, F]
            scale(factors.left(), derivative, token, i, scaled);
            factors.right().of(scaled, map.rows(i, n));
        });
    }

    /** The tangents of a token's hidden layer along rows of {@code left} from {@code fromRow} on: [n, W] to [n, F]. */
    private void scale(Matrix left, Matrix derivative, int token, int fromRow, Matrix scaled) {
        Matrix rows = left.rows(fromRow, scaled.rows()); // [n, W]
        layer.tangent(rows, inputs, fromRow, derivative.rows(token, 1), scaled);
    }
}
