package dev.greenfield.backend.reference;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;

/** What enters a batch of columns, and batches that grow; see {@link Backend}. */
final class ReferenceInjection {
    private final Arithmetic arithmetic;

    ReferenceInjection(Arithmetic arithmetic) {
        this.arithmetic = arithmetic;
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    void grow(Matrix from, RaggedRows fromRows, int[] origin, Matrix base, Matrix to, RaggedRows toRows) {
        double[] x = ReferenceBuffer.of(from);
        double[] y = ReferenceBuffer.of(to);
        double[] rest = base == null ? null : ReferenceBuffer.of(base);
        int width = to.columns();
        for (int c = 0; c < toRows.columns(); c++) {
            int old = origin[c];
            for (int t = toRows.first(c); t <= toRows.last(c); t++) {
                int target = (int) to.at(toRows.row(t, c));
                if (old >= 0 && fromRows.first(old) <= t && t <= fromRows.last(old)) {
                    System.arraycopy(x, (int) from.at(fromRows.row(t, old)), y, target, width);
                } else if (rest != null) {
                    System.arraycopy(rest, (int) base.at(t), y, target, width);
                } else {
                    Arrays.fill(y, target, target + width, 0);
                }
            }
        }
    }

    void inject(Matrix x, int[] index, Matrix sources, double keep) {
        double[] values = ReferenceBuffer.of(x);
        double[] s = ReferenceBuffer.of(sources);
        for (int i = 0; i < index.length; i++) {
            for (int j = 0; j < x.columns(); j++) {
                int at = (int) x.at(index[i]) + j;
                values[at] = r((keep == 0 ? 0 : r(keep * values[at])) + s[(int) sources.at(i) + j]);
            }
        }
    }

    void injectUnits(Matrix x, int[] index, int[] component) {
        double[] values = ReferenceBuffer.of(x);
        for (int i = 0; i < index.length; i++) {
            int at = (int) x.at(index[i]) + component[i];
            values[at] = r(values[at] + 1);
        }
    }

    void injectSigns(Matrix x, int[] index, long[] bits) {
        double[] values = ReferenceBuffer.of(x);
        int words = Backend.signWords(x.columns());
        for (int i = 0; i < index.length; i++) {
            for (int j = 0; j < x.columns(); j++) {
                int at = (int) x.at(index[i]) + j;
                boolean set = (bits[i * words + j / Long.SIZE] >>> j & 1) == 1;
                values[at] = r(values[at] + (set ? 1 : -1));
            }
        }
    }
}
