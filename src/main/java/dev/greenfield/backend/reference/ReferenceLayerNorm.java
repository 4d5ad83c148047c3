package dev.greenfield.backend.reference;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.function.IntUnaryOperator;

/** LayerNorm without gain and bias, its tangent and its curvature, row by row. Notation: n normalized x, r = 1/std. */
final class ReferenceLayerNorm {
    private final Arithmetic arithmetic;

    ReferenceLayerNorm(Arithmetic arithmetic) {
        this.arithmetic = arithmetic;
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    void value(Matrix x, double epsilon, Matrix normalized, Buffer inverseStd) {
        value(x, IntUnaryOperator.identity(), epsilon, normalized, inverseStd);
    }

    /**
     * The value of some rows.
     *
     * @param rowOfX per row of {@code normalized} its row of x
     */
    void value(Matrix x, IntUnaryOperator rowOfX, double epsilon, Matrix normalized, Buffer inverseStd) {
        double[] values = ReferenceBuffer.of(x);
        double[] n = ReferenceBuffer.of(normalized);
        int width = x.columns();
        for (int i = 0; i < normalized.rows(); i++) {
            int from = (int) x.at(rowOfX.applyAsInt(i));
            int to = (int) normalized.at(i);
            double sum = 0;
            for (int j = 0; j < width; j++) {
                sum = r(sum + values[from + j]);
            }
            double mean = r(sum / width);
            double squares = 0;
            for (int j = 0; j < width; j++) {
                double d = r(values[from + j] - mean);
                squares = r(squares + r(d * d));
            }
            double inverse = r(1 / Math.sqrt(r(r(squares / width) + epsilon)));
            for (int j = 0; j < width; j++) {
                n[to + j] = r(r(values[from + j] - mean) * inverse);
            }
            if (inverseStd != null) {
                ReferenceBuffer.of(inverseStd)[i] = inverse;
            }
        }
    }

    void tangent(
            Matrix dx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            boolean accumulate) {
        IntUnaryOperator same = IntUnaryOperator.identity();
        tangent(dx.rows(), dx, same, rows, fromRow, normalized, inverseStd, dy, same, accumulate);
    }

    /**
     * The tangent of {@code count} rows.
     *
     * @param rowOfDx per row of those its row of dx
     * @param rowOfDy per row of those its row of dy
     */
    void tangent(
            int count,
            Matrix dx,
            IntUnaryOperator rowOfDx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            IntUnaryOperator rowOfDy,
            boolean accumulate) {
        double[] x = ReferenceBuffer.of(dx);
        double[] n = ReferenceBuffer.of(normalized);
        double[] y = ReferenceBuffer.of(dy);
        double[] inverse = ReferenceBuffer.of(inverseStd);
        int width = dx.columns();
        for (int i = 0; i < count; i++) {
            int token = rows.tokenOf(fromRow + i);
            int from = (int) dx.at(rowOfDx.applyAsInt(i));
            int norm = (int) normalized.at(token);
            int to = (int) dy.at(rowOfDy.applyAsInt(i));
            double sum = 0;
            double dot = 0;
            for (int j = 0; j < width; j++) {
                sum = r(sum + x[from + j]);
                dot = r(dot + r(x[from + j] * n[norm + j]));
            }
            double mean = r(sum / width);
            double along = r(dot / width);
            for (int j = 0; j < width; j++) {
                double d = r(inverse[token] * r(r(x[from + j] - mean) - r(n[norm + j] * along)));
                y[to + j] = accumulate ? r(y[to + j] + d) : d;
            }
        }
    }

    void curvature(Matrix dx, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverseStd, Matrix ddy) {
        double[] x = ReferenceBuffer.of(dx);
        double[] n = ReferenceBuffer.of(normalized);
        double[] y = ReferenceBuffer.of(ddy);
        double[] inverse = ReferenceBuffer.of(inverseStd);
        int width = dx.columns();
        for (int i = 0; i < dx.rows(); i++) {
            int token = rows.tokenOf(fromRow + i);
            int from = (int) dx.at(i);
            int norm = (int) normalized.at(token);
            int to = (int) ddy.at(i);
            double sum = 0;
            double dot = 0;
            for (int j = 0; j < width; j++) {
                sum = r(sum + x[from + j]);
                dot = r(dot + r(x[from + j] * n[norm + j]));
            }
            double mean = r(sum / width);
            double along = r(dot / width);
            double squares = 0;
            for (int j = 0; j < width; j++) {
                double c = r(x[from + j] - mean);
                squares = r(squares + r(c * c));
            }
            double rest = r(r(squares / width) - r(along * along)); // mean(c^2) - a^2
            for (int j = 0; j < width; j++) {
                double across = r(r(x[from + j] - mean) - r(n[norm + j] * along)); // dy / r
                double bend = r(r(r(-2 * along) * across) - r(n[norm + j] * rest));
                y[to + j] = r(y[to + j] + r(inverse[token] * r(inverse[token] * bend)));
            }
        }
    }
}
