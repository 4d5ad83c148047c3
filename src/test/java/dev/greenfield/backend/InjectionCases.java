package dev.greenfield.backend;

import static dev.greenfield.backend.AttentionCases.columns;
import static dev.greenfield.backend.AttentionCases.cotangents;
import static dev.greenfield.testing.Vectors.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Cases of what a map's sweep takes in and gives out: unit vectors and signs injected, moments of squared norms by group and token. */
final class InjectionCases {
    private InjectionCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        cases.add(units(1, 1, 1));
        cases.add(units(300, 700, 48));
        cases.add(units(31, 20, 45));
        for (int width : new int[] {1, 5, 48, 64, 129, 768}) {
            cases.add(signs(11, 7, width));
        }
        for (int moments = 1; moments <= 2; moments++) {
            cases.add(moments(columns(1, 0), new int[] {0, 1}, moments, 1));
            cases.add(moments(columns(9, 0, 2, 2, 2, 5, 5), new int[] {0, 1, 4, 6}, moments, 45));
            cases.add(moments(cotangents(9, 0, 8, 6, 6, 1), new int[] {0, 1, 3, 3, 4}, moments, 768));
            int[] many = new int[40];
            Arrays.fill(many, 20, 40, 3);
            cases.add(moments(columns(5, many), new int[] {0, 20, 40}, moments, 516));
        }
        return cases;
    }

    private static OperationCase units(int rows, int count, int width) {
        int[] places = new Random(7)
                .ints(0, rows * width)
                .distinct()
                .limit(Math.min(count, rows * width))
                .toArray();
        int[] index = Arrays.stream(places).map(p -> p / width).toArray();
        int[] component = Arrays.stream(places).map(p -> p % width).toArray();
        return OperationCase.of(
                "injectUnits: " + index.length + " into " + rows + " x " + width,
                normal(50, rows * width),
                (bench, x) -> {
                    Matrix matrix = bench.matrix(x, rows, width);
                    bench.backend().injectUnits(matrix, index, component);
                    return bench.read(matrix);
                },
                x -> {
                    double[] y = x.clone();
                    for (int place : places) {
                        y[place]++;
                    }
                    return y;
                });
    }

    private static OperationCase signs(int rows, int count, int width) {
        int[] index = new Random(8).ints(0, rows).distinct().limit(count).toArray();
        int words = Backend.signWords(width);
        long[] bits = new Random(9).longs((long) count * words).toArray();
        return OperationCase.of(
                "injectSigns: " + count + " into " + rows + " x " + width,
                normal(51, rows * width),
                (bench, x) -> {
                    Matrix matrix = bench.matrix(x, rows, width);
                    bench.backend().injectSigns(matrix, index, bits);
                    return bench.read(matrix);
                },
                x -> {
                    double[] y = x.clone();
                    for (int i = 0; i < count; i++) {
                        for (int j = 0; j < width; j++) {
                            boolean set = (bits[i * words + j / 64] & 1L << j % 64) != 0;
                            y[index[i] * width + j] += set ? 1 : -1;
                        }
                    }
                    return y;
                });
    }

    private static OperationCase moments(RaggedRows rows, int[] groups, int moments, int width) {
        int count = groups.length - 1;
        int tokens = rows.tokens();
        return OperationCase.of(
                "squaredNormMoments: " + moments + " of " + Arrays.toString(groups) + " over " + rows + ", width "
                        + width,
                normal(52, rows.rows() * width),
                (bench, x) -> {
                    double[] into = new double[1 + moments * count * tokens];
                    Arrays.fill(into, 1, into.length, Double.NaN); // all of it is written
                    bench.backend()
                            .squaredNormMoments(bench.matrix(x, rows.rows(), width), rows, groups, moments, into, 1);
                    bench.backend().await();
                    return into;
                },
                x -> {
                    double[] into = new double[1 + moments * count * tokens];
                    for (int i = 0; i < rows.rows(); i++) {
                        double square = 0;
                        for (int j = 0; j < width; j++) {
                            square += x[i * width + j] * x[i * width + j];
                        }
                        int token = rows.tokenOf(i);
                        int column = i - rows.start(token);
                        for (int g = 0; g < count; g++) {
                            if (groups[g] <= column && column < groups[g + 1]) {
                                into[1 + g * tokens + token] += square;
                                if (moments == 2) {
                                    into[1 + (count + g) * tokens + token] += square * square;
                                }
                            }
                        }
                    }
                    return into;
                });
    }
}
