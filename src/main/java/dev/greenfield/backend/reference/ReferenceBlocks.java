package dev.greenfield.backend.reference;

import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;

/** What blocks after GPT-2's need, as the definitions say. Notation: n normalized x, r its factor. */
final class ReferenceBlocks implements BlockOperations {
    private final Arithmetic arithmetic;
    private final ReferenceActivation activation;

    ReferenceBlocks(Arithmetic arithmetic, ReferenceActivation activation) {
        this.arithmetic = arithmetic;
        this.activation = activation;
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    @Override
    public void rmsNorm(Matrix x, int groups, double epsilon, Matrix normalized, Buffer inverse) {
        double[] values = ReferenceBuffer.of(x);
        double[] n = ReferenceBuffer.of(normalized);
        int width = x.columns() / groups;
        for (int i = 0; i < x.rows(); i++) {
            for (int g = 0; g < groups; g++) {
                int from = (int) x.at(i) + g * width;
                int to = (int) normalized.at(i) + g * width;
                double factor = r(1 / Math.sqrt(r(r(dot(values, from, values, from, width) / width) + epsilon)));
                for (int j = 0; j < width; j++) {
                    n[to + j] = r(values[from + j] * factor);
                }
                if (inverse != null) {
                    ReferenceBuffer.of(inverse)[i * groups + g] = factor;
                }
            }
        }
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
        double[] x = ReferenceBuffer.of(dx);
        double[] n = ReferenceBuffer.of(normalized);
        double[] y = ReferenceBuffer.of(dy);
        int width = dx.columns() / groups;
        for (int i = 0; i < dx.rows(); i++) {
            int token = rows.tokenOf(fromRow + i);
            for (int g = 0; g < groups; g++) {
                double factor = ReferenceBuffer.of(inverse)[token * groups + g];
                int from = (int) dx.at(i) + g * width;
                int norm = (int) normalized.at(token) + g * width;
                int to = (int) dy.at(i) + g * width;
                double along = r(dot(x, from, n, norm, width) / width);
                for (int j = 0; j < width; j++) {
                    double d = r(factor * r(x[from + j] - r(n[norm + j] * along)));
                    y[to + j] = accumulate ? r(y[to + j] + d) : d;
                }
            }
        }
    }

    @Override
    public void rmsNormCurvature(
            Matrix dx, int groups, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverse, Matrix ddy) {
        double[] x = ReferenceBuffer.of(dx);
        double[] n = ReferenceBuffer.of(normalized);
        double[] y = ReferenceBuffer.of(ddy);
        int width = dx.columns() / groups;
        for (int i = 0; i < dx.rows(); i++) {
            int token = rows.tokenOf(fromRow + i);
            for (int g = 0; g < groups; g++) {
                double factor = ReferenceBuffer.of(inverse)[token * groups + g];
                int from = (int) dx.at(i) + g * width;
                int norm = (int) normalized.at(token) + g * width;
                int to = (int) ddy.at(i) + g * width;
                double along = r(dot(x, from, n, norm, width) / width);
                double rest = r(r(dot(x, from, x, from, width) / width) - r(along * along));
                for (int j = 0; j < width; j++) {
                    double across = r(x[from + j] - r(n[norm + j] * along));
                    double bend = r(r(r(-2 * along) * across) - r(n[norm + j] * rest));
                    y[to + j] = r(y[to + j] + r(factor * r(factor * bend)));
                }
            }
        }
    }

    private double dot(double[] a, int i, double[] b, int j, int n) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            sum = r(sum + r(a[i + k] * b[j + k]));
        }
        return sum;
    }

    @Override
    public void scaleColumns(Matrix x, Buffer factors, Matrix y) {
        double[] in = ReferenceBuffer.of(x);
        double[] out = ReferenceBuffer.of(y);
        double[] by = factors == null ? null : ReferenceBuffer.of(factors);
        for (int i = 0; i < x.rows(); i++) {
            for (int j = 0; j < x.columns(); j++) {
                double value = in[(int) x.at(i) + j];
                out[(int) y.at(i) + j] = by == null ? value : r(value * by[j]);
            }
        }
    }

    @Override
    public void spreadHeads(HeadLayout layout, Matrix x, RaggedRows rows, Matrix y) {
        double[] in = ReferenceBuffer.of(x);
        double[] out = ReferenceBuffer.of(y);
        int h = layout.headWidth();
        int group = layout.heads() / layout.keyHeads();
        for (int i = 0; i < x.rows(); i++) {
            int token = rows.tokenOf(i);
            for (int head = 0; head < layout.heads(); head++) {
                int query = (int) x.at(i) + head * h;
                int key = (int) x.at(i) + (layout.heads() + head / group) * h;
                int to = (int) y.at(i) + head * h;
                turn(layout, token, 0, in, query, out, to);
                turn(layout, token, h, in, key, out, to + layout.width());
                System.arraycopy(in, key + layout.keyHeads() * h, out, to + 2 * layout.width(), h);
            }
        }
    }

    /** One query or key, whose gain begins at element {@code gainAt}. */
    private void turn(HeadLayout layout, int token, int gainAt, double[] in, int from, double[] out, int to) {
        System.arraycopy(in, from, out, to, layout.headWidth());
        scale(layout, gainAt, out, to);
        rotate(layout, token, 1, out, to);
    }

    private void scale(HeadLayout layout, int gainAt, double[] x, int at) {
        if (layout.gain() != null) {
            double[] gain = ReferenceBuffer.of(layout.gain());
            for (int e = 0; e < layout.headWidth(); e++) {
                x[at + e] = r(x[at + e] * gain[gainAt + e]);
            }
        }
    }

    /** By the angles of a token, or back with {@code sign} -1. */
    private void rotate(HeadLayout layout, int token, int sign, double[] x, int at) {
        if (layout.rotation() != null) {
            int n = layout.rotation().columns() / 2;
            double[] table = ReferenceBuffer.of(layout.rotation());
            int angles = (int) layout.rotation().at(token);
            for (int e = 0; e < n; e++) {
                double cosine = table[angles + e];
                double sine = sign * table[angles + n + e];
                double a = x[at + e];
                double b = x[at + n + e];
                x[at + e] = r(r(a * cosine) - r(b * sine));
                x[at + n + e] = r(r(b * cosine) + r(a * sine));
            }
        }
    }

    @Override
    public void gatherHeads(HeadLayout layout, Matrix y, RaggedRows rows, Matrix x) {
        double[] in = ReferenceBuffer.of(y);
        double[] out = ReferenceBuffer.of(x);
        int h = layout.headWidth();
        int group = layout.heads() / layout.keyHeads();
        double[] one = new double[h];
        for (int i = 0; i < y.rows(); i++) {
            int token = rows.tokenOf(i);
            int row = (int) x.at(i);
            for (int e = layout.heads() * h; e < layout.projected(); e++) {
                out[row + e] = 0;
            }
            for (int head = 0; head < layout.heads(); head++) {
                int from = (int) y.at(i) + head * h;
                int key = row + (layout.heads() + head / group) * h;
                turnBack(layout, token, 0, in, from, one);
                System.arraycopy(one, 0, out, row + head * h, h);
                turnBack(layout, token, h, in, from + layout.width(), one);
                for (int e = 0; e < h; e++) {
                    int value = key + layout.keyHeads() * h + e;
                    out[key + e] = r(out[key + e] + one[e]);
                    out[value] = r(out[value] + in[from + 2 * layout.width() + e]);
                }
            }
        }
    }

    private void turnBack(HeadLayout layout, int token, int gainAt, double[] in, int from, double[] out) {
        System.arraycopy(in, from, out, 0, layout.headWidth());
        rotate(layout, token, -1, out, 0);
        scale(layout, gainAt, out, 0);
    }

    @Override
    public void gate(Activation kind, Matrix x, Buffer bias, Matrix factors) {
        double[] values = ReferenceBuffer.of(x);
        double[] b = ReferenceBuffer.of(bias);
        int inner = x.columns() / 2;
        for (int i = 0; i < x.rows(); i++) {
            int at = (int) x.at(i);
            for (int j = 0; j < inner; j++) {
                double g = r(values[at + j] + b[j]);
                double u = r(values[at + inner + j] + b[inner + j]);
                double open = activation.value(kind, g);
                values[at + j] = r(open * u);
                if (factors != null) {
                    double[] f = ReferenceBuffer.of(factors);
                    f[(int) factors.at(i) + j] = r(activation.derivative(kind, g) * u);
                    f[(int) factors.at(i) + inner + j] = open;
                }
            }
        }
    }

    @Override
    public void gateTangent(Matrix dx, RaggedRows rows, int fromRow, Matrix factors, Matrix dh) {
        double[] x = ReferenceBuffer.of(dx);
        double[] f = ReferenceBuffer.of(factors);
        double[] y = ReferenceBuffer.of(dh);
        int inner = dh.columns();
        for (int i = 0; i < dx.rows(); i++) {
            int at = (int) dx.at(i);
            int factor = (int) factors.at(rows.tokenOf(fromRow + i));
            for (int j = 0; j < inner; j++) {
                y[(int) dh.at(i) + j] = r(r(x[at + j] * f[factor + j]) + r(x[at + inner + j] * f[factor + inner + j]));
            }
        }
    }

    @Override
    public void gateAdjoint(Matrix dh, RaggedRows rows, int fromRow, Matrix factors, Matrix dx) {
        double[] y = ReferenceBuffer.of(dh);
        double[] f = ReferenceBuffer.of(factors);
        double[] x = ReferenceBuffer.of(dx);
        int inner = dh.columns();
        for (int i = 0; i < dh.rows(); i++) {
            int to = (int) dx.at(i);
            int factor = (int) factors.at(rows.tokenOf(fromRow + i));
            for (int j = 0; j < inner; j++) {
                double value = y[(int) dh.at(i) + j];
                x[to + j] = r(value * f[factor + j]);
                x[to + inner + j] = r(value * f[factor + inner + j]);
            }
        }
    }

    @Override
    public void gateSecondDerivative(Activation kind, Matrix x, Buffer bias) {
        double[] values = ReferenceBuffer.of(x);
        double[] b = ReferenceBuffer.of(bias);
        int inner = x.columns() / 2;
        for (int i = 0; i < x.rows(); i++) {
            int at = (int) x.at(i);
            for (int j = 0; j < inner; j++) {
                double g = r(values[at + j] + b[j]);
                double u = r(values[at + inner + j] + b[inner + j]);
                values[at + j] = r(activation.secondDerivative(kind, g) * u);
                values[at + inner + j] = activation.derivative(kind, g);
            }
        }
    }

    @Override
    public void gateCurvature(Matrix dx, RaggedRows rows, int fromRow, Matrix second, Matrix ddh) {
        double[] x = ReferenceBuffer.of(dx);
        double[] s = ReferenceBuffer.of(second);
        double[] y = ReferenceBuffer.of(ddh);
        int inner = ddh.columns();
        for (int i = 0; i < dx.rows(); i++) {
            int bend = (int) second.at(rows.tokenOf(fromRow + i));
            for (int j = 0; j < inner; j++) {
                double dg = x[(int) dx.at(i) + j];
                double du = x[(int) dx.at(i) + inner + j];
                double sum = r(r(s[bend + j] * r(dg * dg)) + r(r(2 * s[bend + inner + j]) * r(dg * du)));
                int at = (int) ddh.at(i) + j;
                y[at] = r(y[at] + sum);
            }
        }
    }
}
