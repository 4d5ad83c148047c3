package dev.greenfield.backend.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
        private Floats view;

        DirectBlock(long floats) {
            view = Floats.of(
                    floats,
                    (from, count) -> ByteBuffer.allocateDirect(Float.BYTES * count)
                            .order(ByteOrder.nativeOrder())
                            .asFloatBuffer());
        }

        @Override
        public Floats view() {
            return view;
        }

        @Override
        public void free() {
            view = null;
        }
    }

    @Override
    public void multiply(float alpha, View a, View b, float beta, View c) {
        int inner = a.breadth();
        Floats out = c.block().view();
        float[][] panel = new float[PANEL_ROWS][PANEL_COLUMNS];
        float[] strip = new float[PANEL_ROWS];
        float[] row = new float[PANEL_COLUMNS];
        float[] before = new float[PANEL_COLUMNS];
        for (int j0 = 0; j0 < c.columns(); j0 += PANEL_COLUMNS) {
            int columns = Math.min(PANEL_COLUMNS, c.columns() - j0);
            for (int k0 = 0; k0 == 0 || k0 < inner; k0 += PANEL_ROWS) {
                int depth = Math.min(PANEL_ROWS, inner - k0);
                pack(b, k0, depth, j0, columns, panel);
                for (int i = 0; i < c.rows(); i++) {
                    long to = (c.offset() + (long) i * c.stride() + j0);
                    strip(a, i, k0, depth, alpha, strip);
                    // Each panel is summed on its own and added once, which keeps the rounding of long sums small.
                    Arrays.fill(row, 0, columns, 0);
                    accumulate(strip, depth, panel, row, columns);
                    addBefore(out, to, row, before, columns, k0 > 0 ? 1 : beta);
                    out.put(to, row, 0, columns);
                }
            }
        }
    }

    /** strip[q] = alpha a[i][k0 + q]. */
    private static void strip(View a, int i, int k0, int depth, float alpha, float[] strip) {
        Floats left = a.block().view();
        for (int q = 0; q < depth; q++) {
            long row = a.transposed() ? k0 + q : i;
            int column = a.transposed() ? i : k0 + q;
            strip[q] = alpha * left.get((a.offset() + row * a.stride() + column));
        }
    }

    /** row += beta times what the output holds; with beta 0 it is not read. */
    private static void addBefore(Floats out, long at, float[] row, float[] before, int columns, float beta) {
        if (beta == 0) {
            return;
        }
        out.get(at, before, 0, columns);
        for (int j = 0; j < columns; j++) {
            row[j] += beta * before[j];
        }
    }

    /** panel[q][j] = b[k0 + q][j0 + j]. */
    private static void pack(View b, int k0, int depth, int j0, int columns, float[][] panel) {
        Floats right = b.block().view();
        if (!b.transposed()) {
            for (int q = 0; q < depth; q++) {
                right.get((b.offset() + (long) (k0 + q) * b.stride() + j0), panel[q], 0, columns);
            }
            return;
        }
        float[] line = new float[depth];
        for (int j = 0; j < columns; j++) {
            right.get((b.offset() + (long) (j0 + j) * b.stride() + k0), line, 0, depth);
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
