package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;
import java.util.Arrays;

/** The second derivatives of what {@link RowKernels} does. Each works on rows from (inclusive) to (exclusive). */
final class CurvatureKernels {
    private static final double CUBIC = 0.044715;

    private CurvatureKernels() {}

    static void layerNorm(
            Matrix dx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Floats inverseStd,
            Matrix ddy,
            int from,
            int to) {
        int n = dx.columns();
        Floats in = CpuBuffer.floats(dx);
        Floats out = CpuBuffer.floats(ddy);
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
            in.get(dx.at(i), row, 0, n);
            float mean = VectorMath.sum(row, work, n) / n;
            float along = VectorMath.dot(row, norm, work, n) / n;
            for (int j = 0; j < n; j++) {
                row[j] -= mean;
            }
            float rest = VectorMath.dot(row, row, work, n) / n - along * along;
            float square = inverse * inverse;
            out.get(ddy.at(i), sum, 0, n);
            for (int j = 0; j < n; j++) {
                sum[j] += square * (-2 * along * (row[j] - norm[j] * along) - norm[j] * rest);
            }
            out.put(ddy.at(i), sum, 0, n);
        }
    }

    static void secondDerivative(Activation kind, Matrix u, Floats bias, int from, int to) {
        int n = u.columns();
        Floats values = CpuBuffer.floats(u);
        float[] row = Scratch.mine().floats(0, n);
        float[] b = Scratch.mine().floats(1, n);
        bias.get(0, b, 0, n);
        for (int i = from; i < to; i++) {
            values.get(u.at(i), row, 0, n);
            VectorMath.add(row, b, n);
            secondDerivative(kind, row, n);
            values.put(u.at(i), row, 0, n);
        }
    }

    /** u = act''(u). */
    static void secondDerivative(Activation kind, float[] u, int n) {
        switch (kind) {
            case GELU_NEW -> geluNew(u, Scratch.mine().doubles(n), n);
            case GELU -> gelu(u, Scratch.mine().doubles(n), n);
            case RELU -> Arrays.fill(u, 0, n, 0);
            case SILU -> silu(u, Scratch.mine().doubles(n), n);
        }
    }

    /** u = silu''(u): s (1 - s) (2 + u (1 - 2 s)) with s the sigmoid of u, from e = exp(-|u|). */
    private static void silu(float[] u, double[] e, int n) {
        VectorMath.expOfMinusMagnitude(u, e, n);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            double sum = 1 + e[i];
            double odd = Math.copySign((1 - e[i]) / sum, x); // 2 s - 1
            u[i] = (float) (e[i] / (sum * sum) * (2 - x * odd));
        }
    }

    /**
     * u = gelu''(u) in the tanh form, s (z' + u (z'' / 2 - tanh z'^2)) with s = 1 - tanh^2 = 4 e / (1 + e)^2 from
     * e = exp(-2 |z|), which keeps its digits where the tanh nears 1.
     */
    private static void geluNew(float[] u, double[] e, int n) {
        double scale = Math.sqrt(2 / Math.PI);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            e[i] = -2 * Math.abs(scale * (x + CUBIC * x * x * x));
        }
        VectorMath.expOfNegative(e, 0, n);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            double sum = 1 + e[i];
            double tanh = Math.copySign((1 - e[i]) / sum, x);
            double slope = scale * (1 + 3 * CUBIC * x * x);
            double half = 3 * CUBIC * scale * x;
            u[i] = (float) (4 * e[i] / (sum * sum) * (slope + x * (half - tanh * slope * slope)));
        }
    }

    /** u = gelu''(u) in the erf form, (2 - u^2) times the normal density. */
    private static void gelu(float[] u, double[] gauss, int n) {
        for (int i = 0; i < n; i++) {
            gauss[i] = -0.5 * u[i] * u[i];
        }
        VectorMath.expOfNegative(gauss, 0, n);
        double scale = 1 / Math.sqrt(2 * Math.PI);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            u[i] = (float) (scale * gauss[i] * (2 - x * x));
        }
    }

    static void activation(
            Matrix du, RaggedRows rows, int fromRow, Matrix secondDerivative, Matrix ddg, int from, int to) {
        int n = du.columns();
        Floats steps = CpuBuffer.floats(du);
        Floats bends = CpuBuffer.floats(secondDerivative);
        Floats out = CpuBuffer.floats(ddg);
        float[] step = Scratch.mine().floats(0, n);
        float[] bend = Scratch.mine().floats(1, n);
        float[] sum = Scratch.mine().floats(2, n);
        int token = -1;
        for (int i = from; i < to; i++) {
            if (token < 0 || fromRow + i >= rows.start(token + 1)) {
                token = rows.tokenOf(fromRow + i);
                bends.get(secondDerivative.at(token), bend, 0, n);
            }
            steps.get(du.at(i), step, 0, n);
            out.get(ddg.at(i), sum, 0, n);
            for (int j = 0; j < n; j++) {
                sum[j] += bend[j] * step[j] * step[j];
            }
            out.put(ddg.at(i), sum, 0, n);
        }
    }
}
