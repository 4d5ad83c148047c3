package dev.greenfield.backend.cpu;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;

/**
 * Curvature of causal attention for many columns on one forward pass. Unlike the tangent it multiplies rows of a column with rows of
 * the same column (dq dk' and P' dv), so a column's rows of a head are gathered side by side and every product is one of that
 * column. One task takes one head and a chunk of columns, which share the probabilities of a tile of queries.
 */
final class CpuAttentionCurvature {
    private static final int TILE = 32;
    private static final int CHUNK = 16;

    private final Gemm gemm;
    private final CpuMemory memory;
    private final Workers workers;

    CpuAttentionCurvature(Gemm gemm, CpuMemory memory, Workers workers) {
        this.gemm = gemm;
        this.memory = memory;
        this.workers = workers;
    }

    /** Adds the curvature to ddout; see {@link dev.greenfield.backend.Backend#attentionCurvature}. */
    void add(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout) {
        int heads = primal.shape().heads();
        int chunks = (rows.columns() + CHUNK - 1) / CHUNK;
        workers.run(heads * chunks, n -> {
            int from = n / heads * CHUNK;
            Task task = new Task(primal, dqkv, rows, queriesFrom, ddout, n % heads);
            try {
                task.add(from, Math.min(from + CHUNK, rows.columns()));
            } finally {
                task.block.free();
            }
        });
    }

    /** One head. */
    private final class Task {
        final RaggedRows rows;
        final HeadPrimal primal;
        final Matrix dqkv;
        final Matrix ddout;
        final int queriesFrom;
        final AttentionShape shape;
        final float scale;
        final int width;
        final int h;
        final int head;
        final int tile;
        final int tokens;

        final CpuMemory.Block block;
        final int scoreAt; // ds, then P (w - rowsum(P w)); [tile][tokens] as P, which stands at 0
        final int pairAt; // 2 scale dq dk', then 2 P'; [tile][tokens]
        final int queryAt; // dq of the tile's queries, then the result; [tile][h]
        final int keyAt; // dk; [tokens][h]
        final int valueAt; // dv; [tokens][h]
        final int
                capAt; // first, then second derivatives of capped scores, [2][tile][tokens]; nothing where there is no
        // cap

        Task(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout, int head) {
            this.rows = rows;
            this.primal = new HeadPrimal(gemm, primal, head);
            this.dqkv = dqkv;
            this.ddout = ddout;
            this.queriesFrom = queriesFrom;
            this.shape = primal.shape();
            this.scale = (float) primal.shape().scale();
            this.width = primal.shape().width();
            this.h = primal.shape().headWidth();
            this.head = head;
            this.tokens = rows.tokens();
            this.tile = Math.min(TILE, tokens);
            this.scoreAt = tile * tokens;
            this.pairAt = 2 * tile * tokens;
            this.queryAt = 3 * tile * tokens;
            this.keyAt = queryAt + tile * h;
            this.valueAt = keyAt + tokens * h;
            this.capAt = valueAt + tokens * h;
            this.block = memory.allocate(capAt + (capped() ? 2 * tile * tokens : 0));
        }

        private boolean capped() {
            return shape.softCap() > 0;
        }

        void add(int fromColumn, int toColumn) {
            // The first column of a chunk is alive wherever another is.
            int lowest = Math.max(rows.first(fromColumn), queriesFrom);
            int end = rows.last(fromColumn) + 1;
            for (int i0 = lowest; i0 < end; i0 += tile) {
                int i1 = Math.min(i0 + tile, end);
                primal.probabilities(block, 0, tokens, i0, i1, capAt, capAt + tile * tokens);
                for (int c = fromColumn; c < toColumn; c++) {
                    // Rows of the tile that the column has.
                    int from = Math.max(i0, rows.first(c));
                    int to = Math.min(i1, rows.last(c) + 1);
                    if (from < to) {
                        add(c, i0, from, to);
                    }
                }
            }
        }

