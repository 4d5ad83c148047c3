package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.backend.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Cases of {@link AttentionTangents}. They find what {@link Backend#attentionTangent} finds, whose own cases compare it with
 * differences: here that is done in float64.
 */
final class AttentionTangentCases {
    private AttentionTangentCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        AttentionShape plain = new AttentionShape(3, 16, 0.25);
        cases.add(scores("one token", new AttentionShape(1, 16, 0.25), columns(1, 0, 0), 0));
        cases.add(scores("rising", plain, columns(9, 8, 0, 2, 2, 5, 8), 0));
        cases.add(scores("rising, queries from 4", plain, columns(9, 8, 0, 2, 2, 5, 8), 4));
        cases.add(scores("rising from 3 to 7 of 9", new AttentionShape(2, 5, 0.4), columns(9, 7, 3, 3, 7), 0));
        cases.add(scores("48 elements a head, 40 tokens", new AttentionShape(2, 48, 0.1), columns(40, 39, 0, 17), 0));
        cases.add(scores("a window", new AttentionShape(2, 16, 0.25, 3, 0), columns(9, 8, 0, 4, 4), 0));
        cases.add(scores("many columns", new AttentionShape(2, 8, 0.3), columns(5, 4, new int[70]), 0));
        cases.add(newborn("one token", new AttentionShape(1, 16, 0.25), columns(1, 0, 0), 0));
        cases.add(newborn("rising", plain, columns(9, 8, 0, 2, 2, 5, 8), 0));
        cases.add(newborn("rising, queries from 4", plain, columns(9, 8, 0, 2, 2, 5, 8), 4));
        cases.add(newborn("rising from 3 to 7 of 9", new AttentionShape(2, 5, 0.4), columns(9, 7, 3, 3, 7), 0));
        cases.add(newborn("48 elements a head, 40 tokens", new AttentionShape(2, 48, 0.1), columns(40, 39, 0, 37), 0));
        cases.add(newborn("200 elements a head", new AttentionShape(1, 200, 0.05), columns(6, 5, 0, 1, 5), 0));
        cases.add(newborn("a window", new AttentionShape(2, 16, 0.25, 3, 0), columns(9, 8, 0, 4, 4), 0));
        cases.add(newborn("a soft cap", new AttentionShape(2, 16, 2, 0, 1.5), columns(9, 8, 0, 4, 4), 0));
        cases.add(newborn("many columns", new AttentionShape(2, 8, 0.3), columns(5, 4, new int[70]), 0));
        return cases;
    }

    /** Columns from their first tokens to one last token. */
    private static RaggedRows columns(int tokens, int last, int... first) {
        int[] lasts = new int[first.length];
        Arrays.fill(lasts, last);
        return RaggedRows.of(tokens, first, lasts);
    }

    /** As what is done to dq, dk and dv: the scores are what they make. */
    private static OperationCase scores(String what, AttentionShape shape, RaggedRows rows, int queriesFrom) {
        int width = shape.width();
        double[] base = normal(41, rows.tokens() * 3 * width);
        return OperationCase.of(
                "attention tangent of scores: " + what,
                normal(42, rows.rows() * 3 * width),
                (bench, dx) -> {
                    AttentionPrimal primal = AttentionCases.primal(bench, shape, base);
                    double[] dv = new double[rows.rows() * width];
                    for (int r = 0; r < rows.rows(); r++) {
                        System.arraycopy(dx, r * 3 * width + 2 * width, dv, r * width, width);
                    }
                    int end = rows.last(0) + 1;
                    Buffer given = bench.vector(scores(shape, base, dx, rows, end));
                    Matrix scores = Matrix.of(given, rows.rows(), shape.heads() * (end + 1));
                    Matrix out = bench.poison(rows.rows(), width);
                    Matrix values = bench.matrix(dv, rows.rows(), width);
                    bench.backend().attentionTangents().ofScores(primal, values, scores, rows, queriesFrom, out);
                    return bench.readFrom(rows.start(queriesFrom), out);
                },
                tangent(shape, base, rows, queriesFrom));
    }

    /** Blocks of q_i' dk_i and dq_i k_j, as the operation wants them. */
    private static double[] scores(AttentionShape shape, double[] base, double[] dx, RaggedRows rows, int end) {
        int width = shape.width();
        int heads = shape.heads();
        double[] scores = new double[rows.rows() * heads * (end + 1)];
        for (int t = 0; t < end; t++) {
            for (int c = 0; c < rows.count(t); c++) {
                int own = rows.row(t, c) * 3 * width;
                for (int place = 0; place <= end; place++) {
                    boolean ofKey = place < end - t;
                    int other = 3 * width * (ofKey ? t + place : place - (end - t));
                    for (int h = 0; h < heads; h++) {
                        double sum = 0;
                        for (int e = h * shape.headWidth(); e < (h + 1) * shape.headWidth(); e++) {
                            sum += ofKey
                                    ? base[other + e] * dx[own + width + e]
                                    : dx[own + e] * base[other + width + e];
                        }
                        int row = place * heads + h;
                        scores[rows.start(t) * heads * (end + 1) + row * rows.count(t) + c] = shape.scale() * sum;
                    }
                }
            }
        }
        return scores;
    }

    private static OperationCase newborn(String what, AttentionShape shape, RaggedRows columns, int queriesFrom) {
        int width = 3 * shape.width();
        double[] base = normal(43, columns.tokens() * width);
        UnaryOperator<double[]> tangent = tangent(shape, base, columns, queriesFrom);
        return OperationCase.of(
                "attention tangent of newborn columns: " + what,
                normal(44, columns.columns() * width),
                (bench, dx) -> {
                    AttentionPrimal primal = AttentionCases.primal(bench, shape, base);
                    Matrix first = bench.matrix(dx, columns.columns(), width);
                    Matrix out = bench.poison(columns.rows(), shape.width());
                    bench.backend().attentionTangents().ofNewborn(primal, first, columns, queriesFrom, out);
                    return bench.readFrom(columns.start(queriesFrom), out);
                },
                dx -> {
                    double[] all = new double[columns.rows() * width];
                    for (int c = 0; c < columns.columns(); c++) {
                        int row = columns.row(columns.first(c), c);
                        System.arraycopy(dx, c * width, all, row * width, width);
                    }
                    return tangent.apply(all);
                });
    }

    private static UnaryOperator<double[]> tangent(
            AttentionShape shape, double[] base, RaggedRows rows, int queriesFrom) {
        return dx -> {
            try (ReferenceBackend oracle = new ReferenceBackend();
                    Workbench bench = new Workbench(oracle, false)) {
                AttentionPrimal primal = AttentionCases.primal(bench, shape, base);
                Matrix dqkv = bench.matrix(dx, rows.rows(), 3 * shape.width());
                Matrix out = bench.poison(rows.rows(), shape.width());
                oracle.attentionTangent(primal, dqkv, rows, queriesFrom, out);
                return bench.readFrom(rows.start(queriesFrom), out);
            }
        };
    }
}
