package dev.greenfield.engine;

import static dev.greenfield.engine.SharedFactors.columns;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * Tangents of scores without those of queries and keys. Attention reads dq_i and dk_i of a token only through dq_i k_j with the keys
 * up to its own and through q_j dk_i with the queries from its own on: H (E + 1) numbers for a run of E tokens, where dq_i and dk_i
 * themselves are A + K h. With dq_i = dn Wq they are dn (Wq k_j) and dn (Wk q_j), and what stands in brackets is the run's: the
 * {@link ScoreFactors} of the token. One product makes all its scores of them.
 *
 * <p>It takes 2 D H (E + 1) flops a row instead of 2 D (A + K h), and what the factors take: 4 D A a token where tokens share them, see
 * {@link SharedFactors}, and 2 D A (E + 1) where they do not, see {@link TurnedFactors}. Those of all tokens are made once for all tiles
 * of a batch; where there is no room for that, a batch that is one tile gets them for some tokens at a time. It does not hold for scores with a
 * soft cap, and not where one norm goes over all heads: there a factor would be as wide as all of them.
 */
final class KeyPath {
    /** Rows a token, from which on the products of single tokens are as fast as those of all. */
    static final int LEAST_ROWS = 24;

    /** Elements that factors may take where the batch and its second matrix take as many, though an eighth of these is less. */
    private static final long SMALL = 1L << 26;

    private final Backend backend;
    private final ModelConfig config;
    private final Architecture.Attention attention;
    private final AttentionShape shape;
    private final Heads heads;
    private final boolean possible;

    /** @param heads whose way from normalized rows to q, k and v this shortens */
    KeyPath(Backend backend, ModelConfig config, AttentionShape shape, Heads heads, Shortcuts shortcuts) {
        this.backend = backend;
        this.config = config;
        this.attention = config.architecture().attention();
        this.shape = shape;
        this.heads = heads;
        this.possible = possible(backend, attention, shortcuts);
    }

    private static boolean possible(Backend backend, Architecture.Attention attention, Shortcuts shortcuts) {
        return backend.attentionTangents() != null
                && shortcuts.keyPath().on(backend.attentionTangents().pay())
                && attention.softCap() == 0
                && attention.headNorms() != Architecture.HeadNorms.WHOLE;
    }

    /** Whether a batch of so many rows goes this way. */
    boolean takes(BatchSize size) {
        return possible
                && size.rows() >= (long) LEAST_ROWS * size.tokens()
                && pays(size)
                && (keeps(size) || size.rows() <= backend.preferredAttentionRows());
    }

    /** Whether it takes fewer flops; an eighth fewer at least, since attention reads scores more slowly than it makes them. */
    private boolean pays(BatchSize size) {
        double scores = (double) scoresOfRow(size.tokens()) * size.rows();
        // Factors that tokens share are few beside the rows that there must be.
        double factors = attention.plain() ? 0 : (size.tokens() + 1.0) * shape.width() * size.tokens();
        return 8 * (scores + factors) <= 7.0 * (shape.width() + attention.keyWidth()) * size.rows();
    }

    /** Whether there is room for the factors of all tokens at once. */
    private boolean keeps(BatchSize size) {
        return attention.plain() || atOnce(size) == size.tokens();
    }

    private int atOnce(BatchSize size) {
        int tokens = size.tokens();
        long room = Math.min(backend.maxBufferLength(), mostElements(config, size.rows()));
        long rest = room - TurnedFactors.elements(shape, normed(), config.width(), tokens, 0);
        return (int) Math.max(1, Math.min(tokens, rest / TurnedFactors.elementsOfToken(shape, config.width(), tokens)));
    }

    private boolean normed() {
        return attention.headNorms() != Architecture.HeadNorms.NONE;
    }

    /** Flops of a row's scores, and of its value. */
    double flopsOfRow(int tokens) {
        return 2.0 * config.width() * (scoresOfRow(tokens) + attention.keyWidth());
    }

    /** Flops of making a token's share of the factors. Those that tokens share are made of all, so that one without rows has a share too. */
    double flopsOfToken(long count, int tokens) {
        double one = 2.0 * config.width() * shape.width();
        return attention.plain() ? 2 * one : count == 0 ? 0 : one * (tokens + 1);
    }

