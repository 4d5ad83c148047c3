package dev.greenfield.backend.cpu;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;

/**
 * Tangent and adjoint of causal attention for many columns on one forward pass. One task takes one head and a chunk of
 * columns. Everything of size tokens x tokens is kept with the column as its fastest index, a[j][i][c] for key j, query i and
 * column c: products with the shared q, k and v are then small GEMMs that read and write the ragged batch in place, and the
 * softmax part is loops over c. Only the products with P need the columns of a token side by side, so dv (or dout) is
 * gathered once a task. Queries go in tiles, so that memory stays proportional to tokens and P is computed once a tile.
 */
final class CpuAttentionDerivatives {
    private static final int TILE = 32;
    private static final int CHUNK = 64;

    /** Floats of a[j][i][c] that stay in a core's cache. */
    private static final int CACHE = 1 << 18;

    private final Gemm gemm;
    private final Workers workers;
    private final CpuMemory memory;

    CpuAttentionDerivatives(Gemm gemm, CpuMemory memory, Workers workers) {
        this.gemm = gemm;
        this.workers = workers;
        this.memory = memory;
    }

    void tangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        forEachTask(primal, rows, queriesFrom, task -> task.tangent(dqkv, dout));
    }

    /** See {@link dev.greenfield.backend.AttentionTangents#ofScores}. */
    void tangentOfScores(
            AttentionPrimal primal, Matrix dv, Matrix scores, RaggedRows rows, int queriesFrom, Matrix dout) {
        forEachTask(primal, rows, queriesFrom, task -> task.tangentOfScores(dv, scores, dout));
    }

    void adjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        forEachTask(primal, rows, queriesFrom, task -> task.adjoint(dout, dqkv));
    }

    private interface Action {
        void accept(Task task);
    }

    /** Puts the scores' derivatives of the queries i0 to i1 - 1 in place. */
    private interface Tile {
        void fill(int i0, int i1);
    }

    private void forEachTask(AttentionPrimal primal, RaggedRows rows, int queriesFrom, Action action) {
        if (rows.columns() == 0) {
            return;
        }
        int tile = Math.min(TILE, rows.tokens());
        int fits = Math.max(8, CACHE / (rows.tokens() * tile));
        int chunk = Math.min(Math.min(CHUNK, fits), rows.columns());
        int chunks = (rows.columns() + chunk - 1) / chunk;
        int heads = primal.shape().heads();
        workers.run(heads * chunks, n -> {
            int from = n / heads * chunk;
            Task task =
                    new Task(primal, rows, queriesFrom, tile, n % heads, from, Math.min(chunk, rows.columns() - from));
            try {
                action.accept(task);
            } finally {
                task.block.free();
            }
        });
    }

    /** One head of the columns c0 to c0 + chunk - 1. */
    private final class Task {
        final RaggedRows rows;
        final HeadPrimal primal;
        final AttentionShape shape;
        final float scale;
        final int width;
        final int h;
        final int head;
        final int c0;
        final int chunk;
        final int tile;
        final int lowest;
        final int firstQuery;
        final int end;

        final CpuMemory.Block block;
        final int probabilityAt; // [tile][end]
        final int scoreAt; // a: [end][tile][chunk]
        final int gatheredAt; // [end - lowest][chunk][h]
        final int resultAt; // tangent: [tile][chunk][h]; adjoint: [end - lowest][chunk][h]
        final int slopeAt; // of capped scores, [tile][end]; nothing where there is no cap

        Task(AttentionPrimal primal, RaggedRows rows, int queriesFrom, int tile, int head, int c0, int chunk) {
            this.rows = rows;
            this.primal = new HeadPrimal(gemm, primal, head);
            this.shape = primal.shape();
            this.scale = (float) primal.shape().scale();
            this.width = primal.shape().width();
            this.h = primal.shape().headWidth();
            this.head = head;
            this.c0 = c0;
            this.chunk = chunk;
            this.tile = tile;
            this.lowest = rows.first(c0);
            this.firstQuery = Math.max(lowest, queriesFrom);
            this.end = rows.last(c0) + 1;
            int gathered = (end - lowest) * chunk * h;
            this.probabilityAt = 0;
            this.scoreAt = tile * end;
            this.gatheredAt = scoreAt + end * tile * chunk;
            this.resultAt = gatheredAt + gathered;
            this.slopeAt = resultAt + Math.max(gathered, tile * chunk * h);
            this.block = memory.allocate(slopeAt + (capped() ? tile * end : 0));
        }

        boolean capped() {
            return shape.softCap() > 0;
        }

        /** Columns of the chunk that are alive at a token. */
        int alive(int token) {
            return Math.max(0, Math.min(chunk, rows.count(token) - c0));
        }

        /** Queries (part 0), keys (1) or values (2) of this head in a batch's matrix: the chunk's columns alive at a token, [alive, h]. */
        View batch(Matrix m, int part, int token) {
            return new View(CpuBuffer.of(m.buffer()).block(), batchAt(m, part, token), alive(token), h, m.stride());
        }

        long batchAt(Matrix m, int part, int token) {
            return m.at(rows.start(token) + c0) + (long) part * width + (long) head * h;
        }

        /** a[.][i][.]: one query of the tile against the keys up to its own, [i + 1, alive(i)]. */
        View scoresOfQuery(int i, int i0) {
            return new View(block, score(0, i - i0), i + 1, alive(i), tile * chunk);
        }

        /** a[j][.][.]: one key against the tile's queries from i on, [i1 - i, alive(j)]. */
        View scoresOfKey(int j, int i, int i0, int i1) {
            return new View(block, score(j, i - i0), i1 - i, alive(j), chunk);
        }

        /** P of the tile's queries and the keys from the lowest token on, [i1 - i0, i1 - lowest]. */
        View tileProbabilities(int i0, int i1) {
            return new View(block, probabilityAt + lowest, i1 - i0, i1 - lowest, end);
        }

        /** Gathered or resulting rows, the chunk's columns side by side, [count, chunk h]. */
        View sideBySide(int at, int count) {
            return new View(block, at, count, chunk * h, chunk * h);
        }

        void tangent(Matrix dqkv, Matrix dout) {
            tangent(dqkv, 2, dout, (i0, i1) -> {
                for (int i = i0; i < i1; i++) { // scale k_j dq_i
                    multiply(scale, primal.part(1, 0, i + 1), batch(dqkv, 0, i).transpose(), 0, scoresOfQuery(i, i0));
                }
                for (int j = lowest; j < i1; j++) { // scale q_i dk_j
                    int i = Math.max(j, i0);
                    View keys = batch(dqkv, 1, j).transpose();
                    multiply(scale, primal.part(0, i, i1 - i), keys, 1, scoresOfKey(j, i, i0, i1));
                }
            });
        }

        void tangentOfScores(Matrix dv, Matrix scores, Matrix dout) {
            int last = rows.last(0) + 1;
            Floats given = CpuBuffer.floats(scores);
            float[] a = Scratch.mine().floats(0, chunk);
            float[] b = Scratch.mine().floats(1, chunk);
            tangent(dv, 0, dout, (i0, i1) -> {
                for (int i = i0; i < i1; i++) {
                    int n = alive(i);
                    Arrays.fill(a, 0, n, 0);
                    for (int j = 0; j < shape.firstKey(i); j++) {
                        block.view().put(score(j, i - i0), a, 0, n);
                    }
                    for (int j = shape.firstKey(i); j <= i; j++) {
                        given.get(givenAt(scores, i, last - i + j), a, 0, n);
                        if (j >= lowest) {
                            int m = alive(j);
                            given.get(givenAt(scores, j, i - j), b, 0, m);
                            addScaled(a, 1, b, 0, m);
                        }
                        block.view().put(score(j, i - i0), a, 0, n);
                    }
                }
            });
        }

        /** Where the chunk's columns begin in row {@code place} of this head in a token's block of scores. */
        long givenAt(Matrix scores, int token, int place) {
            return scores.at(rows.start(token)) + ((long) place * shape.heads() + head) * rows.count(token) + c0;
        }

        /** The tangent from values' tangents, which are a part of {@code source}, and from scores' of a tile of queries. */
        void tangent(Matrix source, int values, Matrix dout, Tile scores) {
            gather(source, values, lowest);
            for (int i0 = firstQuery; i0 < end; i0 += tile) {
                int i1 = Math.min(i0 + tile, end);
                probabilities(i0, i1);
                scores.fill(i0, i1);
                if (capped()) {
                    capTangent(i0, i1);
                }
                softmaxDerivative(i0, i1, 1);
                View result = sideBySide(resultAt, i1 - i0); // P dv, then dP v
                multiply(1, tileProbabilities(i0, i1), sideBySide(gatheredAt, i1 - lowest), 0, result);
                for (int i = i0; i < i1; i++) {
                    int at = resultAt + (i - i0) * chunk * h;
                    View own = new View(block, at, alive(i), h, h);
                    multiply(1, scoresOfQuery(i, i0).transpose(), primal.part(2, 0, i + 1), 1, own);
                    scatter(at, dout, 0, i);
                }
            }
        }

        void adjoint(Matrix dout, Matrix dqkv) {
            clear(dqkv);
            gather(dout, 0, firstQuery);
            for (int i0 = firstQuery; i0 < end; i0 += tile) {
                int i1 = Math.min(i0 + tile, end);
                probabilities(i0, i1);
                for (int i = i0; i < i1; i++) { // v_j dout_i
                    multiply(1, primal.part(2, 0, i + 1), batch(dout, 0, i).transpose(), 0, scoresOfQuery(i, i0));
                }
                softmaxDerivative(i0, i1, scale);
                if (capped()) {
                    capTangent(i0, i1);
                }
                for (int i = i0; i < i1; i++) { // dq_i = sum over j of ds k_j
                    multiply(1, scoresOfQuery(i, i0).transpose(), primal.part(1, 0, i + 1), 0, batch(dqkv, 0, i));
                }
                for (int j = lowest; j < i1; j++) { // dk_j = sum over i of ds q_i
                    int i = Math.max(j, i0);
                    float keep = Math.max(j, firstQuery) >= i0 ? 0 : 1; // what earlier tiles found
                    View scores = scoresOfKey(j, i, i0, i1).transpose();
                    multiply(1, scores, primal.part(0, i, i1 - i), keep, batch(dqkv, 1, j));
                }
                View gathered = sideBySide(gatheredAt + (i0 - firstQuery) * chunk * h, i1 - i0);
                View values = sideBySide(resultAt, i1 - lowest); // dv_j = sum over i of P dout_i
                multiply(1, tileProbabilities(i0, i1).transpose(), gathered, 1, values);
            }
            for (int j = lowest; j < end; j++) {
                scatter(resultAt + (j - lowest) * chunk * h, dqkv, 2, j);
            }
        }

        /** Zeros where the adjoint adds up, and where no query will write. */
        void clear(Matrix dqkv) {
            float[] zeros = new float[chunk * h];
            Floats out = CpuBuffer.floats(dqkv);
            for (int j = lowest; j < end; j++) {
                block.view().put(resultAt + (j - lowest) * chunk * h, zeros, 0, zeros.length);
                for (int c = 0; c < alive(j) && j < firstQuery; c++) {
                    out.put(batchAt(dqkv, 0, j) + (long) c * dqkv.stride(), zeros, 0, h);
                    if (firstQuery >= end) { // no tile will write dk
                        out.put(batchAt(dqkv, 1, j) + (long) c * dqkv.stride(), zeros, 0, h);
                    }
                }
            }
        }

        int score(int j, int row) {
            return scoreAt + (j * tile + row) * chunk;
        }

        /** The rows of one part at the tokens from {@code from} on, each token's columns side by side, dead ones zero. */
        void gather(Matrix source, int part, int from) {
            Floats in = CpuBuffer.floats(source);
            Floats work = block.view();
            float[] zeros = new float[chunk * h];
            for (int t = from; t < end; t++) {
                int to = gatheredAt + (t - from) * chunk * h;
                int n = alive(t);
                for (int c = 0; c < n; c++) {
                    work.put(to + c * h, in, batchAt(source, part, t) + (long) c * source.stride(), h);
                }
                work.put(to + n * h, zeros, 0, (chunk - n) * h);
            }
        }

        void scatter(int from, Matrix target, int part, int token) {
            Floats out = CpuBuffer.floats(target);
            int n = alive(token);
            for (int c = 0; c < n; c++) {
                out.put(batchAt(target, part, token) + (long) c * target.stride(), block.view(), from + c * h, h);
            }
        }

        void probabilities(int i0, int i1) {
            primal.probabilities(block, probabilityAt, end, i0, i1, slopeAt, -1);
        }

        /** a = factor P (a - sum over j of P a), query by query; columns that are not alive become zero. */
        void softmaxDerivative(int i0, int i1, float factor) {
            Floats work = block.view();
            float[] p = Scratch.mine().floats(0, end);
            float[] a = Scratch.mine().floats(1, end * chunk);
            float[] mean = Scratch.mine().floats(2, chunk);
            for (int i = i0; i < i1; i++) {
                int n = alive(i);
                work.get(probabilityAt + (i - i0) * end, p, 0, i + 1);
                Arrays.fill(mean, 0, chunk, 0);
                for (int j = 0; j <= i; j++) {
                    work.get(score(j, i - i0), a, j * chunk, n);
                    Arrays.fill(a, j * chunk + n, (j + 1) * chunk, 0);
                    addScaled(mean, p[j], a, j * chunk, n);
                }
                for (int j = 0; j <= i; j++) {
                    centre(a, j * chunk, mean, factor * p[j], n);
                    work.put(score(j, i - i0), a, j * chunk, chunk);
                }
            }
        }

        /** a = slope a, query by query. Where the query does not see the key the slope may be anything: a counts for nothing there. */
        void capTangent(int i0, int i1) {
            Floats work = block.view();
            float[] slope = Scratch.mine().floats(0, end);
            float[] a = Scratch.mine().floats(1, chunk);
            for (int i = i0; i < i1; i++) {
                int n = alive(i);
                int from = shape.firstKey(i);
                work.get(slopeAt + (i - i0) * end, slope, 0, i + 1);
                for (int j = from; j <= i; j++) {
                    work.get(score(j, i - i0), a, 0, n);
                    for (int c = 0; c < n; c++) {
                        a[c] *= slope[j];
                    }
                    work.put(score(j, i - i0), a, 0, n);
                }
            }
        }

        private void multiply(float alpha, View a, View b, float beta, View c) {
            if (c.rows() > 0 && c.columns() > 0) {
                gemm.multiply(alpha, a, b, beta, c);
            }
        }
    }

    private static void addScaled(float[] to, float factor, float[] from, int at, int n) {
        for (int c = 0; c < n; c++) {
            to[c] += factor * from[at + c];
        }
    }

    private static void centre(float[] a, int at, float[] mean, float factor, int n) {
        for (int c = 0; c < n; c++) {
            a[at + c] = factor * (a[at + c] - mean[c]);
        }
    }
}