        /** The queries from (inclusive) to (exclusive) of one column, in the tile that begins at i0. */
        private void add(int column, int i0, int from, int to) {
            int first = rows.first(column);
            int n = to - from;
            gather(column, 0, from, to, queryAt);
            gather(column, 1, first, to, keyAt);
            gather(column, 2, first, to, valueAt);
            View queries = new View(block, queryAt, n, h, h);
            View keys = new View(block, keyAt, to - first, h, h).transpose();
            View scores = new View(block, scoreAt, n, to, tokens);
            View own = new View(block, scoreAt + first, n, to - first, tokens);
            View pairs = new View(block, pairAt + first, n, to - first, tokens);
            gemm.multiply(scale, queries, primal.part(1, 0, to).transpose(), 0, scores);
            gemm.multiply(scale, primal.part(0, from, n), keys, 1, own);
            gemm.multiply(2 * scale, queries, keys, 0, pairs);
            for (int i = from; i < to; i++) {
                weigh(i - i0, i - from, first, i + 1, to);
            }
            gemm.multiply(1, scores, primal.part(2, 0, to), 0, queries);
            gemm.multiply(1, pairs, new View(block, valueAt, to - first, h, h), 1, queries);
            addTo(column, from, to);
        }

        private void gather(int column, int part, int from, int to, int at) {
            Floats in = CpuBuffer.floats(dqkv);
            for (int t = from; t < to; t++) {
                long row = dqkv.at(rows.row(t, column)) + (long) part * width + (long) head * h;
                block.view().put(at + (t - from) * h, in, row, h);
            }
        }

        private void addTo(int column, int from, int to) {
            Floats out = CpuBuffer.floats(ddout);
            float[] result = Scratch.mine().floats(0, h);
            float[] sum = Scratch.mine().floats(1, h);
            for (int t = from; t < to; t++) {
                long at = ddout.at(rows.row(t, column)) + (long) head * h;
                block.view().get(queryAt + (t - from) * h, result, 0, h);
                out.get(at, sum, 0, h);
                VectorMath.add(sum, result, h);
                out.put(at, sum, 0, h);
            }
        }

        /**
         * Makes one query's ds and 2 scale dq dk' the weights of v and dv.
         *
         * @param probabilityRow the query's row in the tile of probabilities
         * @param row its row in the column's matrices
         * @param first the column's first token
         * @param end one past the query's own key
         * @param wide one past the last key of the column's matrices: what lies between counts as zero
         */
        private void weigh(int probabilityRow, int row, int first, int end, int wide) {
            Floats work = block.view();
            float[] p = Scratch.mine().floats(0, tokens);
            float[] ds = Scratch.mine().floats(1, tokens);
            float[] w = Scratch.mine().floats(2, tokens);
            float[] scratch = Scratch.mine().floats(3, tokens);
            work.get((long) probabilityRow * tokens, p, 0, end);
            work.get(scoreAt + row * tokens, ds, 0, end);
            Arrays.fill(w, 0, first, 0);
            work.get(pairAt + row * tokens + first, w, first, end - first);
            if (capped()) {
                cap(probabilityRow, ds, w, end);
            }
            float mean = VectorMath.dot(p, ds, scratch, end);
            for (int j = 0; j < end; j++) {
                ds[j] -= mean;
                w[j] += ds[j] * ds[j];
            }
            float meanW = VectorMath.dot(p, w, scratch, end);
            for (int j = 0; j < end; j++) {
                w[j] = p[j] * (w[j] - meanW);
                ds[j] *= 2 * p[j];
            }
            Arrays.fill(w, end, wide, 0);
            Arrays.fill(ds, end, wide, 0);
            work.put(scoreAt + row * tokens, w, 0, wide);
            work.put(pairAt + row * tokens + first, ds, first, wide - first);
        }

        /** ds and 2 scale dq dk' of scores become those of capped scores. Keys before the window have no probability. */
        private void cap(int probabilityRow, float[] ds, float[] w, int end) {
            float[] slope = Scratch.mine().floats(4, tokens);
            float[] bend = Scratch.mine().floats(5, tokens);
            block.view().get(capAt + probabilityRow * tokens, slope, 0, end);
            block.view().get(capAt + (tile + probabilityRow) * tokens, bend, 0, end);
            for (int j = shape.firstKey(end - 1); j < end; j++) {
                w[j] = slope[j] * w[j] + bend[j] * ds[j] * ds[j];
                ds[j] *= slope[j];
            }
        }
    }
}
