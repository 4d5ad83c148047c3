package dev.greenfield.backend;

import static dev.greenfield.backend.AttentionCases.columns;
import static dev.greenfield.backend.AttentionCases.cotangents;
import static dev.greenfield.backend.AttentionCases.replicated;
import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.model.Activation;
import dev.greenfield.model.Rotary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/** Cases of what blocks after GPT-2's need: RMSNorm, rotary positions, shared keys and values, gates and windows. */
final class BlockCases {
    private BlockCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        for (int[] shape : new int[][] {{1, 5}, {1, 48}, {1, 768}, {3, 12}, {6, 16}}) {
            cases.add(rmsNorm(columns(1, 0), 0, shape[0], shape[1], false));
            cases.add(rmsNorm(columns(9, 0, 2, 2, 5), 0, shape[0], shape[1], true));
            cases.add(rmsNorm(cotangents(9, 0, 8, 6, 1), 3, shape[0], shape[1], false));
        }
        // Wider than what a warp of a GPU holds, than what a block holds, and in between; more groups than have a warp
        // each.
        for (int[] shape : new int[][] {{2, 200}, {1, 1030}, {1, 1540}, {1, 2052}, {1, 4100}}) {
            cases.add(rmsNorm(columns(3, 0, 1), 1, shape[0], shape[1], false));
        }
        cases.add(rmsNorm(columns(100, new int[30]), 0, 3, 4, true));
        for (int n : new int[] {7, 64}) {
            cases.add(scaleColumns(5, n, true));
            cases.add(scaleColumns(5, n, false));
        }
        for (int turned : new int[] {0, 4, 8}) {
            for (boolean gain : new boolean[] {false, true}) {
                cases.add(heads(columns(7, 0, 2, 2, 5), 4, 2, 8, turned, gain));
            }
        }
        cases.add(heads(cotangents(9, 0, 8, 6, 1), 3, 3, 6, 6, false));
        cases.add(heads(columns(1, 0), 6, 1, 16, 16, true));
        cases.add(heads(columns(3, 0, 1), 4, 2, 8, 6, true));
        cases.add(heads(columns(3, 0, 1), 6, 2, 128, 64, true));
        for (Activation kind : Activation.values()) {
            for (int inner : new int[] {7, 56}) {
                cases.add(gate(kind, columns(1, 0), 0, inner));
                cases.add(gate(kind, columns(9, 0, 2, 2, 5), 3, inner));
            }
        }
        AttentionShape window = new AttentionShape(2, 16, 0.25, 3, 0);
        cases.add(AttentionCases.derivatives("window 3, rising", window, columns(9, 0, 2, 2, 5, 8), 0));
        cases.add(AttentionCases.derivatives("window 3, falling", window, cotangents(9, 0, 8, 6, 6, 3, 0), 2));
        AttentionShape own = new AttentionShape(1, 5, 0.4, 1, 0);
        cases.add(AttentionCases.derivatives("window 1", own, columns(6, 0, 1), 0));
        AttentionShape wide = new AttentionShape(1, 16, 0.25, 37, 0);
        cases.add(AttentionCases.derivatives("window 37 of 70", wide, columns(70, 0, 3, 50), 0));
        AttentionShape many = new AttentionShape(2, 32, 0.2, 20, 0);
        int[] births = {0, 1, 5, 5, 9, 17, 23, 40, 41, 66};
        cases.add(AttentionCases.derivatives("window 20, 10 columns rising", many, columns(70, births), 0));
        cases.add(AttentionCases.derivatives("window 20, queries from 41", many, columns(70, births), 41));
        for (int headWidth : new int[] {6, 64, 100, 160}) {
            AttentionShape shape = new AttentionShape(1, headWidth, 1 / Math.sqrt(headWidth), 18, 0);
            RaggedRows falling = cotangents(53, 0, 52, 50, 33, 20, 3);
            cases.add(AttentionCases.derivatives("window 18, head width " + headWidth, shape, falling, 3));
        }
        // Small caps and large scales, so that tanh is anywhere between straight and flat.
        AttentionShape capped = new AttentionShape(2, 16, 0.5, 0, 1.5);
        cases.add(AttentionCases.derivatives("soft cap, rising", capped, columns(9, 0, 2, 2, 5, 8), 0));
        cases.add(AttentionCases.derivatives("soft cap, falling", capped, cotangents(9, 0, 8, 6, 6, 3, 0), 2));
        AttentionShape both = new AttentionShape(1, 20, 0.3, 37, 4);
        cases.add(AttentionCases.derivatives("soft cap and window 37 of 70", both, columns(70, 0, 3, 50), 0));
        cases.add(AttentionCases.derivatives("soft cap, 70 tokens falling", both, cotangents(70, 0, 69, 20, 3), 5));
        for (int headWidth : new int[] {6, 64, 128, 160}) {
            AttentionShape shape = new AttentionShape(1, headWidth, 2 / Math.sqrt(headWidth), 0, 3);
            cases.add(AttentionCases.derivatives("soft cap, head width " + headWidth, shape, columns(37, 0, 3, 30), 0));
        }
        // A cap that hardly bends: what is left of tanh must keep its digits.
        AttentionShape high = new AttentionShape(2, 16, 0.25, 0, 1000);
        cases.add(AttentionCases.derivatives("soft cap 1000", high, columns(35, 0, 3, 20), 0));
        return cases;
    }

    private static OperationCase scaleColumns(int rows, int n, boolean inPlace) {
        double[] factors = normal(56, n);
        OperationCase.Action scale = (bench, x) -> {
            Matrix in = bench.matrix(x, rows, n);
            Matrix out = inPlace ? in : bench.poison(rows, n);
            bench.backend().blocks().scaleColumns(in, bench.vector(factors), out);
            Matrix copy = bench.poison(rows, n);
            bench.backend().blocks().scaleColumns(out, null, copy);
            return bench.read(copy);
        };
        return new OperationCase(
                "scaleColumns: " + rows + " x " + n + (inPlace ? " in place" : ""),
                normal(57, rows * n),
                scale,
                x -> {
                    double[] y = x.clone();
                    for (int i = 0; i < y.length; i++) {
                        y[i] *= factors[i % n];
                    }
                    return y;
                },
                scale,
                scale,
                null);
    }

    private static OperationCase rmsNorm(RaggedRows rows, int fromRow, int groups, int n, boolean inPlace) {
        int width = groups * n;
        int count = rows.rows() - fromRow;
        double[] base = normal(50, rows.tokens() * width);
        OperationCase.Action derivative = (bench, dx) -> {
            Matrix normalized = bench.poison(rows.tokens(), width);
            Buffer inverse = bench.poison(rows.tokens() * groups);
            BlockOperations blocks = bench.backend().blocks();
            blocks.rmsNorm(bench.matrix(base, rows.tokens(), width), groups, 1e-5, normalized, inverse);
            Matrix in = bench.matrix(dx, count, width);
            Matrix out = inPlace ? in : bench.poison(count, width);
            blocks.rmsNormTangent(in, groups, rows, fromRow, normalized, inverse, out, false);
            // Onto zeros it must be the same.
            Matrix sum = bench.matrix(new double[count * width], count, width);
            blocks.rmsNormTangent(
                    bench.matrix(dx, count, width), groups, rows, fromRow, normalized, inverse, sum, true);
            double[] found = bench.read(out);
            if (!Arrays.equals(found, bench.read(sum))) {
                throw new AssertionError("accumulated and not differ");
            }
            return found;
        };
        return new OperationCase(
                "rmsNorm: " + count + " x " + groups + " x " + n + (inPlace ? " in place" : ""),
                Arrays.copyOfRange(replicated(base, rows, width), fromRow * width, rows.rows() * width),
                (bench, x) -> {
                    Matrix in = bench.matrix(x, count, width);
                    Matrix out = inPlace ? in : bench.poison(count, width);
                    bench.backend().blocks().rmsNorm(in, groups, 1e-5, out, null);
                    return bench.read(out);
                },
                x -> {
                    double[] y = new double[x.length];
                    for (int from = 0; from < x.length; from += n) {
                        double square = 0;
                        for (int j = from; j < from + n; j++) {
                            square += x[j] * x[j] / n;
                        }
                        for (int j = from; j < from + n; j++) {
                            y[j] = x[j] / Math.sqrt(square + 1e-5);
                        }
                    }
                    return y;
                },
                derivative,
                derivative,
                (bench, dx) -> OperationCase.added(bench, count * width, 0, before -> {
                    Matrix normalized = bench.poison(rows.tokens(), width);
                    Buffer inverse = bench.poison(rows.tokens() * groups);
                    BlockOperations blocks = bench.backend().blocks();
                    blocks.rmsNorm(bench.matrix(base, rows.tokens(), width), groups, 1e-5, normalized, inverse);
                    Matrix ddy = bench.matrix(before, count, width);
                    blocks.rmsNormCurvature(
                            bench.matrix(dx, count, width), groups, rows, fromRow, normalized, inverse, ddy);
                    return ddy;
                }));
    }

    private static OperationCase heads(RaggedRows rows, int heads, int keyHeads, int h, int turned, boolean gained) {
        Rotary rotary = new Rotary(Arrays.stream(normal(51, turned / 2)).boxed().toList(), 1.3);
        double[] gain = gained ? normal(52, 2 * h) : null;
        int in = (heads + 2 * keyHeads) * h;
        int out = 3 * heads * h;
        OperationCase.Action value = (bench, x) -> {
            Matrix y = bench.poison(rows.rows(), out);
            HeadLayout layout = layout(bench, rows, heads, keyHeads, h, rotary, gain);
            bench.backend().blocks().spreadHeads(layout, bench.matrix(x, rows.rows(), in), rows, y);
            return bench.read(y);
        };
        return new OperationCase(
                "heads: " + heads + " on " + keyHeads + " of " + h + ", " + turned + " turned"
                        + (gained ? ", with gain" : "") + ", " + rows.rows() + " rows",
                normal(53, rows.rows() * in),
                value,
                x -> naiveHeads(x, rows, heads, keyHeads, h, rotary, gain),
                value,
                (bench, y) -> {
                    Matrix x = bench.poison(rows.rows(), in);
                    HeadLayout layout = layout(bench, rows, heads, keyHeads, h, rotary, gain);
                    bench.backend().blocks().gatherHeads(layout, bench.matrix(y, rows.rows(), out), rows, x);
                    return bench.read(x);
                },
                null);
    }

    private static HeadLayout layout(
            Workbench bench, RaggedRows rows, int heads, int keyHeads, int h, Rotary rotary, double[] gain) {
        Matrix rotation =
                rotary.width() == 0 ? null : bench.matrix(rotary.table(rows.tokens()), rows.tokens(), rotary.width());
        return new HeadLayout(heads, keyHeads, h, rotation, gain == null ? null : bench.vector(gain));
    }

    /** Element by element: out[i] = g x[i] cos + g x[i's partner] (+-) sin. */
    private static double[] naiveHeads(
            double[] x, RaggedRows rows, int heads, int keyHeads, int h, Rotary rotary, double[] gain) {
        int in = (heads + 2 * keyHeads) * h;
        int n = rotary.width() / 2;
        double[] y = new double[rows.rows() * 3 * heads * h];
        for (int i = 0; i < y.length; i++) {
            int row = i / (3 * heads * h);
            int part = i / (heads * h) % 3;
            int head = i / h % heads;
            int e = i % h;
            int from = row * in + (part == 0 ? head : heads + (part - 1) * keyHeads + head * keyHeads / heads) * h;
            if (part == 2) {
                y[i] = x[from + e];
                continue;
            }
            double own = x[from + e] * (gain == null ? 1 : gain[part * h + e]);
            if (e >= 2 * n) {
                y[i] = own;
                continue;
            }
            int partner = e < n ? e + n : e - n;
            double other = x[from + partner] * (gain == null ? 1 : gain[part * h + partner]);
            double angle = rows.tokenOf(row) * rotary.frequencies().get(e % n);
            double sine = Math.sin(angle);
            y[i] = rotary.magnitude() * (own * Math.cos(angle) + other * (e < n ? -sine : sine));
        }
        return y;
    }

    private static OperationCase gate(Activation kind, RaggedRows rows, int fromRow, int inner) {
        double[] bias = normal(54, 2 * inner);
        double[] base = ActivationCases.arguments(rows.tokens() * 2 * inner, bias);
        int count = rows.rows() - fromRow;
        DoubleUnaryOperator act = ActivationCases.naive(kind);
        return new OperationCase(
                "gate " + kind + ": " + count + " x " + inner,
                Arrays.copyOfRange(replicated(base, rows, 2 * inner), fromRow * 2 * inner, rows.rows() * 2 * inner),
                (bench, x) -> {
                    Matrix u = bench.matrix(x, count, 2 * inner);
                    bench.backend().blocks().gate(kind, u, bench.vector(bias), null);
                    return first(bench.read(u), inner);
                },
                x -> {
                    double[] y = new double[count * inner];
                    for (int i = 0; i < y.length; i++) {
                        int at = i / inner * 2 * inner + i % inner;
                        y[i] = act.applyAsDouble(x[at] + bias[i % inner]) * (x[at + inner] + bias[inner + i % inner]);
                    }
                    return y;
                },
                (bench, dx) -> {
                    Matrix du = bench.matrix(dx, count, 2 * inner);
                    Matrix dh = bench.poison(count, inner);
                    Matrix kept = kept(bench, kind, base, rows.tokens(), bias);
                    bench.backend().blocks().gateTangent(du, rows, fromRow, kept, dh);
                    bench.backend().blocks().gateTangent(du, rows, fromRow, kept, left(du, inner));
                    double[] found = bench.read(dh);
                    if (!Arrays.equals(found, first(bench.read(du), inner))) {
                        throw new AssertionError("in place and elsewhere differ");
                    }
                    return found;
                },
                (bench, dy) -> {
                    Matrix kept = kept(bench, kind, base, rows.tokens(), bias);
                    Matrix du = bench.poison(count, 2 * inner);
                    bench.backend().blocks().gateAdjoint(bench.matrix(dy, count, inner), rows, fromRow, kept, du);
                    Matrix same = bench.matrix(beside(dy, inner), count, 2 * inner);
                    bench.backend().blocks().gateAdjoint(left(same, inner), rows, fromRow, kept, same);
                    double[] found = bench.read(du);
                    if (!Arrays.equals(found, bench.read(same))) {
                        throw new AssertionError("in place and elsewhere differ");
                    }
                    return found;
                },
                (bench, dx) -> OperationCase.added(bench, count * inner, 0, before -> {
                    Matrix second = bench.matrix(base, rows.tokens(), 2 * inner);
                    bench.backend().blocks().gateSecondDerivative(kind, second, bench.vector(bias));
                    Matrix ddh = bench.matrix(before, count, inner);
                    bench.backend()
                            .blocks()
                            .gateCurvature(bench.matrix(dx, count, 2 * inner), rows, fromRow, second, ddh);
                    return ddh;
                }));
    }

    private static Matrix kept(Workbench bench, Activation kind, double[] base, int tokens, double[] bias) {
        Matrix u = bench.matrix(base, tokens, bias.length);
        Matrix kept = bench.poison(tokens, bias.length);
        bench.backend().blocks().gate(kind, u, bench.vector(bias), kept);
        return kept;
    }

    private static Matrix left(Matrix x, int columns) {
        return new Matrix(x.buffer(), x.offset(), x.rows(), columns, x.stride());
    }

    /** The left half of every row. */
    private static double[] first(double[] x, int inner) {
        double[] y = new double[x.length / 2];
        for (int i = 0; i < y.length; i++) {
            y[i] = x[i / inner * 2 * inner + i % inner];
        }
        return y;
    }

    /** Rows with as many numbers beside them that nobody may read. */
    private static double[] beside(double[] x, int inner) {
        double[] y = new double[2 * x.length];
        Arrays.fill(y, Double.NaN);
        for (int i = 0; i < x.length; i++) {
            y[i / inner * 2 * inner + i % inner] = x[i];
        }
        return y;
    }
}
