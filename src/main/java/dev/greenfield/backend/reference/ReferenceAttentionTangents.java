package dev.greenfield.backend.reference;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;

/** The shorter tangents as their definitions say, one column and head at a time. */
final class ReferenceAttentionTangents implements AttentionTangents {
    private final Arithmetic arithmetic;
    private final ReferenceAttention attention;

    ReferenceAttentionTangents(Arithmetic arithmetic, ReferenceAttention attention) {
        this.arithmetic = arithmetic;
        this.attention = attention;
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    @Override
    public boolean pay() {
        return true;
    }

    @Override
    public void ofScores(
            AttentionPrimal primal, Matrix dv, Matrix scores, RaggedRows rows, int queriesFrom, Matrix dout) {
        AttentionShape shape = primal.shape();
        double[] s = ReferenceBuffer.of(scores);
        int heads = shape.heads();
        ReferenceAttention.forEachColumnAndHead(rows, shape, (c, head) -> {
            int first = rows.first(c);
            int end = rows.last(0) + 1;
            double[] p = new double[rows.last(c) + 1];
            double[] ds = new double[rows.last(c) + 1];
            double[] tanh = new double[rows.last(c) + 1];
            for (int i = Math.max(first, queriesFrom); i <= rows.last(c); i++) {
                attention.probabilities(primal, head, i, p, tanh);
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double score = s[score(scores, rows, i, (end - i + j) * heads + head, c)];
                    if (j >= first) {
                        score = r(score + s[score(scores, rows, j, (i - j) * heads + head, c)]);
                    }
                    ds[j] = r(attention.slope(tanh[j]) * score);
                }
                finish(primal, head, i, p, ds, dout, rows.row(i, c));
                for (int j = Math.max(first, shape.firstKey(i)); j <= i; j++) {
                    addTo(dout, rows.row(i, c), shape, head, p[j], dv, rows.row(j, c), 0);
                }
            }
        });
    }

    private static int score(Matrix scores, RaggedRows rows, int token, int row, int column) {
        return (int) (scores.at(rows.start(token)) + (long) row * rows.count(token) + column);
    }

    @Override
    public void ofNewborn(AttentionPrimal primal, Matrix dqkv, RaggedRows columns, int queriesFrom, Matrix dout) {
        AttentionShape shape = primal.shape();
        double[] x = ReferenceBuffer.of(primal.qkv());
        double[] dx = ReferenceBuffer.of(dqkv);
        int h = shape.headWidth();
        int width = shape.width();
        ReferenceAttention.forEachColumnAndHead(columns, shape, (c, head) -> {
            int t = columns.first(c);
            int dq = (int) dqkv.at(c) + head * h;
            double[] p = new double[columns.last(c) + 1];
            double[] ds = new double[columns.last(c) + 1];
            double[] tanh = new double[columns.last(c) + 1];
            for (int i = Math.max(t, queriesFrom); i <= columns.last(c); i++) {
                attention.probabilities(primal, head, i, p, tanh);
                int q = (int) primal.qkv().at(i) + head * h;
                for (int j = shape.firstKey(i); j <= i; j++) {
                    double score = 0;
                    if (i == t) {
                        score = attention.dot(dx, dq, x, (int) primal.qkv().at(j) + width + head * h, h);
                    }
                    if (j == t) {
                        score = r(score + attention.dot(x, q, dx, dq + width, h));
                    }
                    ds[j] = r(attention.slope(tanh[j]) * r(shape.scale() * score));
                }
                finish(primal, head, i, p, ds, dout, columns.row(i, c));
                if (t >= shape.firstKey(i)) {
                    addTo(dout, columns.row(i, c), shape, head, p[t], dqkv, c, 2 * width);
                }
            }
        });
    }

    /** A row of dout becomes the sum over the keys of P (ds - sum of P ds) v. */
    private void finish(AttentionPrimal primal, int head, int i, double[] p, double[] ds, Matrix dout, int row) {
        AttentionShape shape = primal.shape();
        int h = shape.headWidth();
        double mean = 0;
        for (int j = shape.firstKey(i); j <= i; j++) {
            mean = r(mean + r(p[j] * ds[j]));
        }
        int to = (int) dout.at(row) + head * h;
        Arrays.fill(ReferenceBuffer.of(dout), to, to + h, 0);
        for (int j = shape.firstKey(i); j <= i; j++) {
            double factor = r(p[j] * r(ds[j] - mean));
            addTo(dout, row, shape, head, factor, primal.qkv(), j, 2 * shape.width());
        }
    }

    /** Adds a multiple of a head's part of a row, {@code part} elements further in it, to its part of a row of dout. */
    private void addTo(
            Matrix dout, int row, AttentionShape shape, int head, double factor, Matrix from, int fromRow, int part) {
        int h = shape.headWidth();
        attention.add(
                ReferenceBuffer.of(dout),
                (int) dout.at(row) + head * h,
                factor,
                ReferenceBuffer.of(from),
                (int) from.at(fromRow) + part + head * h,
                h);
    }
}
