package dev.greenfield.backend.cpu;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;

/**
 * The shorter tangents of attention. Those of columns that are zero but at their first token take one head in a task: the
 * probabilities and outputs of the forward pass are made once, and serve all columns.
 */
final class CpuAttentionTangents implements AttentionTangents {
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

    /** One head of all columns. */
    private final class Task {
        final AttentionPrimal primal;
        final AttentionShape shape;
        final Matrix dqkv;
        final RaggedRows columns;
        final int queriesFrom;
        final Matrix dout;
        final int head;
        final int h;
        final int width;
        final int lowest; // token
        final int end; // token after the last
        final int group; // the most columns with one first token

        final CpuMemory.Block block;
        final int probabilityAt; // [end - lowest][end]
        final int slopeAt; // of capped scores, likewise
        final int outputAt; // [end - lowest][h]
        final int scoreAt; // [end][group]: q_i dk of the queries from the first token on
        final int ownAt; // [end][group]: dq k_j of the keys up to the first token

        Task(AttentionPrimal primal, Matrix dqkv, RaggedRows columns, int queriesFrom, Matrix dout, int head) {
            this.primal = primal;
            this.shape = primal.shape();
            this.dqkv = dqkv;
            this.columns = columns;
            this.queriesFrom = queriesFrom;
            this.dout = dout;
            this.head = head;
            this.h = shape.headWidth();
            this.width = shape.width();
            this.lowest = columns.first(0);
            this.end = columns.last(0) + 1;
            int most = 0;
            for (int c = 0; c < columns.columns(); c = groupEnd(c)) {
                most = Math.max(most, groupEnd(c) - c);
            }
            this.group = most;
            int square = (end - lowest) * end;
            this.probabilityAt = 0;
            this.slopeAt = square;
            this.outputAt = slopeAt + (shape.softCap() > 0 ? square : 0);
            this.scoreAt = outputAt + (end - lowest) * h;
            this.ownAt = scoreAt + end * group;
            this.block = memory.allocate(ownAt + (long) end * group);
        }

        /** The column after those that begin at the token of column c and follow it. */
        int groupEnd(int c) {
            int to = c + 1;
            while (to < columns.columns() && columns.first(to) == columns.first(c)) {
                to++;
            }
            return to;
        }

        /** Queries (part 0), keys (1) or values (2) of this head in the forward pass at {@code count} tokens, [count, h]. */
        View primal(int part, int token, int count) {
            long offset = primal.qkv().at(token) + (long) part * width + (long) head * h;
            Matrix qkv = primal.qkv();
            return new View(CpuBuffer.of(qkv.buffer()).block(), offset, count, h, qkv.stride());
        }

        /** The same part of the first tokens of {@code count} columns, [count, h]. */
        View first(int part, int column, int count) {
            return new View(CpuBuffer.of(dqkv.buffer()).block(), firstAt(part, column), count, h, dqkv.stride());
        }

        long firstAt(int part, int column) {
            return dqkv.at(column) + (long) part * width + (long) head * h;
        }

        void run() {
            forward();
            for (int c = 0; c < columns.columns(); c = groupEnd(c)) {
                tangents(c, groupEnd(c));
            }
        }

        /** P, the slopes of capped scores, and P v, of the queries from the lowest token on. */
        void forward() {
            int n = end - lowest;
            gemm.multiply(
                    (float) shape.scale(),
                    primal(0, lowest, n),
                    primal(1, 0, end).transpose(),
                    0,
                    new View(block, probabilityAt, n, end, end));
            float[] row = Scratch.mine().floats(0, end);
            float[] slope = Scratch.mine().floats(1, end);
            double[] e = Scratch.mine().doubles(end);
            Floats logSumExp = CpuBuffer.of(primal.logSumExp()).view();
            for (int i = lowest; i < end; i++) {
                int at = probabilityAt + (i - lowest) * end;
                block.view().get(at, row, 0, i + 1);
                if (shape.softCap() > 0) {
                    SoftCap.apply(row, slope, null, e, shape.softCap(), shape.firstKey(i), i + 1);
                    block.view().put(slopeAt + (i - lowest) * end, slope, 0, i + 1);
                }
                float l = logSumExp.get((long) head * columns.tokens() + i);
                Softmax.of(row, l, e, shape.firstKey(i), i + 1);
                Arrays.fill(row, i + 1, end, 0);
                block.view().put(at, row, 0, end);
            }
            View probabilities = new View(block, probabilityAt, n, end, end);
            gemm.multiply(1, probabilities, primal(2, 0, end), 0, new View(block, outputAt, n, h, h));
        }

