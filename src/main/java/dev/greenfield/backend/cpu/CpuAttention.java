package dev.greenfield.backend.cpu;

import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

/**
 * The value of causal attention: one task a column and head. The column's keys and values are gathered (its own from its
 * first token on, the base run's before), then tiles of queries take two small products and a softmax each.
 */
final class CpuAttention {
    /** Queries a tile: the part of a tile above the diagonal is computed in vain, so tiles stay small. */
    private static final int TILE = 64;

    private final Gemm gemm;
    private final Workers workers;
    private final CpuMemory memory;

    CpuAttention(Gemm gemm, CpuMemory memory, Workers workers) {
        this.gemm = gemm;
        this.workers = workers;
        this.memory = memory;
    }

    void value(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        int heads = shape.heads();
        workers.run(
                rows.columns() * heads,
                n -> oneHead(
                        shape,
                        qkv,
                        rows,
                        base,
                        queriesFrom,
                        out,
                        logSumExp == null ? null : CpuBuffer.of(logSumExp).view(),
                        n / heads,
                        n % heads));
    }

    private void oneHead(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Floats logSumExp,
            int column,
            int head) {
        int h = shape.headWidth();
        int width = shape.width();
        int first = rows.first(column);
        int last = rows.last(column);
        int from = Math.max(first, queriesFrom);
        int keys = last + 1;
        if (from > last) {
            return;
        }
        int tile = Math.min(TILE, last + 1 - from);
        int keyAt = 0;
        int valueAt = keys * h;
        int queryAt = 2 * keys * h;
        int scoreAt = queryAt + tile * h;
        int outAt = scoreAt + tile * keys;
        CpuMemory.Block block = memory.allocate(outAt + tile * h);
        try {
            Floats work = block.view();
            Floats own = CpuBuffer.floats(qkv);
            for (int j = 0; j < keys; j++) {
                Floats source = j < first ? CpuBuffer.floats(base) : own;
                long at = (j < first ? base.at(j) : qkv.at(rows.row(j, column))) + (long) head * h;
                work.put(keyAt + j * h, source, at + width, h);
                work.put(valueAt + j * h, source, at + 2L * width, h);
            }
            Floats target = CpuBuffer.floats(out);
            for (int i0 = from; i0 <= last; i0 += tile) {
                int i1 = Math.min(i0 + tile, last + 1);
                int n = i1 - i0;
                for (int i = i0; i < i1; i++) {
                    work.put(queryAt + (i - i0) * h, own, qkv.at(rows.row(i, column)) + (long) head * h, h);
                }
                View scores = new View(block, scoreAt, n, i1, keys);
                View queries = new View(block, queryAt, n, h, h);
                gemm.multiply((float) shape.scale(), queries, new View(block, keyAt, i1, h, h).transpose(), 0, scores);
                for (int i = i0; i < i1; i++) {
                    float l = softmax(work, scoreAt + (i - i0) * keys, shape, i, i1);
                    if (logSumExp != null) {
                        logSumExp.put(head * rows.tokens() + i, l);
                    }
                }
                gemm.multiply(1, scores, new View(block, valueAt, i1, h, h), 0, new View(block, outAt, n, h, h));
                for (int i = i0; i < i1; i++) {
                    target.put(out.at(rows.row(i, column)) + (long) head * h, work, outAt + (i - i0) * h, h);
                }
            }
        } finally {
            block.free();
        }
    }

    /** Turns the scores of query i into probabilities of the keys that it sees and the rest, up to {@code end}, into zeros. */
    private static float softmax(Floats work, int at, AttentionShape shape, int i, int end) {
        int first = shape.firstKey(i);
        int n = i + 1;
        float[] row = Scratch.mine().floats(0, end);
        double[] e = Scratch.mine().doubles(n);
        work.get(at, row, 0, n);
        if (shape.softCap() > 0) {
            SoftCap.apply(row, null, null, e, shape.softCap(), first, n);
        }
        float max = Float.NEGATIVE_INFINITY;
        for (int j = first; j < n; j++) {
            max = Math.max(max, row[j]);
        }
        double sum = Softmax.of(row, max, e, first, n);
        for (int j = n; j < end; j++) {
            row[j] = 0;
        }
        work.put(at, row, 0, end);
        return (float) (max + Math.log(sum));
    }
}