    /** The most elements that the factors of a level take where a batch has {@code rows} rows. */
    static long mostElements(Backend backend, ModelConfig config, Shortcuts shortcuts, long rows) {
        return rows < LEAST_ROWS || !possible(backend, config.architecture().attention(), shortcuts)
                ? 0
                : mostElements(config, rows);
    }

    /**
     * Where it pays a token has at most 7/4 A factors. Shared ones of all tokens are 2 E H, at most 7/2 D. Others come with 3/H as many
     * elements of width A, twice, and 2/H where heads have norms.
     */
    private static long mostElements(ModelConfig config, long rows) {
        Architecture.Attention attention = config.architecture().attention();
        long width = config.width();
        if (attention.plain()) {
            return 4 * width * width;
        }
        long oneToken = 2L * attention.queryWidth() * (width + 9L * attention.headWidth());
        return Math.max(oneToken, Math.max(Math.min(2 * rows * width, SMALL), rows * width / 4));
    }

    /** How many scores a row of a batch has. */
    int scoresOfRow(int tokens) {
        return shape.heads() * (tokens + 1);
    }

    /**
     * The factors of a level.
     *
     * @param kept of the run's heads
     * @param room gives room for factors
     * @param normRoom gives room for norms of heads
     */
    ScoreFactors factors(
            AttentionPrimal primal,
            Heads.Primal kept,
            BatchSize size,
            LongFunction<Buffer> room,
            LongFunction<Buffer> normRoom) {
        int tokens = size.tokens();
        int width = config.width();
        Matrix weight = heads.projection().weight();
        if (attention.plain()) {
            long elements = SharedFactors.elements(shape, width, tokens);
            return SharedFactors.of(backend, primal, weight, tokens, room.apply(elements));
        }
        int atOnce = atOnce(size);
        long elements = TurnedFactors.elements(shape, normed(), width, tokens, atOnce);
        Buffer norms = normed() ? normRoom.apply(TurnedFactors.inverseElements(shape, tokens)) : null;
        return new TurnedFactors(backend, primal, kept, weight, tokens, atOnce, room.apply(elements), norms);
    }

    /**
     * Tangents of attention.
     *
     * @param dn normalized tangents of a tile's rows, [m, D]
     * @param factors of the level
     * @param dv room [m, A]
     * @param projected room [m, (H + 2 K) h]; null where heads share nothing
     * @param scores room [m, H (E + 1)]
     * @param attended [m, A]; may be in the memory of dn
     */
    void tangent(
            AttentionPrimal primal,
            Matrix dn,
            RaggedRows tile,
            ScoreFactors factors,
            int fromToken,
            Matrix dv,
            Matrix projected,
            Matrix scores,
            Matrix attended) {
        values(dn, projected, dv);
        int end = tile.last(0) + 1;
        for (int from = tile.first(0), to; from < end; from = to) {
            to = Math.min(end, from + factors.atOnce());
            factors.hold(from, to);
            List<Product> products = new ArrayList<>();
            for (int t = from; t < to; t++) {
                int n = tile.count(t);
                long at = scores.at(tile.start(t));
                for (Matrix own : n > 0 ? factors.of(t) : List.<Matrix>of()) {
                    Matrix block = new Matrix(scores.buffer(), at, own.rows(), n, n);
                    products.add(new Product(own, false, dn.rows(tile.start(t), n), true, block));
                    at += (long) own.rows() * n;
                }
            }
            backend.multiplyEach(1, products);
        }
        backend.attentionTangents().ofScores(primal, dv, scores, tile, fromToken, attended);
    }

    /** Tangents of values, those of shared ones once for each head that reads them. */
    private void values(Matrix dn, Matrix projected, Matrix dv) {
        int keyWidth = attention.keyWidth();
        Matrix weight = columns(heads.projection().weight(), shape.width() + keyWidth, keyWidth);
        if (attention.keyHeads() == attention.heads()) {
            backend.multiply(1, dn, false, weight, false, 0, dv);
            return;
        }
        Matrix shared = new Matrix(projected.buffer(), projected.offset(), dn.rows(), keyWidth, keyWidth); // [m, K h]
        backend.multiply(1, dn, false, weight, false, 0, shared);
        int h = shape.headWidth();
        int group = attention.heads() / attention.keyHeads();
        for (int head = 0; head < attention.heads(); head++) {
            backend.blocks().scaleColumns(columns(shared, head / group * h, h), null, columns(dv, head * h, h));
        }
    }
}
