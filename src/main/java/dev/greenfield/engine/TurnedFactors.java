package dev.greenfield.engine;

import static dev.greenfield.engine.SharedFactors.columns;
import static dev.greenfield.engine.SharedFactors.every;
import static dev.greenfield.engine.SharedFactors.product;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Factors of scores where tokens do not share them, since each turns its queries and keys by its own angle: with q_i = R_i J_i Wq' n_i
 * they are Wk J_i' R_i' q_j and Wq J_i' R_i' k_j. J_i is the derivative of the norm of the token's head, where there is one. So the run's
 * queries and keys are turned back by the angle of the token, and multiplied by the weights then: 2 D A (E + 1) flops a token.
 * Where heads share keys, each has the weights of its group's.
 *
 * <p>They are made for as many tokens at a time as there is room for: one product a head makes what comes of the queries for all these
 * tokens, another what comes of the keys.
 */
final class TurnedFactors implements ScoreFactors {
    private final Backend backend;
    private final AttentionShape shape;
    private final int keyHeads;
    private final Matrix weight;
    private final int tokens;
    private final int atOnce;
    private final HeadLayout layout; // each query head with a key of its own
    private final Matrix swapped; // [E, 3A]: keys and queries of the run where queries and keys are; then its values
    private final Matrix
            turned; // [n (E + 1), 3A]: what swapped rows are before they are turned; of queries, then of keys
    private final Matrix factors; // [n (E + 1) H, D]: likewise
    private final Matrix normalized; // [E, 2A] of every head's query and key; null where they have no norms
    private final Buffer inverse; // [E, 2H]
    private int from;
    private int to;

    /**
     * Prepares a level.
     *
     * @param heads of the run
     * @param weight W [D, (H + 2 K) h]
     * @param tokens E, those up to the last that the batch has rows at
     * @param atOnce how many tokens' factors the room is for
     * @param room of {@link #elements}
     * @param inverse room of {@link #inverseElements}; null where heads have no norms
     */
    TurnedFactors(
            Backend backend,
            AttentionPrimal primal,
            Heads.Primal heads,
            Matrix weight,
            int tokens,
            int atOnce,
            Buffer room,
            Buffer inverse) {
        this.backend = backend;
        this.shape = primal.shape();
        this.keyHeads = heads.layout().keyHeads();
        this.weight = weight;
        this.tokens = tokens;
        this.atOnce = atOnce;
        this.layout = new HeadLayout(
                shape.heads(),
                shape.heads(),
                shape.headWidth(),
                heads.layout().rotation(),
                heads.layout().gain());
        int a = shape.width();
        int n = atOnce * (tokens + 1);
        Carver carver = new Carver(room);
        this.swapped = carver.matrix(tokens, 3 * a);
        this.turned = carver.matrix(n, 3 * a);
        this.factors = carver.matrix(n * shape.heads(), weight.rows());
        Matrix run = primal.qkv().rows(0, tokens);
        copy(columns(run, a, a), columns(swapped, 0, a));
        copy(columns(run, 0, a), columns(swapped, a, a));
        copy(columns(run, 2 * a, a), columns(swapped, 2 * a, a)); // not used, but looked at
        this.inverse = inverse;
        if (heads.norms().isEmpty()) {
            this.normalized = null;
        } else {
            this.normalized = carver.matrix(tokens, 2 * a);
            spreadNorms(heads.norms().get(0));
        }
    }

    /** Cuts matrices from the front of a buffer. */
    private static final class Carver {
        private final Buffer buffer;
        private long taken;

        Carver(Buffer buffer) {
            this.buffer = buffer;
        }

        Matrix matrix(int rows, int columns) {
            Matrix made = new Matrix(buffer, taken, rows, columns, columns);
            taken += (long) rows * columns;
            return made;
        }
    }

    /** Elements of room for a level of a run of {@code tokens} tokens, for the factors of {@code atOnce} of them. */
    static long elements(AttentionShape shape, boolean normed, int width, int tokens, int atOnce) {
        return (normed ? 5L : 3L) * shape.width() * tokens + atOnce * elementsOfToken(shape, width, tokens);
    }

