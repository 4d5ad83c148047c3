package dev.greenfield.backend.reference;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Causal attention, its tangent, its curvature and its adjoint, one column and head at a time. Notation: s scores, P probabilities, h head
 * width; element (token, head, i) of q, k and v stands in columns head h + i, D + head h + i and 2 D + head h + i of qkv.
 */
final class ReferenceAttention {
    private final Arithmetic arithmetic;

    ReferenceAttention(Arithmetic arithmetic) {
        this.arithmetic = arithmetic;
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    void value(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        double[] x = ReferenceBuffer.of(qkv);
        double[] prefix = base == null ? null : ReferenceBuffer.of(base);
        double[] o = ReferenceBuffer.of(out);
        double[] l = logSumExp == null ? null : ReferenceBuffer.of(logSumExp);
        int h = shape.headWidth();
        int width = shape.width();
        forEachColumnAndHead(rows, shape, (c, head) -> {
            int first = rows.first(c);
            double[] p = new double[rows.last(c) + 1];
            for (int i = Math.max(first, queriesFrom); i <= rows.last(c); i++) {
                int q = (int) qkv.at(rows.row(i, c)) + head * h;
                double max = Double.NEGATIVE_INFINITY;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double[] keys = j < first ? prefix : x;
                    int k = (int) (j < first ? base.at(j) : qkv.at(rows.row(j, c))) + width + head * h;
                    p[j] = capped(shape, r(shape.scale() * dot(x, q, keys, k, h)));
                    max = Math.max(max, p[j]);
                }
                double sum = 0;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    p[j] = r(StrictMath.exp(r(p[j] - max)));
                    sum = r(sum + p[j]);
                }
                int to = (int) out.at(rows.row(i, c)) + head * h;
                Arrays.fill(o, to, to + h, 0);
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double[] values = j < first ? prefix : x;
                    int v = (int) (j < first ? base.at(j) : qkv.at(rows.row(j, c))) + 2 * width + head * h;
                    add(o, to, r(p[j] / sum), values, v, h);
                }
                if (l != null) {
                    l[head * rows.tokens() + i] = r(max + StrictMath.log(sum));
                }
            }
        });
    }

    void tangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        AttentionShape shape = primal.shape();
        double[] x = ReferenceBuffer.of(primal.qkv());
        double[] dx = ReferenceBuffer.of(dqkv);
        double[] o = ReferenceBuffer.of(dout);
        int h = shape.headWidth();
        int width = shape.width();
        forEachColumnAndHead(rows, shape, (c, head) -> {
            int first = rows.first(c);
            double[] p = new double[rows.last(c) + 1];
            double[] ds = new double[rows.last(c) + 1];
            double[] tanh = new double[rows.last(c) + 1];
            for (int i = Math.max(first, queriesFrom); i <= rows.last(c); i++) {
                probabilities(primal, head, i, p, tanh);
                int q = (int) primal.qkv().at(i) + head * h;
                int dq = (int) dqkv.at(rows.row(i, c)) + head * h;
                double mean = 0;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    int k = (int) primal.qkv().at(j) + width + head * h;
                    double score = dot(dx, dq, x, k, h);
                    if (j >= first) {
                        score = r(score + dot(x, q, dx, (int) dqkv.at(rows.row(j, c)) + width + head * h, h));
                    }
                    ds[j] = r(slope(tanh[j]) * r(shape.scale() * score));
                    mean = r(mean + r(p[j] * ds[j]));
                }
                int to = (int) dout.at(rows.row(i, c)) + head * h;
                Arrays.fill(o, to, to + h, 0);
                for (int j = shape.firstKey(i); j <= i; j++) {
                    int v = (int) primal.qkv().at(j) + 2 * width + head * h;
                    add(o, to, r(p[j] * r(ds[j] - mean)), x, v, h);
                    if (j >= first) {
                        add(o, to, p[j], dx, (int) dqkv.at(rows.row(j, c)) + 2 * width + head * h, h);
                    }
                }
            }
        });
    }

    void curvature(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout) {
        AttentionShape shape = primal.shape();
        double[] x = ReferenceBuffer.of(primal.qkv());
        double[] dx = ReferenceBuffer.of(dqkv);
        double[] o = ReferenceBuffer.of(ddout);
        int h = shape.headWidth();
        int width = shape.width();
        forEachColumnAndHead(rows, shape, (c, head) -> {
            int first = rows.first(c);
            double[] p = new double[rows.last(c) + 1];
            double[] ds = new double[rows.last(c) + 1];
            double[] w = new double[rows.last(c) + 1];
            double[] tanh = new double[rows.last(c) + 1];
            for (int i = Math.max(first, queriesFrom); i <= rows.last(c); i++) {
                probabilities(primal, head, i, p, tanh);
                int q = (int) primal.qkv().at(i) + head * h;
                int dq = (int) dqkv.at(rows.row(i, c)) + head * h;
                double mean = 0;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double score = dot(dx, dq, x, (int) primal.qkv().at(j) + width + head * h, h);
                    w[j] = 0;
                    if (j >= first) {
                        int dk = (int) dqkv.at(rows.row(j, c)) + width + head * h;
                        score = r(score + dot(x, q, dx, dk, h));
                        w[j] = r(r(2 * shape.scale()) * dot(dx, dq, dx, dk, h));
                    }
                    double steep = r(shape.scale() * score);
                    ds[j] = r(slope(tanh[j]) * steep);
                    if (shape.softCap() > 0) {
                        w[j] = r(slope(tanh[j]) * r(w[j] - r(r(2 * tanh[j] / shape.softCap()) * r(steep * steep))));
                    }
                    mean = r(mean + r(p[j] * ds[j]));
                }
                double meanW = 0;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double d = r(ds[j] - mean);
                    w[j] = r(r(d * d) + w[j]);
                    meanW = r(meanW + r(p[j] * w[j]));
                }
                int to = (int) ddout.at(rows.row(i, c)) + head * h;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    int v = (int) primal.qkv().at(j) + 2 * width + head * h;
                    add(o, to, r(p[j] * r(w[j] - meanW)), x, v, h);
                    if (j >= first) {
                        int dv = (int) dqkv.at(rows.row(j, c)) + 2 * width + head * h;
                        add(o, to, r(2 * r(p[j] * r(ds[j] - mean))), dx, dv, h);
                    }
                }
            }
        });
    }

    void adjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        AttentionShape shape = primal.shape();
        double[] x = ReferenceBuffer.of(primal.qkv());
        double[] o = ReferenceBuffer.of(dout);
        double[] dx = ReferenceBuffer.of(dqkv);
        int h = shape.headWidth();
        int width = shape.width();
        forEachColumnAndHead(rows, shape, (c, head) -> {
            int first = rows.first(c);
            for (int j = first; j <= rows.last(c); j++) {
                int row = (int) dqkv.at(rows.row(j, c)) + head * h;
                for (int part = 0; part < 3; part++) {
                    Arrays.fill(dx, row + part * width, row + part * width + h, 0);
                }
            }
            double[] p = new double[rows.last(c) + 1];
            double[] dp = new double[rows.last(c) + 1];
            double[] tanh = new double[rows.last(c) + 1];
            for (int i = Math.max(first, queriesFrom); i <= rows.last(c); i++) {
                probabilities(primal, head, i, p, tanh);
                int from = (int) dout.at(rows.row(i, c)) + head * h;
                double mean = 0;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    dp[j] = dot(o, from, x, (int) primal.qkv().at(j) + 2 * width + head * h, h);
                    mean = r(mean + r(p[j] * dp[j]));
                }
                int q = (int) primal.qkv().at(i) + head * h;
                int dq = (int) dqkv.at(rows.row(i, c)) + head * h;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double ds = r(r(shape.scale() * r(p[j] * r(dp[j] - mean))) * slope(tanh[j]));
                    add(dx, dq, ds, x, (int) primal.qkv().at(j) + width + head * h, h);
                    if (j >= first) {
                        int row = (int) dqkv.at(rows.row(j, c)) + head * h;
                        add(dx, row + width, ds, x, q, h);
                        add(dx, row + 2 * width, p[j], o, from, h);
                    }
                }
            }
        });
    }

    /**
     * p[j] = P(i, j) for the keys that query i sees, divided by its sum: rounded, the logarithm of the denominator of large scores has few digits
     * after the point, and the derivative of softmax relies on rows that sum to 1. tanh[j] is that of the score over its cap, 0 for none.
     */
    void probabilities(AttentionPrimal primal, int head, int i, double[] p, double[] tanh) {
        AttentionShape shape = primal.shape();
        double[] x = ReferenceBuffer.of(primal.qkv());
        int h = shape.headWidth();
        int q = (int) primal.qkv().at(i) + head * h;
        double l = ReferenceBuffer.of(primal.logSumExp())[head * primal.qkv().rows() + i];
        double sum = 0;
        for (int j = shape.firstKey(i); j <= i; j++) {
            int k = (int) primal.qkv().at(j) + shape.width() + head * h;
            double score = r(shape.scale() * dot(x, q, x, k, h));
            tanh[j] = shape.softCap() > 0 ? r(StrictMath.tanh(r(score / shape.softCap()))) : 0;
            p[j] = r(StrictMath.exp(r(capped(shape, score) - l)));
            sum = r(sum + p[j]);
        }
        for (int j = shape.firstKey(i); j <= i; j++) {
            p[j] = r(p[j] / sum);
        }
    }

    private double capped(AttentionShape shape, double score) {
        double cap = shape.softCap();
        return cap > 0 ? r(cap * r(StrictMath.tanh(r(score / cap)))) : score;
    }

    /** The derivative of tanh, 1 - tanh^2. */
    double slope(double tanh) {
        return r(r(1 - tanh) * r(1 + tanh));
    }

    double dot(double[] a, int i, double[] b, int j, int n) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            sum = r(sum + r(arithmetic.factor(a[i + k]) * arithmetic.factor(b[j + k])));
        }
        return sum;
    }

    void add(double[] to, int i, double factor, double[] from, int j, int n) {
        double left = arithmetic.factor(factor);
        for (int k = 0; k < n; k++) {
            to[i + k] = r(to[i + k] + r(left * arithmetic.factor(from[j + k])));
        }
    }

    interface ColumnAndHead {
        void apply(int column, int head);
    }

    static void forEachColumnAndHead(RaggedRows rows, AttentionShape shape, ColumnAndHead action) {
        IntStream.range(0, rows.columns() * shape.heads())
                .parallel()
                .forEach(n -> action.apply(n / shape.heads(), n % shape.heads()));
    }
}
