package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import java.util.ArrayList;
import java.util.List;

/**
 * Factors of scores where queries and keys are a linear layer's: tokens share them. There are 2 E H, Wk q_j of all queries, then Wq k_j
 * of all keys. Those of one token, q_i to q_{E-1} and k_0 to k_i, then follow each other. They take 4 D A E flops.
 */
final class SharedFactors implements ScoreFactors {
    private final int tokens;
    private final int heads;
    private final Matrix factors; // [2 E H, D]

    private SharedFactors(int tokens, int heads, Matrix factors) {
        this.tokens = tokens;
        this.heads = heads;
        this.factors = factors;
    }

    /** Elements of the factors of a run of {@code tokens} tokens. */
    static long elements(AttentionShape shape, int width, int tokens) {
        return 2L * tokens * shape.heads() * width;
    }

    /**
     * Makes the factors of a level.
     *
     * @param weight W [D, 3A] of queries, keys and values
     * @param room for {@link #elements}
     */
    static SharedFactors of(Backend backend, AttentionPrimal primal, Matrix weight, int tokens, Buffer room) {
        AttentionShape shape = primal.shape();
        int heads = shape.heads();
        Matrix factors = Matrix.of(room, 2 * tokens * heads, weight.rows());
        Matrix run = primal.qkv().rows(0, tokens);
        List<Product> products = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            int query = head * shape.headWidth();
            int key = shape.width() + query;
            Matrix ofQueries = every(factors, head, tokens, heads);
            Matrix ofKeys = every(factors, tokens * heads + head, tokens, heads);
            products.add(product(run, query, weight, key, shape.headWidth(), ofQueries));
            products.add(product(run, key, weight, query, shape.headWidth(), ofKeys));
        }
        backend.multiplyEach(shape.scale(), products);
        return new SharedFactors(tokens, heads, factors);
    }

    /** x W' for {@code h} columns of x and of W, from the given ones on. */
    static Product product(Matrix x, int fromX, Matrix weight, int fromWeight, int h, Matrix into) {
        return new Product(columns(x, fromX, h), false, columns(weight, fromWeight, h), true, into);
    }

    /** {@code count} columns of a matrix. */
    static Matrix columns(Matrix m, int from, int count) {
        return new Matrix(m.buffer(), m.offset() + from, m.rows(), count, m.stride());
    }

    /** {@code count} rows from a given one on, one in as many as there are heads. */
    static Matrix every(Matrix factors, int from, int count, int heads) {
        return new Matrix(factors.buffer(), factors.at(from), count, factors.columns(), heads * factors.stride());
    }

    @Override
    public int atOnce() {
        return tokens;
    }

    @Override
    public void hold(int from, int to) {
        // All are there.
    }

    @Override
    public List<Matrix> of(int token) {
        return List.of(factors.rows(token * heads, heads * (tokens + 1)));
    }
}
