package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;
import java.util.function.IntUnaryOperator;

/** The operations that treat each row alone: LayerNorm, activation, bias. Each works on rows from (inclusive) to (exclusive). */
final class RowKernels {
    private RowKernels() {}

    static void embed(Matrix words, int[] index, Matrix positions, Matrix x, int from, int to) {
        int n = x.columns();
        Floats word = CpuBuffer.floats(words);
        Floats position = CpuBuffer.floats(positions);
        Floats values = CpuBuffer.floats(x);
        float[] row = Scratch.mine().floats(0, n);
        float[] p = Scratch.mine().floats(1, n);
        for (int t = from; t < to; t++) {
            word.get(words.at(index[t]), row, 0, n);
            position.get(positions.at(t), p, 0, n);
            VectorMath.add(row, p, n);
            values.put(x.at(t), row, 0, n);
        }
    }

    static void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at, int from, int to) {
        int n = x.columns();
        Floats values = CpuBuffer.floats(x);
        Floats target = CpuBuffer.floats(targets);
        float[] row = Scratch.mine().floats(0, n);
        float[] other = Scratch.mine().floats(1, n);
        for (int i = from; i < to; i++) {
            values.get(x.at(i), row, 0, n);
            target.get(targets.at(rows == null ? 0 : rows.tokenOf(fromRow + i)), other, 0, n);
            double sum = 0;
            for (int j = 0; j < n; j++) {
                sum += (double) row[j] * other[j];
            }
            into[at + i] = sum;
        }
    }

    static void addBias(Matrix x, Floats bias, int from, int to) {
        int n = x.columns();
        Floats values = CpuBuffer.floats(x);
        float[] row = Scratch.mine().floats(0, n);
        float[] b = Scratch.mine().floats(1, n);
        bias.get(0, b, 0, n);
        for (int i = from; i < to; i++) {
            values.get(x.at(i), row, 0, n);
            VectorMath.add(row, b, n);
            values.put(x.at(i), row, 0, n);
        }
    }

    /** Row i of y is added to row rowOfX(i) of x. */
    static void addBranch(Matrix y, Floats bias, Matrix x, IntUnaryOperator rowOfX, Matrix sum, int from, int to) {
        int n = x.columns();
        Floats branch = CpuBuffer.floats(y);
        Floats stream = CpuBuffer.floats(x);
        float[] row = Scratch.mine().floats(0, n);
        float[] b = Scratch.mine().floats(1, n);
        float[] total = Scratch.mine().floats(2, n);
        Floats out = CpuBuffer.floats(sum);
        if (bias != null) {
            bias.get(0, b, 0, n);
        }
        for (int i = from; i < to; i++) {
            int at = rowOfX.applyAsInt(i);
            branch.get(y.at(i), row, 0, n);
            stream.get(x.at(at), total, 0, n);
            if (bias != null) {
                VectorMath.add(row, b, n);
            }
            VectorMath.add(total, row, n);
            out.put(sum.at(at), total, 0, n);
        }
    }

    /** Row i of the result is that of row rowOfX(i) of x. */
    static void layerNorm(
            Matrix x, IntUnaryOperator rowOfX, double epsilon, Matrix normalized, Floats inverseStd, int from, int to) {
        int n = x.columns();
        Floats values = CpuBuffer.floats(x);
        Floats out = CpuBuffer.floats(normalized);
        float[] row = Scratch.mine().floats(0, n);
        float[] work = Scratch.mine().floats(1, n);
        for (int i = from; i < to; i++) {
            values.get(x.at(rowOfX.applyAsInt(i)), row, 0, n);
            float mean = VectorMath.sum(row, work, n) / n;
            for (int j = 0; j < n; j++) {
                row[j] -= mean;
            }
            float variance = VectorMath.dot(row, row, work, n) / n;
            float inverse = (float) (1 / Math.sqrt(variance + epsilon));
            for (int j = 0; j < n; j++) {
                row[j] *= inverse;
            }
            out.put(normalized.at(i), row, 0, n);
            if (inverseStd != null) {
                inverseStd.put(i, inverse);
            }
        }
    }

    /** Row i goes from row rowOfDx(i) of dx to row rowOfDy(i) of dy. */
    static void layerNormTangent(
            Matrix dx,
            IntUnaryOperator rowOfDx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Floats inverseStd,
            Matrix dy,
            IntUnaryOperator rowOfDy,
            boolean accumulate,
            int from,
            int to) {
        int n = dx.columns();
        Floats in = CpuBuffer.floats(dx);
        Floats out = CpuBuffer.floats(dy);
        Floats primal = CpuBuffer.floats(normalized);
        float[] row = Scratch.mine().floats(0, n);
        float[] norm = Scratch.mine().floats(1, n);
        float[] sum = Scratch.mine().floats(2, n);
        float[] work = Scratch.mine().floats(3, n);
        int token = -1;
        float inverse = 0;
        for (int i = from; i < to; i++) {
            if (token < 0 || fromRow + i >= rows.start(token + 1)) {
                token = rows.tokenOf(fromRow + i);
                primal.get(normalized.at(token), norm, 0, n);
                inverse = inverseStd.get(token);
            }
            in.get(dx.at(rowOfDx.applyAsInt(i)), row, 0, n);
            long target = dy.at(rowOfDy.applyAsInt(i));
            float mean = VectorMath.sum(row, work, n) / n;
            float along = VectorMath.dot(row, norm, work, n) / n;
            for (int j = 0; j < n; j++) {
                row[j] = inverse * (row[j] - mean - norm[j] * along);
            }
            if (accumulate) {
                out.get(target, sum, 0, n);
                VectorMath.add(row, sum, n);
            }
            out.put(target, row, 0, n);
        }
    }

    /** Copies row rowOfX(i) of x to row i of y. */
    static void take(Matrix x, IntUnaryOperator rowOfX, Matrix y, int from, int to) {
        Floats in = CpuBuffer.floats(x);
        Floats out = CpuBuffer.floats(y);
        for (int i = from; i < to; i++) {
            out.put(y.at(i), in, x.at(rowOfX.applyAsInt(i)), y.columns());
        }
    }

    static void activation(Activation kind, Matrix u, Floats bias, Matrix derivative, int from, int to) {
        int n = u.columns();
        Floats values = CpuBuffer.floats(u);
        float[] row = Scratch.mine().floats(0, n);
        float[] b = Scratch.mine().floats(1, n);
        float[] slope = derivative == null ? null : Scratch.mine().floats(2, n);
        bias.get(0, b, 0, n);
        for (int i = from; i < to; i++) {
            values.get(u.at(i), row, 0, n);
            VectorMath.add(row, b, n);
            apply(kind, row, slope, n);
            values.put(u.at(i), row, 0, n);
            if (derivative != null) {
                CpuBuffer.floats(derivative).put(derivative.at(i), slope, 0, n);
            }
        }
    }

    /** row = act(row); slope, where not null, receives act'(row). */
    static void apply(Activation kind, float[] row, float[] slope, int n) {
        switch (kind) {
            case GELU_NEW -> {
                if (slope == null) {
                    VectorMath.geluNew(row, n);
                } else {
                    VectorMath.geluNew(row, slope, Scratch.mine().doubles(n), n);
                }
            }
            case GELU ->
                VectorMath.gelu(
                        row, slope, slope == null ? null : Scratch.mine().doubles(n), n);
            case SILU -> VectorMath.silu(row, slope, Scratch.mine().doubles(n), n);
            case RELU -> {
                if (slope == null) {
                    VectorMath.relu(row, n);
                } else {
                    VectorMath.relu(row, slope, n);
                }
            }
        }
    }

    static void activationTangent(
            Matrix du, RaggedRows rows, int fromRow, Matrix derivative, Matrix dg, int from, int to) {
        int n = du.columns();
        Floats values = CpuBuffer.floats(du);
        Floats slopes = CpuBuffer.floats(derivative);
        Floats out = CpuBuffer.floats(dg);
        float[] row = Scratch.mine().floats(0, n);
        float[] slope = Scratch.mine().floats(1, n);
        int token = -1;
        for (int i = from; i < to; i++) {
            if (token < 0 || fromRow + i >= rows.start(token + 1)) {
                token = rows.tokenOf(fromRow + i);
                slopes.get(derivative.at(token), slope, 0, n);
            }
            values.get(du.at(i), row, 0, n);
            VectorMath.multiply(row, slope, n);
            out.put(dg.at(i), row, 0, n);
        }
    }

    static void injectSigns(Matrix x, int[] index, long[] bits, int from, int to) {
        int n = x.columns();
        int words = Backend.signWords(n);
        Floats values = CpuBuffer.floats(x);
        float[] row = Scratch.mine().floats(0, n);
        for (int i = from; i < to; i++) {
            values.get(x.at(index[i]), row, 0, n);
            for (int j = 0; j < n; j++) {
                row[j] += 2 * (bits[i * words + j / Long.SIZE] >>> j & 1) - 1;
            }
            values.put(x.at(index[i]), row, 0, n);
        }
    }

    /** Places number group by group, token by token. */
    static void squaredNormMoments(
            Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at, int from, int to) {
        int n = x.columns();
        int tokens = rows.tokens();
        Floats values = CpuBuffer.floats(x);
        float[] row = Scratch.mine().floats(0, n);
        for (int place = from; place < to; place++) {
            int group = place / tokens;
            int token = place % tokens;
            double sum = 0;
            double squares = 0;
            for (int c = groups[group]; c < Math.min(groups[group + 1], rows.count(token)); c++) {
                values.get(x.at(rows.row(token, c)), row, 0, n);
                double square = VectorMath.squaredNorm(row, n);
                sum += square;
                squares += square * square;
            }
            into[at + place] = sum;
            if (moments == 2) {
                into[at + (groups.length - 1) * tokens + place] = squares;
            }
        }
    }
}
