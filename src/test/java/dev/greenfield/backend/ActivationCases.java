package dev.greenfield.backend;

import static dev.greenfield.backend.AttentionCases.columns;
import static dev.greenfield.backend.AttentionCases.replicated;
import static dev.greenfield.backend.OperationCases.mapped;
import static dev.greenfield.testing.Vectors.concat;
import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.model.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/** Cases of the activations and their derivatives. */
final class ActivationCases {
    private ActivationCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        for (Activation kind : Activation.values()) {
            if (kind == Activation.SILU) {
                continue; // only gates have it; see BlockCases
            }
            for (int inner : new int[] {7, 30, 192}) {
                cases.add(activation(kind, columns(1, 0), 0, inner));
                cases.add(activation(kind, columns(9, 0, 2, 2, 5), 3, inner));
                cases.add(slopes(kind, 7, inner));
                cases.add(secondDerivative(kind, 7, inner));
            }
        }
        return cases;
    }

    private static OperationCase activation(Activation kind, RaggedRows rows, int fromRow, int inner) {
        double[] bias = normal(10, inner);
        double[] base = arguments(rows.tokens() * inner, bias);
        int n = rows.rows() - fromRow;
        OperationCase.Action derivative = (bench, du) -> {
            Matrix slope = bench.poison(rows.tokens(), inner);
            Matrix u = bench.matrix(base, rows.tokens(), inner);
            bench.backend().activation(kind, u, bench.vector(bias), slope);
            Matrix out = bench.matrix(du, n, inner);
            bench.backend().activationTangent(out, rows, fromRow, slope, out);
            // Elsewhere too, where the other matrix has another stride.
            Matrix elsewhere = bench.poison(n, inner);
            bench.backend().activationTangent(bench.matrix(du, n, inner), rows, fromRow, slope, elsewhere);
            double[] inPlace = bench.read(out);
            if (!Arrays.equals(inPlace, bench.read(elsewhere))) {
                throw new AssertionError("in place and elsewhere differ");
            }
            return inPlace;
        };
        return new OperationCase(
                "activation " + kind + ": " + n + " x " + inner,
                Arrays.copyOfRange(replicated(base, rows, inner), fromRow * inner, rows.rows() * inner),
                (bench, x) -> {
                    Matrix u = bench.matrix(x, n, inner);
                    bench.backend().activation(kind, u, bench.vector(bias), null);
                    return bench.read(u);
                },
                x -> mapped(x, inner, (value, row, j) -> naive(kind).applyAsDouble(value + bias[j])),
                derivative,
                derivative,
                (bench, du) -> OperationCase.added(bench, n * inner, 0, before -> {
                    Matrix second = bench.matrix(base, rows.tokens(), inner);
                    bench.backend().activationSecondDerivative(kind, second, bench.vector(bias));
                    Matrix ddg = bench.matrix(before, n, inner);
                    bench.backend().activationCurvature(bench.matrix(du, n, inner), rows, fromRow, second, ddg);
                    return ddg;
                }));
    }

    /** Arguments whose sum with the bias is at least 0.1 from 0, so that differences do not cross the kink of ReLU. */
    static double[] arguments(int count, double[] bias) {
        return mapped(Arrays.stream(normal(11, count)).map(x -> 2 * x).toArray(), bias.length, (value, row, j) -> {
            double u = value + bias[j];
            return (float) (u + Math.copySign(0.1, u) - bias[j]);
        });
    }

    /** The value that the activation leaves when it is also asked for the derivative, and the derivative. */
    private static OperationCase slopes(Activation kind, int rows, int inner) {
        double[] bias = normal(10, inner);
        return OperationCase.of(
                "activation " + kind + " with derivative: " + rows + " x " + inner,
                // Far tails too: there tanh and erf saturate.
                Arrays.stream(normal(12, rows * inner)).map(x -> 4 * x).toArray(),
                (bench, x) -> {
                    Matrix u = bench.matrix(x, rows, inner);
                    Matrix slope = bench.poison(rows, inner);
                    bench.backend().activation(kind, u, bench.vector(bias), slope);
                    return concat(bench.read(u), bench.read(slope));
                },
                null);
    }

    /** The second derivative, from its definition where u sigmoid(2 z) is the tanh form of GELU: g'' = 2 s' + u s''. */
    private static OperationCase secondDerivative(Activation kind, int rows, int inner) {
        double[] bias = normal(10, inner);
        DoubleUnaryOperator naive = switch (kind) {
            case GELU_NEW ->
                u -> {
                    double z1 = 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * u * u);
                    double z2 = 2 * Math.sqrt(2 / Math.PI) * 6 * 0.044715 * u;
                    double s = 1 / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (u + 0.044715 * u * u * u)));
                    double bend = s * (1 - s);
                    return 2 * bend * z1 + u * (bend * (1 - 2 * s) * z1 * z1 + bend * z2);
                };
            case GELU -> u -> (2 - u * u) * Math.exp(-u * u / 2) / Math.sqrt(2 * Math.PI);
            case RELU -> u -> 0;
            case SILU -> throw new IllegalArgumentException("no case asks for it");
        };
        return OperationCase.of(
                "activationSecondDerivative " + kind + ": " + rows + " x " + inner,
                // Far tails too: there tanh saturates.
                Arrays.stream(normal(12, rows * inner)).map(x -> 4 * x).toArray(),
                (bench, x) -> {
                    Matrix u = bench.matrix(x, rows, inner);
                    bench.backend().activationSecondDerivative(kind, u, bench.vector(bias));
                    return bench.read(u);
                },
                x -> mapped(x, inner, (value, row, j) -> naive.applyAsDouble(value + bias[j])));
    }

    /** u sigmoid(2 z) is the tanh form of GELU; the erf form by Simpson's rule on the normal density. */
    static DoubleUnaryOperator naive(Activation kind) {
        return switch (kind) {
            case GELU_NEW -> u -> u / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (u + 0.044715 * u * u * u)));
            case GELU ->
                u -> {
                    int steps = 2000;
                    double sum = 0;
                    for (int i = 0; i <= steps; i++) {
                        double x = u * i / steps;
                        double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
                        sum += weight * Math.exp(-x * x / 2);
                    }
                    return u * (0.5 + sum * u / steps / 3 / Math.sqrt(2 * Math.PI));
                };
            case RELU -> u -> u > 0 ? u : 0;
            case SILU -> u -> u / (1 + Math.exp(-u));
        };
    }
}
