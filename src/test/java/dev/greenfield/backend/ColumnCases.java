package dev.greenfield.backend;

import static dev.greenfield.backend.AttentionCases.columns;
import static dev.greenfield.backend.AttentionCases.cotangents;
import static dev.greenfield.backend.AttentionCases.replicated;
import static dev.greenfield.testing.Vectors.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Cases of {@link ColumnOperations}: each on some columns of a batch, with the rows of the others before, between and after. */
final class ColumnCases {
    private ColumnCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        RaggedRows rising = columns(9, 0, 2, 2, 5, 8);
        RaggedRows falling = cotangents(9, 0, 8, 6, 6, 1);
        for (int width : new int[] {5, 16, 45, 768}) {
            cases.add(layerNorm("all columns", rising, width));
            cases.add(layerNorm("first columns", rising.columns(0, 2), width));
            cases.add(layerNorm("middle columns", rising.columns(1, 4), width));
            cases.add(layerNorm("last column", falling.columns(3, 4), width));
        }
        // More than the 8192 rows from which a block of the GPU takes several.
        cases.add(layerNorm("many rows", columns(90, new int[200]).columns(50, 150), 6));
        // More tokens than threads add up a part's rows at a time.
        cases.add(layerNorm("many tokens", columns(300, 0, 20, 290).columns(1, 3), 8));
        for (int fromToken : new int[] {0, 3, 7}) {
            for (int width : new int[] {13, 48}) {
                cases.add(moved("all columns", rising, fromToken, width));
                cases.add(moved("middle columns", rising.columns(1, 4), fromToken, width));
                cases.add(moved("last columns", falling.columns(2, 4), fromToken, width));
            }
        }
        for (RaggedRows part : new RaggedRows[] {rising, rising.columns(2, 5), falling.columns(1, 3)}) {
            for (int width : new int[] {13, 48}) {
                cases.add(branch(part, 3, width));
                cases.add(branch(part, 0, width));
            }
        }
        return cases;
    }

    /** All rows of a batch to the normalized rows of a part; the derivatives at a base run. */
    private static OperationCase layerNorm(String what, RaggedRows part, int width) {
        RaggedRows whole = part.whole();
        double[] base = normal(51, whole.tokens() * width);
        return new OperationCase(
                "layerNorm of columns: " + what + ", " + part.rows() + " of " + whole.rows() + " x " + width,
                replicated(base, whole, width),
                (bench, x) -> {
                    Matrix y = bench.poison(part.rows(), width);
                    bench.backend()
                            .columns()
                            .layerNorm(bench.matrix(x, whole.rows(), width), part, OperationCases.EPSILON, y);
                    return bench.read(y);
                },
                x -> OperationCases.normalized(rowsOf(x, part, 0, width), width),
                (bench, dx) -> {
                    Primal primal = Primal.of(bench, base, whole.tokens(), width);
                    Matrix dy = bench.poison(part.rows(), width);
                    bench.backend()
                            .columns()
                            .layerNormTangent(
                                    bench.matrix(dx, whole.rows(), width),
                                    part,
                                    primal.normalized,
                                    primal.inverseStd,
                                    dy);
                    return bench.read(dy);
                },
                (bench, y) -> OperationCase.added(bench, whole.rows() * width, 0, before -> {
                    Primal primal = Primal.of(bench, base, whole.tokens(), width);
                    Matrix x = bench.matrix(before, whole.rows(), width);
                    bench.backend()
                            .columns()
                            .layerNormAdjoint(
                                    bench.matrix(y, part.rows(), width), part, primal.normalized, primal.inverseStd, x);
                    return x;
                }),
                null);
    }

    private record Primal(Matrix normalized, Buffer inverseStd) {
        static Primal of(Workbench bench, double[] base, int tokens, int width) {
            Primal primal = new Primal(bench.poison(tokens, width), bench.poison(tokens));
            bench.backend()
                    .layerNorm(
                            bench.matrix(base, tokens, width),
                            OperationCases.EPSILON,
                            primal.normalized,
                            primal.inverseStd);
            return primal;
        }
    }

    /** Taking rows and adding rows are linear and each other's adjoints. */
    private static OperationCase moved(String what, RaggedRows part, int fromToken, int width) {
        int all = part.whole().rows();
        int count = part.rows() - part.start(fromToken);
        OperationCase.Action take = (bench, x) -> {
            Matrix y = bench.poison(count, width);
            bench.backend().columns().take(bench.matrix(x, all, width), part, fromToken, y);
            return bench.read(y);
        };
        return new OperationCase(
                "take columns: " + what + " from " + fromToken + ", " + count + " of " + all + " x " + width,
                normal(52, all * width),
                take,
                x -> rowsOf(x, part, fromToken, width),
                take,
                (bench, y) -> OperationCase.added(bench, all * width, 0, before -> {
                    Matrix x = bench.matrix(before, all, width);
                    bench.backend().columns().add(bench.matrix(y, count, width), null, part, fromToken, x);
                    return x;
                }),
                null);
    }

    private static OperationCase branch(RaggedRows part, int fromToken, int width) {
        int all = part.whole().rows();
        int count = part.rows() - part.start(fromToken);
        double[] stream = normal(53, all * width);
        double[] bias = normal(54, width);
        return OperationCase.of(
                "add to columns: with bias from " + fromToken + ", " + count + " of " + all + " x " + width,
                normal(55, count * width),
                (bench, y) -> {
                    Matrix x = bench.matrix(stream, all, width);
                    bench.backend()
                            .columns()
                            .add(bench.matrix(y, count, width), bench.vector(bias), part, fromToken, x);
                    return bench.read(x);
                },
                y -> {
                    double[] x = stream.clone();
                    int at = 0;
                    for (int row : places(part, fromToken)) {
                        for (int j = 0; j < width; j++) {
                            x[row * width + j] += y[at++] + bias[j];
                        }
                    }
                    return x;
                });
    }

    /** Where the part's rows from a token on stand in the whole batch, in order. */
    private static int[] places(RaggedRows part, int fromToken) {
        RaggedRows whole = part.whole();
        int[] places = new int[part.rows() - part.start(fromToken)];
        int at = 0;
        for (int t = fromToken; t < part.tokens(); t++) {
            for (int c = 0; c < part.columns(); c++) {
                if (part.first(c) <= t && t <= part.last(c)) {
                    places[at++] = whole.row(t, part.firstColumn() + c);
                }
            }
        }
        return places;
    }

    private static double[] rowsOf(double[] x, RaggedRows part, int fromToken, int width) {
        return Arrays.stream(places(part, fromToken))
                .mapToObj(row -> Arrays.copyOfRange(x, row * width, (row + 1) * width))
                .flatMapToDouble(Arrays::stream)
                .toArray();
    }
}
