package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;

/** What enters a batch of columns, and batches that grow, on all threads; see {@link Backend}. */
final class CpuInjection {
    private final Workers workers;

    CpuInjection(Workers workers) {
        this.workers = workers;
    }

    void grow(Matrix from, RaggedRows fromRows, int[] origin, Matrix base, Matrix to, RaggedRows toRows) {
        int width = to.columns();
        Floats source = CpuBuffer.floats(from);
        Floats target = CpuBuffer.floats(to);
        Floats rest = base == null ? null : CpuBuffer.floats(base);
        workers.run(toRows.tokens(), t -> {
            float[] zeros = rest == null ? new float[width] : null;
            for (int c = 0; c < toRows.count(t); c++) {
                long at = to.at(toRows.row(t, c));
                int old = origin[c];
                if (old >= 0 && fromRows.first(old) <= t && t <= fromRows.last(old)) {
                    target.put(at, source, from.at(fromRows.row(t, old)), width);
                } else if (rest != null) {
                    target.put(at, rest, base.at(t), width);
                } else {
                    target.put(at, zeros, 0, width);
                }
            }
        });
    }

    void inject(Matrix x, int[] index, Matrix sources, double keep) {
        int width = x.columns();
        Floats values = CpuBuffer.floats(x);
        Floats s = CpuBuffer.floats(sources);
        float factor = (float) keep;
        workers.ranges(index.length, Workers.rowsWorthATask(x), (from, to) -> {
            float[] row = Scratch.mine().floats(0, width);
            float[] source = Scratch.mine().floats(1, width);
            for (int i = from; i < to; i++) {
                s.get(sources.at(i), source, 0, width);
                if (keep != 0) {
                    values.get(x.at(index[i]), row, 0, width);
                    for (int j = 0; j < width; j++) {
                        source[j] += factor * row[j];
                    }
                }
                values.put(x.at(index[i]), source, 0, width);
            }
        });
    }

    void injectUnits(Matrix x, int[] index, int[] component) {
        Floats values = CpuBuffer.floats(x);
        for (int i = 0; i < index.length; i++) {
            long at = x.at(index[i]) + component[i];
            values.put(at, values.get(at) + 1);
        }
    }

    void injectSigns(Matrix x, int[] index, long[] bits) {
        workers.ranges(
                index.length,
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.injectSigns(x, index, bits, from, to));
    }
}
