package dev.greenfield.backend.cpu;

import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;
import java.util.Arrays;

/** What blocks after GPT-2's need: row by row, on all cores. */
final class CpuBlocks implements BlockOperations {
    private final Workers workers;

    CpuBlocks(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void rmsNorm(Matrix x, int groups, double epsilon, Matrix normalized, Buffer inverse) {
        Floats in = CpuBuffer.floats(x);
        Floats out = CpuBuffer.floats(normalized);
        Floats factors = inverse == null ? null : CpuBuffer.of(inverse).view();
        int n = x.columns() / groups;
        workers.ranges(x.rows(), Workers.rowsWorthATask(x), (from, to) -> {
            float[] row = Scratch.mine().floats(0, n);
            float[] work = Scratch.mine().floats(1, n);
            for (int i = from; i < to; i++) {
                for (int g = 0; g < groups; g++) {
                    in.get(x.at(i) + (long) g * n, row, 0, n);
                    float factor = (float) (1 / Math.sqrt(VectorMath.dot(row, row, work, n) / n + epsilon));
                    for (int j = 0; j < n; j++) {
                        row[j] *= factor;
                    }
                    out.put(normalized.at(i) + (long) g * n, row, 0, n);
                    if (factors != null) {
                        factors.put(i * groups + g, factor);
                    }
                }
            }
        });
    }

    @Override
    public void rmsNormTangent(
            Matrix dx,
            int groups,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverse,
            Matrix dy,
            boolean accumulate) {
        Floats in = CpuBuffer.floats(dx);
        Floats out = CpuBuffer.floats(dy);
        Floats primal = CpuBuffer.floats(normalized);
        Floats factors = CpuBuffer.of(inverse).view();
        int n = dx.columns() / groups;
        workers.ranges(dx.rows(), Workers.rowsWorthATask(dx), (from, to) -> {
            float[] row = Scratch.mine().floats(0, n);
            float[] norm = Scratch.mine().floats(1, n);
            float[] sum = Scratch.mine().floats(2, n);
            float[] work = Scratch.mine().floats(3, n);
            for (int i = from; i < to; i++) {
                int token = rows.tokenOf(fromRow + i);
                for (int g = 0; g < groups; g++) {
                    primal.get(normalized.at(token) + (long) g * n, norm, 0, n);
                    in.get(dx.at(i) + (long) g * n, row, 0, n);
                    float factor = factors.get(token * groups + g);
                    float along = VectorMath.dot(row, norm, work, n) / n;
                    for (int j = 0; j < n; j++) {
                        row[j] = factor * (row[j] - norm[j] * along);
                    }
                    long target = dy.at(i) + (long) g * n;
                    if (accumulate) {
                        out.get(target, sum, 0, n);
                        VectorMath.add(row, sum, n);
                    }
                    out.put(target, row, 0, n);
                }
            }
        });
    }

    @Override
    public void rmsNormCurvature(
            Matrix dx, int groups, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverse, Matrix ddy) {
        Floats in = CpuBuffer.floats(dx);
        Floats out = CpuBuffer.floats(ddy);
        Floats primal = CpuBuffer.floats(normalized);
        Floats factors = CpuBuffer.of(inverse).view();
        int n = dx.columns() / groups;
        workers.ranges(dx.rows(), Workers.rowsWorthATask(dx), (from, to) -> {
            float[] row = Scratch.mine().floats(0, n);
            float[] norm = Scratch.mine().floats(1, n);
            float[] sum = Scratch.mine().floats(2, n);
            float[] work = Scratch.mine().floats(3, n);
            for (int i = from; i < to; i++) {
                int token = rows.tokenOf(fromRow + i);
                for (int g = 0; g < groups; g++) {
                    primal.get(normalized.at(token) + (long) g * n, norm, 0, n);
                    in.get(dx.at(i) + (long) g * n, row, 0, n);
                    out.get(ddy.at(i) + (long) g * n, sum, 0, n);
                    float factor = factors.get(token * groups + g);
                    float square = factor * factor;
                    float along = VectorMath.dot(row, norm, work, n) / n;
                    float rest = VectorMath.dot(row, row, work, n) / n - along * along;
                    for (int j = 0; j < n; j++) {
                        sum[j] += square * (-2 * along * (row[j] - norm[j] * along) - norm[j] * rest);
                    }
                    out.put(ddy.at(i) + (long) g * n, sum, 0, n);
                }
            }
        });
    }

    @Override
    public void scaleColumns(Matrix x, Buffer factors, Matrix y) {
        Floats in = CpuBuffer.floats(x);
        Floats out = CpuBuffer.floats(y);
        int n = x.columns();
        workers.ranges(x.rows(), Workers.rowsWorthATask(x), (from, to) -> {
            float[] row = Scratch.mine().floats(0, n);
            float[] by = Scratch.mine().floats(1, n);
            if (factors != null) {
                CpuBuffer.of(factors).view().get(0, by, 0, n);
            }
            for (int i = from; i < to; i++) {
                in.get(x.at(i), row, 0, n);
                if (factors != null) {
                    VectorMath.multiply(row, by, n);
                }
                out.put(y.at(i), row, 0, n);
            }
        });
    }

    @Override
    public void spreadHeads(HeadLayout layout, Matrix x, RaggedRows rows, Matrix y) {
        CpuHeads heads = new CpuHeads(layout);
        workers.ranges(x.rows(), Workers.rowsWorthATask(y), (from, to) -> heads.spread(x, rows, y, from, to));
    }

    @Override
    public void gatherHeads(HeadLayout layout, Matrix y, RaggedRows rows, Matrix x) {
        CpuHeads heads = new CpuHeads(layout);
        workers.ranges(y.rows(), Workers.rowsWorthATask(y), (from, to) -> heads.gather(y, rows, x, from, to));
    }

    @Override
    public void gate(Activation kind, Matrix x, Buffer bias, Matrix factors) {
        Floats values = CpuBuffer.floats(x);
        Floats b = CpuBuffer.of(bias).view();
        int n = x.columns() / 2;
        workers.ranges(x.rows(), Workers.activatedRowsWorthATask(x), (from, to) -> {
            float[] g = Scratch.mine().floats(0, n);
            float[] u = Scratch.mine().floats(1, n);
            float[] slope = Scratch.mine().floats(2, n);
            float[] added = Scratch.mine().floats(3, 2 * n);
            b.get(0, added, 0, 2 * n);
            for (int i = from; i < to; i++) {
                read(values, x.at(i), added, g, u, n);
                RowKernels.apply(kind, g, factors == null ? null : slope, n);
                if (factors != null) {
                    Floats kept = CpuBuffer.floats(factors);
                    VectorMath.multiply(slope, u, n);
                    kept.put(factors.at(i), slope, 0, n);
                    kept.put(factors.at(i) + n, g, 0, n);
                }
                VectorMath.multiply(g, u, n);
                values.put(x.at(i), g, 0, n);
            }
        });
    }

    /** Gates and values of a row, biases added. */
    private static void read(Floats values, long at, float[] bias, float[] g, float[] u, int n) {
        values.get(at, g, 0, n);
        values.get(at + n, u, 0, n);
        for (int j = 0; j < n; j++) {
            g[j] += bias[j];
            u[j] += bias[n + j];
        }
    }

    @Override
    public void gateTangent(Matrix dx, RaggedRows rows, int fromRow, Matrix factors, Matrix dh) {
        Floats in = CpuBuffer.floats(dx);
        Floats kept = CpuBuffer.floats(factors);
        Floats out = CpuBuffer.floats(dh);
        int n = dh.columns();
        workers.ranges(dx.rows(), Workers.rowsWorthATask(dx), (from, to) -> {
            float[] row = Scratch.mine().floats(0, 2 * n);
            float[] f = Scratch.mine().floats(1, 2 * n);
            for (int i = from; i < to; i++) {
                in.get(dx.at(i), row, 0, 2 * n);
                kept.get(factors.at(rows.tokenOf(fromRow + i)), f, 0, 2 * n);
                for (int j = 0; j < n; j++) {
                    row[j] = row[j] * f[j] + row[n + j] * f[n + j];
                }
                out.put(dh.at(i), row, 0, n);
            }
        });
    }

    @Override
    public void gateAdjoint(Matrix dh, RaggedRows rows, int fromRow, Matrix factors, Matrix dx) {
        Floats in = CpuBuffer.floats(dh);
        Floats kept = CpuBuffer.floats(factors);
        Floats out = CpuBuffer.floats(dx);
        int n = dh.columns();
        workers.ranges(dh.rows(), Workers.rowsWorthATask(dx), (from, to) -> {
            float[] row = Scratch.mine().floats(0, n);
            float[] f = Scratch.mine().floats(1, 2 * n);
            for (int i = from; i < to; i++) {
                in.get(dh.at(i), row, 0, n);
                kept.get(factors.at(rows.tokenOf(fromRow + i)), f, 0, 2 * n);
                for (int j = 0; j < n; j++) {
                    f[j] *= row[j];
                    f[n + j] *= row[j];
                }
                out.put(dx.at(i), f, 0, 2 * n);
            }
        });
    }

    @Override
    public void gateSecondDerivative(Activation kind, Matrix x, Buffer bias) {
        Floats values = CpuBuffer.floats(x);
        Floats b = CpuBuffer.of(bias).view();
        int n = x.columns() / 2;
        workers.ranges(x.rows(), Workers.activatedRowsWorthATask(x), (from, to) -> {
            float[] g = Scratch.mine().floats(0, n);
            float[] u = Scratch.mine().floats(1, n);
            float[] slope = Scratch.mine().floats(2, n);
            float[] added = Scratch.mine().floats(3, 2 * n);
            float[] bend = new float[n];
            b.get(0, added, 0, 2 * n);
            for (int i = from; i < to; i++) {
                read(values, x.at(i), added, g, u, n);
                System.arraycopy(g, 0, bend, 0, n);
                CurvatureKernels.secondDerivative(kind, bend, n);
                RowKernels.apply(kind, g, slope, n);
                VectorMath.multiply(bend, u, n);
                values.put(x.at(i), bend, 0, n);
                values.put(x.at(i) + n, slope, 0, n);
            }
        });
    }

    @Override
    public void gateCurvature(Matrix dx, RaggedRows rows, int fromRow, Matrix second, Matrix ddh) {
        Floats in = CpuBuffer.floats(dx);
        Floats bends = CpuBuffer.floats(second);
        Floats out = CpuBuffer.floats(ddh);
        int n = ddh.columns();
        workers.ranges(dx.rows(), Workers.rowsWorthATask(dx), (from, to) -> {
            float[] row = Scratch.mine().floats(0, 2 * n);
            float[] bend = Scratch.mine().floats(1, 2 * n);
            float[] sum = Scratch.mine().floats(2, n);
            for (int i = from; i < to; i++) {
                in.get(dx.at(i), row, 0, 2 * n);
                bends.get(second.at(rows.tokenOf(fromRow + i)), bend, 0, 2 * n);
                out.get(ddh.at(i), sum, 0, n);
                for (int j = 0; j < n; j++) {
                    sum[j] += row[j] * (bend[j] * row[j] + 2 * bend[n + j] * row[n + j]);
                }
                out.put(ddh.at(i), sum, 0, n);
            }
        });
    }

    /** Projected rows to rows of attention and back. */
    private static final class CpuHeads {
        private final HeadLayout layout;
        private final int h;
        private final int group;

        CpuHeads(HeadLayout layout) {
            this.layout = layout;
            this.h = layout.headWidth();
            this.group = layout.heads() / layout.keyHeads();
        }

        void spread(Matrix x, RaggedRows rows, Matrix y, int from, int to) {
            Floats in = CpuBuffer.floats(x);
            Floats out = CpuBuffer.floats(y);
            int width = layout.width();
            float[] row = Scratch.mine().floats(0, layout.projected());
            float[] table = angles();
            float[] gain = gain();
            int token = -1;
            for (int i = from; i < to; i++) {
                token = readAngles(rows, i, token, table);
                in.get(x.at(i), row, 0, layout.projected());
                for (int head = 0; head < layout.heads() + layout.keyHeads(); head++) {
                    int at = head * h;
                    scale(row, at, gain, head < layout.heads() ? 0 : h);
                    turn(row, at, table, 1);
                }
                for (int head = 0; head < layout.heads(); head++) {
                    int key = (layout.heads() + head / group) * h;
                    long target = y.at(i) + (long) head * h;
                    out.put(target, row, head * h, h);
                    out.put(target + width, row, key, h);
                    out.put(target + 2L * width, row, key + layout.keyHeads() * h, h);
                }
            }
        }

        void gather(Matrix y, RaggedRows rows, Matrix x, int from, int to) {
            Floats in = CpuBuffer.floats(y);
            Floats out = CpuBuffer.floats(x);
            int width = layout.width();
            float[] row = Scratch.mine().floats(0, layout.projected());
            float[] part = Scratch.mine().floats(3, h);
            float[] table = angles();
            float[] gain = gain();
            int token = -1;
            for (int i = from; i < to; i++) {
                token = readAngles(rows, i, token, table);
                Arrays.fill(row, 0, layout.projected(), 0);
                for (int head = 0; head < layout.heads(); head++) {
                    int key = (layout.heads() + head / group) * h;
                    long source = y.at(i) + (long) head * h;
                    in.get(source, row, head * h, h);
                    addTo(row, key, in, source + width, part);
                    addTo(row, key + layout.keyHeads() * h, in, source + 2L * width, part);
                }
                for (int head = 0; head < layout.heads() + layout.keyHeads(); head++) {
                    turn(row, head * h, table, -1);
                    scale(row, head * h, gain, head < layout.heads() ? 0 : h);
                }
                out.put(x.at(i), row, 0, layout.projected());
            }
        }

        private void addTo(float[] row, int at, Floats from, long source, float[] part) {
            from.get(source, part, 0, h);
            for (int e = 0; e < h; e++) {
                row[at + e] += part[e];
            }
        }

        private float[] angles() {
            return layout.rotation() == null
                    ? null
                    : Scratch.mine().floats(1, layout.rotation().columns());
        }

        private float[] gain() {
            if (layout.gain() == null) {
                return null;
            }
            float[] gain = Scratch.mine().floats(2, 2 * h);
            CpuBuffer.of(layout.gain()).view().get(0, gain, 0, 2 * h);
            return gain;
        }

        /** Reads the angles of the row's token unless they are those of {@code before}; the row's token. */
        private int readAngles(RaggedRows rows, int row, int before, float[] table) {
            int token = rows.tokenOf(row);
            if (table != null && token != before) {
                Matrix rotation = layout.rotation();
                CpuBuffer.floats(rotation).get(rotation.at(token), table, 0, rotation.columns());
            }
            return token;
        }

        private void scale(float[] row, int at, float[] gain, int gainAt) {
            for (int e = 0; gain != null && e < h; e++) {
                row[at + e] *= gain[gainAt + e];
            }
        }

        private void turn(float[] row, int at, float[] table, int sign) {
            if (table == null) {
                return;
            }
            int n = layout.rotation().columns() / 2;
            for (int e = 0; e < n; e++) {
                float cosine = table[e];
                float sine = sign * table[n + e];
                float a = row[at + e];
                float b = row[at + n + e];
                row[at + e] = a * cosine - b * sine;
                row[at + n + e] = b * cosine + a * sine;
            }
        }
    }
}
