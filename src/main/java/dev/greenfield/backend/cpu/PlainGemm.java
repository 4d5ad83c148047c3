package dev.greenfield.backend.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Matrix products in plain Java, for platforms whose OpenBLAS is not in the jar. A panel of b is packed into one array a row,
 * and eight rows at a time are added to a row of c: indexed by j alone, that loop vectorizes.
 */
final class PlainGemm implements Gemm {
    private static final int PANEL_ROWS = 64;
    private static final int PANEL_COLUMNS = 128;

    @Override
    public String description() {
        return "plain Java";
    }

    @Override
    public CpuMemory memory() {
        return DirectBlock::new;
    }

    /** Memory that the garbage collector frees some time after the last use. */
    private static final class DirectBlock implements CpuMemory.Block {
        private FloatBuffer view;

        DirectBlock(int floats) {
            view = ByteBuffer.allocateDirect(4 * floats)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer();
        }

        @Override
        public FloatBuffer view() {
            return view;
        }

        @Override
        public void free() {
            view = null;
        }
    }

    @Override
    public void multiply(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            float alpha,
            CpuMemory.Block a,
            long offsetA,
            int strideA,
            CpuMemory.Block b,
            long offsetB,
            int strideB,
            float beta,
            CpuMemory.Block c,
            long offsetC,
            int strideC) {
        FloatBuffer left = a.view();
        FloatBuffer right = b.view();
        FloatBuffer out = c.view();
        float[][] panel = new float[PANEL_ROWS][PANEL_COLUMNS];
        float[] strip = new float[PANEL_ROWS];
        float[] row = new float[PANEL_COLUMNS];
        float[] before = new float[PANEL_COLUMNS];
        for (int j0 = 0; j0 < n; j0 += PANEL_COLUMNS) {
            int columns = Math.min(PANEL_COLUMNS, n - j0);
            for (int k0 = 0; k0 == 0 || k0 < k; k0 += PANEL_ROWS) {
                int depth = Math.min(PANEL_ROWS, k - k0);
                pack(right, transposeB, offsetB, strideB, k0, depth, j0, columns, panel);
                for (int i = 0; i < m; i++) {
                    int to = (int) (offsetC + (long) i * strideC + j0);
                    for (int q = 0; q < depth; q++) {
                        long at = transposeA
                                ? offsetA + (long) (k0 + q) * strideA + i
                                : offsetA + (long) i * strideA + k0 + q;
                        strip[q] = alpha * left.get((int) at);
                    }
                    // Each panel is summed on its own and added once, which keeps the rounding of long sums small.
                    Arrays.fill(row, 0, columns, 0);
                    accumulate(strip, depth, panel, row, columns);
                    addBefore(out, to, row, before, columns, k0 > 0 ? 1 : beta);
                    out.put(to, row, 0, columns);
                }
            }
        }
    }

    /** row += beta times what the output holds; with beta 0 it is not read. */
    private static void addBefore(FloatBuffer out, int at, float[] row, float[] before, int columns, float beta) {
        if (beta == 0) {
            return;
        }
        out.get(at, before, 0, columns);
        for (int j = 0; j < columns; j++) {
            row[j] += beta * before[j];
        }
    }

    private static void pack(
            FloatBuffer b,
            boolean transpose,
            long offset,
            int stride,
            int k0,
            int depth,
            int j0,
            int columns,
            float[][] panel) {
        if (!transpose) {
            for (int q = 0; q < depth; q++) {
                b.get((int) (offset + (long) (k0 + q) * stride + j0), panel[q], 0, columns);
            }
            return;
        }
        float[] line = new float[depth];
        for (int j = 0; j < columns; j++) {
            b.get((int) (offset + (long) (j0 + j) * stride + k0), line, 0, depth);
            for (int q = 0; q < depth; q++) {
                panel[q][j] = line[q];
            }
        }
    }

    private static void accumulate(float[] strip, int depth, float[][] panel, float[] row, int columns) {
        int q = 0;
        for (; q + 7 < depth; q += 8) {
            addEight(strip, q, panel, row, columns);
        }
        for (; q < depth; q++) {
            float factor = strip[q];
            float[] b = panel[q];
            for (int j = 0; j < columns; j++) {
                row[j] += factor * b[j];
            }
        }
    }

    private static void addEight(float[] s, int q, float[][] panel, float[] row, int columns) {
        float s0 = s[q];
        float s1 = s[q + 1];
        float s2 = s[q + 2];
        float s3 = s[q + 3];
        float s4 = s[q + 4];
        float s5 = s[q + 5];
        float s6 = s[q + 6];
        float s7 = s[q + 7];
        float[] b0 = panel[q];
        float[] b1 = panel[q + 1];
        float[] b2 = panel[q + 2];
        float[] b3 = panel[q + 3];
        float[] b4 = panel[q + 4];
        float[] b5 = panel[q + 5];
        float[] b6 = panel[q + 6];
        float[] b7 = panel[q + 7];
        for (int j = 0; j < columns; j++) {
            row[j] += (s0 * b0[j] + s1 * b1[j] + s2 * b2[j] + s3 * b3[j])
                    + (s4 * b4[j] + s5 * b5[j] + s6 * b6[j] + s7 * b7[j]);
        }
    }
}
