package dev.greenfield.backend.cpu;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Matrix;
import java.util.Arrays;

/** One head of a forward pass, as derivatives see it: its queries, keys and values, and its probabilities, which are made again. */
final class HeadPrimal {
    private final Gemm gemm;
    private final AttentionShape shape;
    private final Matrix qkv;
    private final Floats logSumExp;
    private final int head;

    HeadPrimal(Gemm gemm, AttentionPrimal primal, int head) {
        this.gemm = gemm;
        this.shape = primal.shape();
        this.qkv = primal.qkv();
        this.logSumExp = CpuBuffer.of(primal.logSumExp()).view();
        this.head = head;
    }

    /** Queries (part 0), keys (1) or values (2) at {@code count} tokens, [count, h]. */
    View part(int part, int token, int count) {
        int h = shape.headWidth();
        long offset = qkv.at(token) + (long) part * shape.width() + (long) head * h;
        return new View(CpuBuffer.of(qkv.buffer()).block(), offset, count, h, qkv.stride());
    }

    /**
     * Makes P for the queries i0 to i1 - 1 and the keys 0 to i1 - 1, zero above the diagonal and before the window; see {@link Softmax}.
     *
     * @param at where in the block the row of query i0 begins; rows of other queries follow {@code stride} apart
     * @param slopeAt where slopes of capped scores go, likewise; they are there up to each query's own key
     * @param bendAt where their second derivatives go, or -1
     */
    void probabilities(CpuMemory.Block block, int at, int stride, int i0, int i1, int slopeAt, int bendAt) {
        View scores = new View(block, at, i1 - i0, i1, stride);
        gemm.multiply(
                (float) shape.scale(), part(0, i0, i1 - i0), part(1, 0, i1).transpose(), 0, scores);
        float[] row = Scratch.mine().floats(0, i1);
        double[] e = Scratch.mine().doubles(i1);
        for (int i = i0; i < i1; i++) {
            int place = (i - i0) * stride;
            block.view().get(at + place, row, 0, i + 1);
            if (shape.softCap() > 0) {
                float[] slope = Scratch.mine().floats(1, i1);
                float[] bend = bendAt < 0 ? null : Scratch.mine().floats(2, i1);
                SoftCap.apply(row, slope, bend, e, shape.softCap(), shape.firstKey(i), i + 1);
                block.view().put(slopeAt + place, slope, 0, i + 1);
                if (bend != null) {
                    block.view().put(bendAt + place, bend, 0, i + 1);
                }
            }
            float l = logSumExp.get((long) head * qkv.rows() + i);
            Softmax.of(row, l, e, shape.firstKey(i), i + 1);
            Arrays.fill(row, i + 1, i1, 0);
            block.view().put(at + place, row, 0, i1);
        }
    }
}
