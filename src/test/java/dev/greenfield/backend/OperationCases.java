package dev.greenfield.backend;

import static dev.greenfield.backend.AttentionCases.columns;
import static dev.greenfield.backend.AttentionCases.cotangents;
import static dev.greenfield.backend.AttentionCases.replicated;
import static dev.greenfield.testing.Vectors.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The table of operation cases: every operation of {@link Backend}, at ordinary sizes and at awkward ones. */
public final class OperationCases {
    private OperationCases() {}

    /** All cases. */
    public static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        int[][] shapes = {{1, 1, 1}, {5, 7, 3}, {1, 48, 33}, {17, 33, 9}, {70, 65, 130}, {400, 48, 300}, {130, 96, 300}
        };
        for (int[] s : shapes) {
            for (int transposes = 0; transposes < 4; transposes++) {
                cases.add(multiply(1, 0, (transposes & 1) > 0, (transposes & 2) > 0, s[0], s[1], s[2]));
                cases.add(multiply(-0.5, 2, (transposes & 1) > 0, (transposes & 2) > 0, s[0], s[1], s[2]));
            }
            cases.add(multiply(1, 1, false, false, s[0], s[1], s[2]));
        }
        cases.add(embed(new int[] {0}, 1, 1));
        cases.add(embed(new int[] {2, 0, 2, 1, 1}, 3, 48));
        cases.add(embed(new int[] {3, 1, 0, 1}, 4, 45));
        cases.add(addBias(1, 1));
        cases.add(addBias(13, 45));
        cases.add(addBranch(1, 1, true));
        cases.add(addBranch(13, 45, true));
        cases.add(addBranch(13, 48, false));
        for (int width : new int[] {5, 16, 45, 768}) {
            cases.add(layerNorm(columns(1, 0), 0, width, false));
            cases.add(layerNorm(columns(9, 0, 2, 2, 5), 0, width, true));
            cases.add(layerNorm(columns(9, 0, 2, 2, 5), 7, width, false));
            cases.add(layerNorm(cotangents(9, 0, 8, 6, 1), 3, width, true));
            cases.add(accumulatedLayerNorm(columns(9, 0, 2, 2, 5), 4, width));
        }
        cases.add(layerNormOfOffset());
        cases.addAll(AttentionCases.all());
        cases.addAll(AttentionTangentCases.all());
        cases.addAll(ActivationCases.all());
        cases.addAll(ColumnCases.all());
        cases.addAll(BlockCases.all());
        cases.add(grow(
                "cotangents", cotangents(6, 0, 5, 3), cotangents(6, 0, 5, 4, 3, 1), new int[] {0, -1, 1, -1}, false));
        cases.add(grow("tangents", columns(6, 1, 4), columns(6, 0, 1, 2, 4), new int[] {-1, 0, -1, 1}, false));
        cases.add(grow("patched runs", columns(6, 1, 4), columns(6, 0, 1, 2, 4), new int[] {-1, 0, -1, 1}, true));
        cases.add(grow("longer columns", columns(6, 3), columns(6, 1), new int[] {0}, true));
        cases.add(grow("none before", columns(6), columns(6, 1, 5), new int[] {-1, -1}, true));
        for (double keep : new double[] {0, 1, -0.75}) {
            cases.add(inject(keep, 12, 45));
            cases.add(inject(keep, 12, 16));
        }
        cases.addAll(InjectionCases.all());
        cases.add(squaredNorms(1, 1));
        cases.add(squaredNorms(13, 45));
        cases.add(dots(null, 0, 1, 1));
        cases.add(dots(null, 0, 13, 45));
        cases.add(dots(columns(9, 0, 2, 2, 5), 7, 0, 48));
        cases.add(dots(cotangents(9, 0, 8, 6, 1), 3, 0, 1030));
        return cases;
    }

    private static OperationCase multiply(double alpha, double beta, boolean ta, boolean tb, int m, int k, int n) {
        double[] b = normal(2, k * n);
        double[] c = normal(3, m * n);
        String how = (ta ? "A'" : "A") + (tb ? " B'" : " B") + ", " + m + " x " + k + " x " + n;
        return OperationCase.of(
                "multiply: " + alpha + " " + how + ", beta " + beta,
                normal(1, m * k),
                (bench, a) -> {
                    Matrix left = bench.matrix(a, ta ? k : m, ta ? m : k);
                    Matrix right = bench.matrix(b, tb ? n : k, tb ? k : n);
                    // With beta 0 the result is written over whatever was there, NaN included.
                    Matrix into = beta == 0 ? bench.poison(m, n) : bench.matrix(c, m, n);
                    bench.backend().multiply(alpha, left, ta, right, tb, beta, into);
                    return bench.read(into);
                },
                a -> {
                    double[] y = new double[m * n];
                    for (int i = 0; i < m; i++) {
                        for (int j = 0; j < n; j++) {
                            for (int e = 0; e < k; e++) {
                                y[i * n + j] += a[ta ? e * m + i : i * k + e] * b[tb ? j * k + e : e * n + j];
                            }
                            y[i * n + j] = alpha * y[i * n + j] + beta * c[i * n + j];
                        }
                    }
                    return y;
                });
    }

    private static OperationCase embed(int[] index, int words, int width) {
        double[] positions = normal(41, index.length * width);
        return OperationCase.of(
                "embed: " + index.length + " tokens of " + words + " words x " + width,
                normal(40, words * width),
                (bench, table) -> {
                    Matrix x = bench.poison(index.length, width);
                    bench.backend()
                            .embed(
                                    bench.matrix(table, words, width),
                                    index,
                                    bench.matrix(positions, index.length, width),
                                    x);
                    return bench.read(x);
                },
                table -> {
                    double[] x = positions.clone();
                    for (int i = 0; i < x.length; i++) {
                        x[i] += table[index[i / width] * width + i % width];
                    }
                    return x;
                });
    }

    /** Inner products with the target of each row's token, or with one target when there is no batch. */
    private static OperationCase dots(RaggedRows rows, int fromRow, int count, int width) {
        int n = rows == null ? count : rows.rows() - fromRow;
        int tokens = rows == null ? 1 : rows.tokens();
        double[] targets = normal(43, tokens * width);
        return OperationCase.of(
                "dots: " + n + " x " + width + (rows == null ? ", one target" : ", a target a token"),
                normal(42, n * width),
                (bench, x) -> {
                    double[] sums = new double[n + 1];
                    bench.backend()
                            .dots(
                                    bench.matrix(x, n, width),
                                    rows,
                                    fromRow,
                                    bench.matrix(targets, tokens, width),
                                    sums,
                                    1);
                    return Arrays.copyOfRange(sums, 1, n + 1);
                },
                x -> {
                    double[] sums = new double[n];
                    for (int i = 0; i < x.length; i++) {
                        int token = rows == null ? 0 : rows.tokenOf(fromRow + i / width);
                        sums[i / width] += x[i] * targets[token * width + i % width];
                    }
                    return sums;
                });
    }

    private static OperationCase addBias(int rows, int width) {
        double[] bias = normal(4, width);
        return OperationCase.of(
                "addBias: " + rows + " x " + width,
                normal(5, rows * width),
                (bench, x) -> {
                    Matrix y = bench.matrix(x, rows, width);
                    bench.backend().addBias(y, bench.vector(bias));
                    return bench.read(y);
                },
                x -> mapped(x, width, (value, row, j) -> value + bias[j]));
    }

    private static OperationCase addBranch(int rows, int width, boolean inPlace) {
        double[] bias = normal(40, width);
        double[] stream = normal(41, rows * width);
        return OperationCase.of(
                "addBranch: " + rows + " x " + width + (inPlace ? " in place" : ""),
                normal(42, rows * width),
                (bench, y) -> {
                    Matrix x = bench.matrix(stream, rows, width);
                    Matrix sum = inPlace ? x : bench.poison(rows, width);
                    bench.backend().addBranch(bench.matrix(y, rows, width), bench.vector(bias), x, sum);
                    return bench.read(sum);
                },
                y -> mapped(y, width, (value, row, j) -> stream[row * width + j] + (value + bias[j])));
    }

    static final double EPSILON = 1e-5;

    /** The rows from {@code fromRow} on of a batch at a base run, and derivatives there. */
    private static OperationCase layerNorm(RaggedRows rows, int fromRow, int width, boolean inPlace) {
        double[] base = normal(6, rows.tokens() * width);
        int n = rows.rows() - fromRow;
        OperationCase.Action derivative =
                (bench, dx) -> layerNormTangent(bench, dx, rows, fromRow, base, null, inPlace);
        return new OperationCase(
                "layerNorm: " + n + " x " + width + (inPlace ? " in place" : ""),
                Arrays.copyOfRange(replicated(base, rows, width), fromRow * width, rows.rows() * width),
                (bench, x) -> {
                    Matrix in = bench.matrix(x, n, width);
                    Matrix out = inPlace ? in : bench.poison(n, width);
                    bench.backend().layerNorm(in, EPSILON, out, inPlace ? null : bench.poison(n));
                    return bench.read(out);
                },
                x -> normalized(x, width),
                derivative,
                derivative,
                (bench, dx) -> OperationCase.added(bench, n * width, 0, before -> {
                    Matrix normalized = bench.poison(rows.tokens(), width);
                    Buffer inverseStd = bench.poison(rows.tokens());
                    bench.backend()
                            .layerNorm(bench.matrix(base, rows.tokens(), width), EPSILON, normalized, inverseStd);
                    Matrix ddy = bench.matrix(before, n, width);
                    bench.backend()
                            .layerNormCurvature(bench.matrix(dx, n, width), rows, fromRow, normalized, inverseStd, ddy);
                    return ddy;
                }));
    }

    private static OperationCase accumulatedLayerNorm(RaggedRows rows, int fromRow, int width) {
        double[] base = normal(6, rows.tokens() * width);
        double[] before = normal(7, (rows.rows() - fromRow) * width);
        return OperationCase.of(
                "layerNormTangent, accumulated: width " + width,
                normal(8, before.length),
                (bench, dx) -> layerNormTangent(bench, dx, rows, fromRow, base, before, false),
                dx -> mapped(dx, width, (value, row, j) -> {
                    int token = rows.tokenOf(fromRow + row);
                    double[] x = Arrays.copyOfRange(base, token * width, (token + 1) * width);
                    double[] y = normalized(x, width);
                    double mean = 0;
                    double along = 0;
                    double square = 0;
                    double sum = 0;
                    for (int e = 0; e < width; e++) {
                        mean += dx[row * width + e] / width;
                        along += dx[row * width + e] * y[e] / width;
                        square += x[e] * x[e] / width;
                        sum += x[e] / width;
                    }
                    double std = Math.sqrt(square - sum * sum + EPSILON);
                    return before[row * width + j] + (value - mean - y[j] * along) / std;
                }));
    }

    private static double[] layerNormTangent(
            Workbench bench,
            double[] dx,
            RaggedRows rows,
            int fromRow,
            double[] base,
            double[] before,
            boolean inPlace) {
        int width = base.length / rows.tokens();
        Matrix normalized = bench.poison(rows.tokens(), width);
        Buffer inverseStd = bench.poison(rows.tokens());
        bench.backend().layerNorm(bench.matrix(base, rows.tokens(), width), EPSILON, normalized, inverseStd);
        int n = rows.rows() - fromRow;
        Matrix in = bench.matrix(dx, n, width);
        Matrix out = inPlace ? in : before == null ? bench.poison(n, width) : bench.matrix(before, n, width);
        bench.backend().layerNormTangent(in, rows, fromRow, normalized, inverseStd, out, before != null);
        return bench.read(out);
    }

    /** A mean that is large against the spread: a variance taken as E[x^2] - E[x]^2 in float32 would be lost. */
    private static OperationCase layerNormOfOffset() {
        int width = 48;
        return OperationCase.of(
                "layerNorm, large mean: width " + width,
                Arrays.stream(normal(9, 3 * width)).map(x -> (float) (100 + x)).toArray(),
                (bench, x) -> {
                    Matrix out = bench.poison(3, width);
                    Buffer inverseStd = bench.poison(3);
                    bench.backend().layerNorm(bench.matrix(x, 3, width), EPSILON, out, inverseStd);
                    return bench.read(out);
                },
                null);
    }

    static double[] normalized(double[] x, int width) {
        double[] y = new double[x.length];
        for (int row = 0; row < x.length; row += width) {
            double sum = 0;
            double square = 0;
            for (int j = 0; j < width; j++) {
                sum += x[row + j];
                square += x[row + j] * x[row + j];
            }
            double mean = sum / width;
            for (int j = 0; j < width; j++) {
                y[row + j] = (x[row + j] - mean) / Math.sqrt(square / width - mean * mean + EPSILON);
            }
        }
        return y;
    }

    private static OperationCase grow(String what, RaggedRows from, RaggedRows to, int[] origin, boolean onBase) {
        int width = 13;
        double[] base = normal(13, to.tokens() * width);
        return OperationCase.of(
                "grow: " + what,
                normal(14, from.rows() * width),
                (bench, x) -> {
                    Matrix rest = onBase ? bench.matrix(base, to.tokens(), width) : null;
                    Matrix out = bench.poison(to.rows(), width);
                    bench.backend().grow(bench.matrix(x, from.rows(), width), from, origin, rest, out, to);
                    return bench.read(out);
                },
                x -> mapped(new double[to.rows() * width], width, (value, row, j) -> {
                    int token = to.tokenOf(row);
                    int old = origin[row - to.start(token)];
                    boolean lived = old >= 0 && token >= from.first(old) && token <= from.last(old);
                    double rest = onBase ? base[token * width + j] : 0;
                    return lived ? x[from.row(token, old) * width + j] : rest;
                }));
    }

    private static OperationCase inject(double keep, int rows, int width) {
        int[] index = {7, 0, rows - 1};
        double[] stream = normal(15, rows * width);
        return OperationCase.of(
                "inject: keep " + keep + ", width " + width,
                normal(16, index.length * width),
                (bench, sources) -> {
                    Matrix x = bench.matrix(stream, rows, width);
                    bench.backend().inject(x, index, bench.matrix(sources, index.length, width), keep);
                    return bench.read(x);
                },
                sources -> mapped(stream, width, (value, row, j) -> {
                    for (int i = 0; i < index.length; i++) {
                        if (index[i] == row) {
                            return keep * value + sources[i * width + j];
                        }
                    }
                    return value;
                }));
    }

    private static OperationCase squaredNorms(int rows, int width) {
        return OperationCase.of(
                "squaredNorms: " + rows + " x " + width,
                normal(21, rows * width),
                (bench, x) -> {
                    double[] into = new double[rows + 2];
                    bench.backend().squaredNorms(bench.matrix(x, rows, width), into, 1);
                    return into;
                },
                x -> {
                    double[] sums = new double[rows + 2];
                    for (int i = 0; i < x.length; i++) {
                        sums[1 + i / width] += x[i] * x[i];
                    }
                    return sums;
                });
    }

    interface Element {
        double apply(double value, int row, int column);
    }

    static double[] mapped(double[] x, int width, Element element) {
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = element.apply(x[i], i / width, i % width);
        }
        return y;
    }
}
