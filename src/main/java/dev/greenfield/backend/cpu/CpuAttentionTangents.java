package dev.greenfield.backend.cpu;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

/**
 * The shorter tangents of attention. Those of columns that are zero but at their first token take one head in a task: the
 * probabilities and outputs of the forward pass are made once, and serve all columns.
 */
final class CpuAttentionTangents implements AttentionTangents {
    private static final int TILE = 32;
    private static final int CHUNK = 64;

    private final Gemm gemm;
    private final Workers workers;
    private final CpuMemory memory;
    private final CpuAttentionDerivatives derivatives;

    CpuAttentionTangents(Gemm gemm, CpuMemory memory, Workers workers, CpuAttentionDerivatives derivatives) {
        this.derivatives = derivatives;
        this.gemm = gemm;
        this.workers = workers;
        this.memory = memory;
    }

    @Override
    public boolean pay() {
        return true;
    }

    @Override
    public void ofScores(
            AttentionPrimal primal, Matrix dv, Matrix scores, RaggedRows rows, int queriesFrom, Matrix dout) {
        derivatives.tangentOfScores(primal, dv, scores, rows, queriesFrom, dout);
    }

    @Override
    public void ofNewborn(AttentionPrimal primal, Matrix dqkv, RaggedRows columns, int queriesFrom, Matrix dout) {
        if (columns.columns() == 0) {
            return;
        }
        workers.run(primal.shape().heads(), head -> {
            Task task = new Task(primal, dqkv, columns, queriesFrom, dout, head);
            try {
                task.run();
            } finally {
                task.block.free();
            }
        });
    }

    /** One head of all columns. Queries go in tiles, so that memory stays proportional to tokens. */
    private final class Task {
        final HeadPrimal primal;
        final AttentionShape shape;
        final Matrix dqkv;
        final RaggedRows columns;
        final int queriesFrom;
        final Matrix dout;
        final int head;
        final int h;
        final float scale;
        final int end; // token after the last
        final int chunk; // the most columns at a time; they begin at one token

        final CpuMemory.Block block;
        final int probabilityAt; // [TILE][end]
        final int slopeAt; // of capped scores, likewise
        final int outputAt; // [TILE][h]
        final int scoreAt; // [TILE][chunk]: q_i dk
        final int ownAt; // [end][chunk]: dq k_j of the keys up to the first token

        Task(AttentionPrimal primal, Matrix dqkv, RaggedRows columns, int queriesFrom, Matrix dout, int head) {
            this.primal = new HeadPrimal(gemm, primal, head);
            this.shape = primal.shape();
            this.dqkv = dqkv;
            this.columns = columns;
            this.queriesFrom = queriesFrom;
            this.dout = dout;
            this.head = head;
            this.h = shape.headWidth();
            this.scale = (float) shape.scale();
            this.end = columns.last(0) + 1;
            this.chunk = Math.min(CHUNK, columns.columns());
            this.probabilityAt = 0;
            this.slopeAt = TILE * end;
            this.outputAt = slopeAt + (shape.softCap() > 0 ? TILE * end : 0);
            this.scoreAt = outputAt + TILE * h;
            this.ownAt = scoreAt + TILE * chunk;
            this.block = memory.allocate(ownAt + (long) end * chunk);
        }

        /** Queries (part 0), keys (1) or values (2) of this head at the first tokens of {@code count} columns, [count, h]. */
        View first(int part, int column, int count) {
            return new View(CpuBuffer.of(dqkv.buffer()).block(), firstAt(part, column), count, h, dqkv.stride());
        }

        long firstAt(int part, int column) {
            return dqkv.at(column) + (long) part * shape.width() + (long) head * h;
        }

        void run() {
            for (int i0 = Math.max(columns.first(0), queriesFrom); i0 < end; i0 += TILE) {
                int i1 = Math.min(i0 + TILE, end);
                primal.probabilities(block, probabilityAt, end, i0, i1, slopeAt, -1);
                View probabilities = new View(block, probabilityAt, i1 - i0, i1, end);
                gemm.multiply(1, probabilities, primal.part(2, 0, i1), 0, new View(block, outputAt, i1 - i0, h, h));
                for (int c = 0, to; c < columns.columns() && columns.first(c) < i1; c = to) {
                    to = c + 1;
                    while (to < columns.columns() && to - c < chunk && columns.first(to) == columns.first(c)) {
                        to++;
                    }
                    tangents(c, to, i0, i1);
                }
            }
        }