    /** Elements for each token whose factors are held. */
    static long elementsOfToken(AttentionShape shape, int width, int tokens) {
        return (tokens + 1L) * ((long) shape.heads() * width + 3L * shape.width());
    }

    /** Elements of 1/norm for every head's query and key. */
    static long inverseElements(AttentionShape shape, int tokens) {
        return 2L * shape.heads() * tokens;
    }

    private void copy(Matrix x, Matrix y) {
        backend.blocks().scaleColumns(x, null, y);
    }

    /** A run keeps the norms of heads' keys once for all that share them. */
    private void spreadNorms(Heads.Normed kept) {
        int heads = shape.heads();
        int h = shape.headWidth();
        Matrix vectors = kept.normalized().rows(0, tokens); // [E, (H + K) h]
        Matrix numbers = Matrix.of(kept.inverse(), tokens, kept.groups()); // [E, H + K]
        Matrix spread = Matrix.of(inverse, tokens, 2 * heads);
        copy(columns(vectors, 0, heads * h), columns(normalized, 0, heads * h));
        copy(columns(numbers, 0, heads), columns(spread, 0, heads));
        for (int head = 0; head < heads; head++) {
            int key = heads + keyHead(head);
            copy(columns(vectors, key * h, h), columns(normalized, (heads + head) * h, h));
            copy(columns(numbers, key, 1), columns(spread, heads + head, 1));
        }
    }

    private int keyHead(int head) {
        return head / (shape.heads() / keyHeads);
    }

    @Override
    public int atOnce() {
        return atOnce;
    }

    @Override
    public void hold(int first, int end) {
        if (from <= first && end <= to) {
            return;
        }
        from = first;
        to = end;
        for (int t = first; t < end; t++) {
            Cancellation.check();
            turn(t, t, tokens - t, queriesAt(t));
            turn(t, 0, t + 1, keysAt(t));
        }
        int queries = queriesAt(end);
        int keys = keysAt(end) - queries;
        int h = shape.headWidth();
        List<Product> products = new ArrayList<>();
        for (int head = 0; head < shape.heads(); head++) {
            int query = head * h;
            int key = (shape.heads() + keyHead(head)) * h; // in the weights
            Matrix ofQueries = every(factors, head, queries, shape.heads());
            Matrix ofKeys = every(factors, queries * shape.heads() + head, keys, shape.heads());
            products.add(product(turned.rows(0, queries), shape.width() + query, weight, key, h, ofQueries));
            products.add(product(turned.rows(queries, keys), query, weight, query, h, ofKeys));
        }
        backend.multiplyEach(shape.scale(), products);
    }

    /** Where what comes of the queries for a token begins: after E - s rows for each token s before it. */
    private int queriesAt(int token) {
        return (token - from) * tokens - (pairs(token) - pairs(from));
    }

    /** Likewise of the keys, after all of the queries and s + 1 rows for each token s before it. */
    private int keysAt(int token) {
        return queriesAt(to) + pairs(token + 1) - pairs(from + 1);
    }

    /** 0 + 1 + ... + (n - 1). */
    private static int pairs(int n) {
        return n * (n - 1) / 2;
    }

    /** Takes {@code count} rows of the run from {@code row} on back to before they would be turned at a token. */
    private void turn(int token, int row, int count, int at) {
        int[] there = new int[count];
        Arrays.fill(there, token);
        RaggedRows rows = RaggedRows.of(token + 1, there, there);
        Matrix back = turned.rows(at, count);
        backend.blocks().gatherHeads(layout, swapped.rows(row, count), rows, back);
        if (normalized != null) {
            Matrix both = columns(back, 0, 2 * shape.width());
            backend.blocks().rmsNormTangent(both, 2 * shape.heads(), rows, 0, normalized, inverse, both, false);
        }
    }

    @Override
    public List<Matrix> of(int token) {
        int heads = shape.heads();
        return List.of(
                factors.rows(queriesAt(token) * heads, (tokens - token) * heads),
                factors.rows(keysAt(token) * heads, (token + 1) * heads));
    }
}
