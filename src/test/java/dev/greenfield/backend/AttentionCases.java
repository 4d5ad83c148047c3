package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.concat;
import static dev.greenfield.testing.Vectors.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Cases of attention. A batch's columns share the prefix of a base run; at the point where every row is the base run's row of
 * its token, the ragged value's derivative is what the tangent, the adjoint and the curvature compute, so one function gives all four.
 */
final class AttentionCases {
    private AttentionCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        cases.add(derivatives("one token", new AttentionShape(1, 16, 0.25), columns(1, 0), 0));
        cases.add(derivatives("one sequence", new AttentionShape(2, 48, 0.1), columns(7, 0), 0));
        cases.add(derivatives("one sequence, last query", new AttentionShape(2, 48, 0.1), columns(7, 0), 6));
        cases.add(derivatives("5 elements a head", new AttentionShape(3, 5, 0.4), columns(6, 0, 1), 0));
        RaggedRows rising = columns(9, 0, 2, 2, 5, 8);
        cases.add(derivatives("rising", new AttentionShape(3, 16, 0.25), rising, 0));
        cases.add(derivatives("rising, queries from 4", new AttentionShape(3, 16, 0.25), rising, 4));
        cases.add(derivatives("rising from 3", new AttentionShape(2, 16, 0.25), columns(9, 3, 3, 7), 0));
        RaggedRows falling = cotangents(9, 0, 8, 6, 6, 3, 0);
        cases.add(derivatives("falling", new AttentionShape(2, 16, 0.25), falling, 0));
        cases.add(derivatives("falling, queries from 2", new AttentionShape(2, 16, 0.25), falling, 2));
        cases.add(derivatives("falling, queries from 7", new AttentionShape(2, 16, 0.25), falling, 7));
        cases.add(derivatives("falling to 2", new AttentionShape(2, 16, 0.25), cotangents(9, 2, 8, 8, 5, 2), 3));
        RaggedRows nested = RaggedRows.of(9, new int[] {0, 1, 3}, new int[] {8, 7, 5});
        cases.add(derivatives("nested", new AttentionShape(2, 64, 0.125), nested, 2));
        cases.add(derivatives("40 tokens", new AttentionShape(1, 80, 0.11), columns(40, 0, 33), 0));
        cases.add(derivatives("65 tokens", new AttentionShape(2, 64, 0.125), columns(65, 0), 0));
        // More columns than a chunk of the CPU backend holds, more tokens than its tiles: 64, 32 and 64.
        int[] births = IntStream.range(0, 70).map(c -> c * 3 / 4).toArray();
        cases.add(derivatives("70 columns rising", new AttentionShape(2, 16, 0.25), columns(70, births), 0));
        cases.add(derivatives(
                "70 columns rising, queries from 37", new AttentionShape(1, 48, 0.15), columns(70, births), 37));
        int[] deaths = IntStream.range(0, 70).map(c -> 69 - c * 3 / 4).toArray();
        cases.add(derivatives("70 columns falling", new AttentionShape(2, 16, 0.25), cotangents(70, 0, deaths), 0));
        cases.add(derivatives(
                "70 columns falling, queries from 37", new AttentionShape(1, 48, 0.15), cotangents(70, 0, deaths), 37));
        cases.add(derivatives("130 columns at once", new AttentionShape(1, 16, 0.25), columns(33, new int[130]), 5));
        // Wide heads take more shared memory than a block has unasked, and those above 128 are cut in two.
        for (int headWidth : new int[] {5, 12, 16, 48, 64, 80, 100, 128, 160}) {
            int heads = headWidth < 16 ? 3 : 1;
            AttentionShape shape = new AttentionShape(heads, headWidth, 1 / Math.sqrt(headWidth));
            RaggedRows columns = columns(35, 0, 0, 17, 34);
            cases.add(derivatives("35 tokens, head width " + headWidth, shape, columns, 0));
        }
        for (int headWidth : new int[] {100, 160}) {
            AttentionShape shape = new AttentionShape(1, headWidth, 1 / Math.sqrt(headWidth));
            RaggedRows columns = cotangents(37, 0, 36, 20, 3);
            cases.add(derivatives("37 tokens falling from 19, head width " + headWidth, shape, columns, 19));
        }
        for (LargeScores scores : LargeScores.values()) {
            cases.add(largeScores(scores, columns(35, 0, 0, 17, 34), 0));
            cases.add(largeScores(scores, cotangents(35, 0, 34, 20, 20), 3));
        }
        cases.add(logSumExp("T = 1", new AttentionShape(2, 16, 0.25), 1));
        cases.add(logSumExp("T = 70", new AttentionShape(3, 16, 0.25), 70));
        cases.add(values("independent rows, rising", new AttentionShape(2, 16, 0.25), rising, 0));
        cases.add(values("independent rows, rising, queries from 4", new AttentionShape(1, 48, 0.25), rising, 4));
        cases.add(values("independent rows, 70 columns", new AttentionShape(2, 16, 0.25), columns(70, births), 3));
        cases.add(values("large scores", new AttentionShape(2, 64, 1), columns(12, 0, 5), 0));
        return cases;
    }

    /** A batch of tangents: columns with these first tokens that live to the end. */
    static RaggedRows columns(int tokens, int... first) {
        int[] last = new int[first.length];
        Arrays.fill(last, tokens - 1);
        return RaggedRows.of(tokens, first, last);
    }

    /** A batch of cotangents: columns that live from {@code from} to these tokens. */
    static RaggedRows cotangents(int tokens, int from, int... last) {
        int[] first = new int[last.length];
        Arrays.fill(first, from);
        return RaggedRows.of(tokens, first, last);
    }

    /** Per row of the batch the base run's row of its token. */
    static double[] replicated(double[] base, RaggedRows rows, int width) {
        double[] all = new double[rows.rows() * width];
        for (int row = 0; row < rows.rows(); row++) {
            System.arraycopy(base, rows.tokenOf(row) * width, all, row * width, width);
        }
        return all;
    }

    static OperationCase derivatives(String what, AttentionShape shape, RaggedRows rows, int queriesFrom) {
        return derivatives(what, shape, rows, queriesFrom, normal(17, rows.tokens() * 3 * shape.width()));
    }

    private static OperationCase largeScores(LargeScores scores, RaggedRows rows, int queriesFrom) {
        AttentionShape shape = new AttentionShape(2, 16, 1);
        String what = "scores of 30000, " + scores.words() + ", queries from " + queriesFrom;
        return derivatives(what, shape, rows, queriesFrom, scores.qkv(shape, rows.tokens()))
                .reaching(scores.reach());
    }

    private static OperationCase derivatives(
            String what, AttentionShape shape, RaggedRows rows, int queriesFrom, double[] base) {
        int width = shape.width();
        int from = rows.start(queriesFrom);
        return new OperationCase(
                "attention: " + what,
                replicated(base, rows, 3 * width),
                (bench, x) -> value(bench, shape, x, rows, base, queriesFrom),
                x -> naive(shape, x, rows, base, queriesFrom),
                (bench, dx) -> {
                    Matrix dqkv = bench.matrix(dx, rows.rows(), 3 * width);
                    Matrix dout = bench.poison(rows.rows(), width);
                    bench.backend().attentionTangent(primal(bench, shape, base), dqkv, rows, queriesFrom, dout);
                    return bench.readFrom(from, dout);
                },
                (bench, dy) -> {
                    // Rows before queriesFrom "count as zero": they may hold anything.
                    Matrix dout = bench.matrixFrom(from, dy, rows.rows(), width);
                    Matrix dqkv = bench.poison(rows.rows(), 3 * width);
                    bench.backend().attentionAdjoint(primal(bench, shape, base), dout, rows, queriesFrom, dqkv);
                    return bench.read(dqkv);
                },
                (bench, dx) -> OperationCase.added(bench, (rows.rows() - from) * width, from, before -> {
                    Matrix dqkv = bench.matrix(dx, rows.rows(), 3 * width);
                    Matrix ddout = bench.matrixFrom(from, before, rows.rows(), width);
                    bench.backend().attentionCurvature(primal(bench, shape, base), dqkv, rows, queriesFrom, ddout);
                    return ddout;
                }));
    }

    private static OperationCase values(String what, AttentionShape shape, RaggedRows rows, int queriesFrom) {
        int width = 3 * shape.width();
        double[] base = normal(18, rows.tokens() * width);
        return OperationCase.of(
                "attention: " + what,
                normal(19, rows.rows() * width),
                (bench, x) -> value(bench, shape, x, rows, base, queriesFrom),
                x -> naive(shape, x, rows, base, queriesFrom));
    }

    private static OperationCase logSumExp(String what, AttentionShape shape, int tokens) {
        int width = shape.width();
        RaggedRows rows = RaggedRows.sequence(tokens);
        return OperationCase.of(
                "attention logSumExp: " + what,
                normal(20, tokens * 3 * width),
                (bench, x) -> {
                    Buffer logSumExp = bench.poison(shape.heads() * tokens);
                    Matrix out = bench.poison(tokens, width);
                    bench.backend().attention(shape, bench.matrix(x, tokens, 3 * width), rows, null, 0, out, logSumExp);
                    return bench.read(logSumExp);
                },
                x -> {
                    double[] sums = new double[shape.heads() * tokens];
                    for (int head = 0; head < shape.heads(); head++) {
                        for (int i = 0; i < tokens; i++) {
                            for (int j = 0; j <= i; j++) {
                                sums[head * tokens + i] +=
                                        Math.exp(score(shape, head, x, i * 3 * width, x, j * 3 * width));
                            }
                        }
                    }
                    return Arrays.stream(sums).map(Math::log).toArray();
                });
    }

    private static double[] value(
            Workbench bench, AttentionShape shape, double[] x, RaggedRows rows, double[] base, int queriesFrom) {
        int width = shape.width();
        Matrix qkv = bench.matrix(x, rows.rows(), 3 * width);
        boolean whole = rows.first(0) == 0 && rows.first(rows.columns() - 1) == 0;
        Matrix prefix = whole ? null : bench.matrix(base, rows.tokens(), 3 * width);
        Matrix out = bench.poison(rows.rows(), width);
        bench.backend().attention(shape, qkv, rows, prefix, queriesFrom, out, null);
        return bench.readFrom(rows.start(queriesFrom), out);
    }

    /** The forward pass at the base run, as the backend under test makes it. */
    static AttentionPrimal primal(Workbench bench, AttentionShape shape, double[] base) {
        int tokens = base.length / (3 * shape.width());
        Matrix qkv = bench.matrix(base, tokens, 3 * shape.width());
        Buffer logSumExp = bench.poison(shape.heads() * tokens);
        Matrix out = bench.poison(tokens, shape.width());
        bench.backend().attention(shape, qkv, RaggedRows.sequence(tokens), null, 0, out, logSumExp);
        return new AttentionPrimal(shape, qkv, logSumExp);
    }

    /** out = sum of exp(s) v / sum of exp(s) with the row's largest s taken off, row by row of the batch. */
    private static double[] naive(AttentionShape shape, double[] x, RaggedRows rows, double[] base, int queriesFrom) {
        int width = shape.width();
        double[] all = new double[rows.rows() * width];
        for (int row = rows.start(queriesFrom); row < rows.rows(); row++) {
            int i = rows.tokenOf(row);
            int column = row - rows.start(i);
            for (int head = 0; head < shape.heads(); head++) {
                double sum = 0;
                double largest = largestScore(shape, head, x, row, rows, base);
                for (int j = firstKey(shape, i); j <= i; j++) {
                    boolean own = j >= rows.first(column);
                    double[] from = own ? x : base;
                    int at = 3 * width * (own ? rows.row(j, column) : j);
                    double weight = Math.exp(score(shape, head, x, 3 * width * row, from, at) - largest);
                    sum += weight;
                    for (int e = 0; e < shape.headWidth(); e++) {
                        int n = head * shape.headWidth() + e;
                        all[row * width + n] += weight * from[at + 2 * width + n];
                    }
                }
                for (int e = 0; e < shape.headWidth(); e++) {
                    all[row * width + head * shape.headWidth() + e] /= sum;
                }
            }
        }
        return Arrays.copyOfRange(all, rows.start(queriesFrom) * width, all.length);
    }

    private static double largestScore(
            AttentionShape shape, int head, double[] x, int row, RaggedRows rows, double[] base) {
        int width = shape.width();
        int i = rows.tokenOf(row);
        int column = row - rows.start(i);
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = firstKey(shape, i); j <= i; j++) {
            boolean own = j >= rows.first(column);
            int at = 3 * width * (own ? rows.row(j, column) : j);
            largest = Math.max(largest, score(shape, head, x, 3 * width * row, own ? x : base, at));
        }
        return largest;
    }

    /** A query sees the keys j > i - window. */
    private static int firstKey(AttentionShape shape, int i) {
        return shape.window() == 0 || i < shape.window() ? 0 : i - shape.window() + 1;
    }

    private static double score(AttentionShape shape, int head, double[] x, int query, double[] y, int key) {
        double score = 0;
        for (int e = 0; e < shape.headWidth(); e++) {
            int n = head * shape.headWidth() + e;
            score += x[query + n] * y[key + shape.width() + n];
        }
        double scaled = shape.scale() * score;
        return shape.softCap() == 0 ? scaled : shape.softCap() * Math.tanh(scaled / shape.softCap());
    }

    /** A vector that is {@code values} in the rows of one token of a batch and zero elsewhere. */
    static double[] onlyAt(int token, RaggedRows rows, int width, double[] values) {
        double[] before = new double[rows.start(token) * width];
        double[] after = new double[(rows.rows() - rows.start(token + 1)) * width];
        return concat(before, Arrays.copyOf(values, rows.count(token) * width), after);
    }
}