        /** The rows at tokens i0 to i1 - 1 of the columns from (inclusive) to (exclusive), which begin at one token t. */
        void tangents(int from, int to, int i0, int i1) {
            int t = columns.first(from);
            int n = to - from;
            int begin = Math.max(i0, t);
            View scores = new View(block, scoreAt, i1 - begin, n, n);
            gemm.multiply(
                    scale, primal.part(0, begin, i1 - begin), first(1, from, n).transpose(), 0, scores);
            if (begin == t) {
                View own = new View(block, ownAt, t + 1, n, n);
                gemm.multiply(scale, primal.part(1, 0, t + 1), first(0, from, n).transpose(), 0, own);
                for (int c = 0; c < n; c++) {
                    first(t, from + c, i0, c, n);
                }
            }
            float[] term = Scratch.mine().floats(0, h);
            float[] output = Scratch.mine().floats(1, h);
            float[] dv = Scratch.mine().floats(2, n * h);
            float[] weights = Scratch.mine().floats(3, n);
            Floats work = block.view();
            for (int c = 0; c < n; c++) {
                CpuBuffer.floats(dqkv).get(firstAt(2, from + c), dv, c * h, h);
            }
            Floats out = CpuBuffer.floats(dout);
            for (int i = Math.max(begin, t + 1); i < i1; i++) {
                float p = work.get(probabilityAt + (i - i0) * end + t);
                float steep = p == 0 ? 0 : p * slope(i - i0, t);
                work.get(scoreAt + (i - begin) * n, weights, 0, n);
                value(t, term);
                work.get(outputAt + (i - i0) * h, output, 0, h);
                for (int e = 0; e < h; e++) {
                    term[e] = steep * (term[e] - output[e]); // v_t - o_i
                }
                for (int c = 0; c < n; c++) {
                    combine(output, p, dv, c * h, weights[c], term, h);
                    out.put(outAt(i, from + c), output, 0, h);
                }
            }
        }

        /** The value of a token in the forward pass. */
        void value(int token, float[] into) {
            View value = primal.part(2, token, 1);
            value.block().view().get(value.offset(), into, 0, h);
        }

        long outAt(int token, int column) {
            return dout.at(columns.row(token, column)) + (long) head * h;
        }

        /** The slope of a capped score; where the query does not see the key it may be anything. */
        float slope(int row, int key) {
            return shape.softCap() > 0 ? block.view().get(slopeAt + row * end + key) : 1;
        }

        /** The row of a column at its first token t, whose scores of all keys move; it is number {@code c} of n that are worked on. */
        void first(int t, int column, int i0, int c, int n) {
            Floats work = block.view();
            float[] out = Scratch.mine().floats(0, h);
            float[] term = Scratch.mine().floats(1, h);
            double[] ds = Scratch.mine().doubles(t + 1);
            int row = probabilityAt + (t - i0) * end;
            double mean = 0;
            for (int j = shape.firstKey(t); j <= t; j++) {
                double score = work.get(ownAt + j * n + c);
                if (j == t) {
                    score += work.get(scoreAt + c);
                }
                ds[j] = score * slope(t - i0, j);
                mean += work.get(row + j) * ds[j];
            }
            CpuBuffer.floats(dqkv).get(firstAt(2, column), out, 0, h);
            float p = work.get(row + t);
            for (int e = 0; e < h; e++) {
                out[e] *= p;
            }
            for (int j = shape.firstKey(t); j <= t; j++) {
                value(j, term);
                float factor = (float) (work.get(row + j) * (ds[j] - mean));
                for (int e = 0; e < h; e++) {
                    out[e] += factor * term[e];
                }
            }
            CpuBuffer.floats(dout).put(outAt(t, column), out, 0, h);
        }
    }

    private static void combine(float[] to, float a, float[] x, int at, float b, float[] y, int n) {
        for (int e = 0; e < n; e++) {
            to[e] = a * x[at + e] + b * y[e];
        }
    }
}
