package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Cancellation;
import java.util.stream.IntStream;

/**
 * The attention probabilities of a forward pass, P(i, j) = softmax over j of C(scale q_i k_j'), made again on the host in float64 of
 * the queries and keys that the run keeps. These are what the backend's attention was given: normalized, turned by their positions and
 * spread to all heads. Scale, window and soft cap C are those of the same shape.
 */
final class AttentionPatterns {
    private AttentionPatterns() {}

    /**
     * The patterns of one block, [H, T, T] in the order head, query token, key token; exactly zero for keys that a query does not see, those
     * after it and those before its window.
     *
     * @throws dev.greenfield.failure.MemoryBudgetException if one array cannot hold them
     */
    static double[] of(Backend backend, AttentionPrimal primal) {
        AttentionShape shape = primal.shape();
        Matrix qkv = primal.qkv(); // [T, 3 H h]
        int tokens = qkv.rows();
        double[] patterns = HostMemory.doubles("the attention of a block", shape.heads(), tokens, tokens);
        double[] rows = HostMemory.doubles("queries, keys and values", tokens, qkv.columns());
        for (int t = 0; t < tokens; t++) {
            backend.downloadLater(qkv.buffer(), qkv.at(t), rows, t * qkv.columns(), qkv.columns());
        }
        backend.await();
        Cancellation.check();
        IntStream.range(0, shape.heads()).parallel().forEach(head -> {
            for (int i = 0; i < tokens; i++) {
                row(shape, rows, qkv.columns(), head, i, patterns, (head * tokens + i) * tokens);
            }
        });
        return patterns;
    }

    /** One query's probabilities, written to {@code at} and after. */
    private static void row(AttentionShape shape, double[] rows, int stride, int head, int query, double[] to, int at) {
        int q = query * stride + head * shape.headWidth();
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = shape.firstKey(query); j <= query; j++) {
            int k = j * stride + shape.width() + head * shape.headWidth();
            double score = 0;
            for (int e = 0; e < shape.headWidth(); e++) {
                score += rows[q + e] * rows[k + e];
            }
            score *= shape.scale();
            to[at + j] = shape.softCap() > 0 ? shape.softCap() * Math.tanh(score / shape.softCap()) : score;
            largest = Math.max(largest, to[at + j]);
        }
        double sum = 0;
        for (int j = shape.firstKey(query); j <= query; j++) {
            to[at + j] = Math.exp(to[at + j] - largest);
            sum += to[at + j];
        }
        for (int j = shape.firstKey(query); j <= query; j++) {
            to[at + j] /= sum;
        }
    }
}