        /** The columns from (inclusive) to (exclusive), which begin at one token t. */
        void tangents(int from, int to) {
            int t = columns.first(from);
            int n = to - from;
            float scale = (float) shape.scale();
            View scores = new View(block, scoreAt, end - t, n, n);
            gemm.multiply(scale, primal(0, t, end - t), first(1, from, n).transpose(), 0, scores);
            if (t >= queriesFrom) {
                View own = new View(block, ownAt, t + 1, n, n);
                gemm.multiply(scale, primal(1, 0, t + 1), first(0, from, n).transpose(), 0, own);
                for (int c = from; c < to; c++) {
                    first(t, c, c - from, n);
                }
            }
            float[] term = Scratch.mine().floats(0, h);
            float[] output = Scratch.mine().floats(1, h);
            float[] dv = Scratch.mine().floats(2, n * h);
            float[] weights = Scratch.mine().floats(3, n);
            Floats work = block.view();
            Floats source = CpuBuffer.floats(dqkv);
            for (int c = 0; c < n; c++) {
                source.get(firstAt(2, from + c), dv, c * h, h);
            }
            Floats values = CpuBuffer.floats(primal.qkv());
            Floats out = CpuBuffer.floats(dout);
            for (int i = Math.max(t + 1, queriesFrom); i < end; i++) {
                float p = work.get(probabilityAt + (i - lowest) * end + t);
                float steep = p == 0 ? 0 : p * slope(i, t);
                work.get(scoreAt + (i - t) * n, weights, 0, n);
                values.get(primal.qkv().at(t) + 2L * width + (long) head * h, term, 0, h);
                work.get(outputAt + (i - lowest) * h, output, 0, h);
                for (int e = 0; e < h; e++) {
                    term[e] = steep * (term[e] - output[e]); // v_t - o_i
                }
                for (int c = 0; c < n; c++) {
                    combine(output, p, dv, c * h, weights[c], term, h);
                    out.put(dout.at(columns.row(i, from + c)) + (long) head * h, output, 0, h);
                }
            }
        }

        /** The slope of a capped score; where the query does not see the key it may be anything. */
        float slope(int i, int j) {
            return shape.softCap() > 0 ? block.view().get(slopeAt + (i - lowest) * end + j) : 1;
        }

        /** The row of column c at its first token t, whose scores of all keys move. */
        void first(int t, int c, int inGroup, int n) {
            Floats work = block.view();
            float[] out = Scratch.mine().floats(0, h);
            float[] term = Scratch.mine().floats(1, h);
            double[] ds = Scratch.mine().doubles(t + 1);
            int row = (t - lowest) * end;
            double mean = 0;
            for (int j = shape.firstKey(t); j <= t; j++) {
                double score = work.get(ownAt + j * n + inGroup);
                if (j == t) {
                    score += work.get(scoreAt + inGroup);
                }
                ds[j] = score * slope(t, j);
                mean += work.get(probabilityAt + row + j) * ds[j];
            }
            CpuBuffer.floats(dqkv).get(firstAt(2, c), out, 0, h);
            float p = work.get(probabilityAt + row + t);
            for (int e = 0; e < h; e++) {
                out[e] *= p;
            }
            Floats values = CpuBuffer.floats(primal.qkv());
            for (int j = shape.firstKey(t); j <= t; j++) {
                values.get(primal.qkv().at(j) + 2L * width + (long) head * h, term, 0, h);
                float factor = (float) (work.get(probabilityAt + row + j) * (ds[j] - mean));
                for (int e = 0; e < h; e++) {
                    out[e] += factor * term[e];
                }
            }
            CpuBuffer.floats(dout).put(dout.at(columns.row(t, c)) + (long) head * h, out, 0, h);
        }
    }

    private static void combine(float[] to, float a, float[] x, int at, float b, float[] y, int n) {
        for (int e = 0; e < n; e++) {
            to[e] = a * x[at + e] + b * y[e];
        }
    }
}
