package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * Tangents of scores without those of queries and keys. Attention reads dq_i and dk_i of a token only through dq_i k_j with the keys
 * up to its own and through q_j dk_i with the queries from its own on: H (E + 1) numbers for a run of E tokens, where dq_i and dk_i
 * themselves are 2 A. With dq_i = dn Wq they are dn (Wq k_j) and dn (Wk q_j), and what stands in brackets is the run's.
 *
 * <p>The factors of a level are 2 E H vectors [D]: Wk q_j of all queries, then Wq k_j of all keys, each for all heads side by side.
 * Those of one token, q_i to q_{E-1} and k_0 to k_i, then stand side by side, so that one product makes all its scores.
 *
 * <p>It takes 2 D H (E + 1) flops a row instead of 4 D A, and 4 D A E to make the factors. It holds where queries and keys are a
 * linear layer's: without rotary positions, shared keys and norms of heads.
 */
final class KeyPath {
    /** Rows a token, from which on the products of single tokens are as fast as those of all. */
    static final int LEAST_ROWS = 24;

    private final Backend backend;
    private final ModelConfig config;
    private final AttentionShape shape;
    private final Linear projection;
    private final boolean possible;

    /** @param projection from normalized rows to q, k and v; used where the architecture is plain */
    KeyPath(Backend backend, ModelConfig config, AttentionShape shape, Linear projection, Shortcuts shortcuts) {
        this.backend = backend;
        this.config = config;
        this.shape = shape;
        this.projection = projection;
        this.possible = backend.attentionTangents() != null
                && shortcuts.keyPath().on(backend.attentionTangents().pay())
                && shape.softCap() == 0
                && config.architecture().attention().plain();
    }

    /** Whether a batch of so many rows goes this way. */
    boolean takes(BatchSize size) {
        return possible && size.rows() >= (long) LEAST_ROWS * size.tokens() && pays(config, size.tokens());
    }

    /** Whether it takes fewer flops a row; an eighth fewer at least, since attention reads scores more slowly than it makes them. */
    private static boolean pays(ModelConfig config, int tokens) {
        return 8L * config.heads() * (tokens + 1) <= 7 * 2L * config.width();
    }

    /** Flops of a row's scores. */
    double flopsOfRow(int tokens) {
        return 2.0 * config.width() * config.heads() * (tokens + 1);
    }

    /** Flops of making a token's share of the factors. */
    double flopsOfToken() {
        return 4.0 * config.width() * shape.width();
    }

    /** The most elements that the factors of a level take. */
    static long mostElements(ModelConfig config) {
        return 2L * config.width() * 2 * config.width();
    }

    /** How many rows the factors of a level have. */
    int factorRows(int tokens) {
        return 2 * tokens * shape.heads();
    }

    /** How many scores a row of a batch has. */
    int scoresOfRow(int tokens) {
        return shape.heads() * (tokens + 1);
    }

    /** Makes the factors of a level, [2 E H, D]. */
    Matrix factors(AttentionPrimal primal, int tokens, Matrix factors) {
        int heads = shape.heads();
        List<Product> products = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            products.add(product(primal, 0, 1, head, tokens, every(factors, head, tokens)));
            products.add(product(primal, 1, 0, head, tokens, every(factors, tokens * heads + head, tokens)));
        }
        backend.multiplyEach(shape.scale(), products);
        return factors;
    }

    /** What a part of the run's q, k and v is to the tangents of another part: x W', for one head, [E, D]. */
    private Product product(AttentionPrimal primal, int part, int other, int head, int tokens, Matrix into) {
        int h = shape.headWidth();
        Matrix qkv = primal.qkv();
        Matrix weight = projection.weight();
        Matrix run = new Matrix(qkv.buffer(), qkv.offset() + offset(part, head), tokens, h, qkv.stride());
        Matrix layer =
                new Matrix(weight.buffer(), weight.offset() + offset(other, head), weight.rows(), h, weight.stride());
        return new Product(run, false, layer, true, into);
    }

    private long offset(int part, int head) {
        return (long) part * shape.width() + (long) head * shape.headWidth();
    }

    /** One row in as many as there are heads. */
    private Matrix every(Matrix factors, int from, int count) {
        return new Matrix(
                factors.buffer(), factors.at(from), count, factors.columns(), shape.heads() * factors.stride());
    }

    /**
     * Tangents of attention.
     *
     * @param dn normalized tangents of a tile's rows, [m, D]
     * @param factors of the level
     * @param dv room [m, A]
     * @param scores room [m, H (E + 1)]
     * @param attended [m, A]; may be in the memory of dn
     */
    void tangent(
            AttentionPrimal primal,
            Matrix dn,
            RaggedRows tile,
            Matrix factors,
            int fromToken,
            Matrix dv,
            Matrix scores,
            Matrix attended) {
        int end = tile.last(0) + 1;
        int heads = shape.heads();
        Matrix weight = projection.weight();
        Matrix values = new Matrix(
                weight.buffer(), weight.offset() + offset(2, 0), weight.rows(), shape.width(), weight.stride());
        backend.multiply(1, dn, false, values, false, 0, dv);
        List<Product> products = new ArrayList<>();
        for (int t = tile.first(0); t < end; t++) {
            int n = tile.count(t);
            if (n > 0) {
                Matrix block = new Matrix(scores.buffer(), scores.at(tile.start(t)), scores.columns(), n, n);
                Matrix own = factors.rows(t * heads, heads * (end + 1));
                products.add(new Product(own, false, dn.rows(tile.start(t), n), true, block));
            }
        }
        backend.multiplyEach(1, products);
        backend.attentionTangents().ofScores(primal, dv, scores, tile, fromToken, attended);
    }
}
