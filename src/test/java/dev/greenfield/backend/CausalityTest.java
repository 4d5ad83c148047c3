package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.testing.LeakCheck;
import java.util.Arrays;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What causality forbids is zero to the bit, on every backend: not small, and not the remains of another column. */
class CausalityTest {
    private static final int TOKENS = 70;
    private static final AttentionShape SHAPE = new AttentionShape(2, 16, 0.25);
    private static final int WIDTH = SHAPE.width();

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void aTangentReachesNoEarlierToken(Backends kind) {
        RaggedRows rows = AttentionCases.columns(TOKENS, 0, 0, 0);
        try (Workbench bench = new Workbench(leaks.closing(kind.open()), true)) {
            AttentionPrimal primal = AttentionCases.primal(bench, SHAPE, normal(1, TOKENS * 3 * WIDTH));
            for (int token : new int[] {1, 31, 33, 69}) {
                double[] only = AttentionCases.onlyAt(token, rows, 3 * WIDTH, normal(2, 9 * WIDTH));
                Matrix dout = bench.poison(rows.rows(), WIDTH);
                bench.backend().attentionTangent(primal, bench.matrix(only, rows.rows(), 3 * WIDTH), rows, 0, dout);
                double[] y = bench.read(dout);
                for (int i = 0; i < rows.start(token) * WIDTH; i++) {
                    assertThat(Math.abs(y[i]))
                            .as("element " + i + " before token " + token)
                            .isEqualTo(0.0);
                }
                assertThat(y[rows.start(token) * WIDTH]).isNotZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void curvatureReachesNoEarlierTokenAndNoOtherColumn(Backends kind) {
        RaggedRows rows = AttentionCases.columns(TOKENS, 0, 0, 0);
        try (Workbench bench = new Workbench(leaks.closing(kind.open()), true)) {
            AttentionPrimal primal = AttentionCases.primal(bench, SHAPE, normal(1, TOKENS * 3 * WIDTH));
            for (int token : new int[] {1, 31, 33, 69}) {
                double[] moved = normal(2, 9 * WIDTH);
                Arrays.fill(moved, 3 * WIDTH, 6 * WIDTH, 0);
                double[] only = AttentionCases.onlyAt(token, rows, 3 * WIDTH, moved);
                double[] zeros = new double[rows.rows() * WIDTH];
                Matrix ddout = bench.matrix(zeros, rows.rows(), WIDTH);
                bench.backend().attentionCurvature(primal, bench.matrix(only, rows.rows(), 3 * WIDTH), rows, 0, ddout);
                double[] y = bench.read(ddout);
                for (int row = 0; row < rows.rows(); row++) {
                    boolean still = rows.tokenOf(row) < token || row == rows.row(rows.tokenOf(row), 1);
                    for (int j = 0; still && j < WIDTH; j++) {
                        assertThat(Math.abs(y[row * WIDTH + j]))
                                .as("row " + row)
                                .isEqualTo(0.0);
                    }
                }
                assertThat(y[rows.start(token) * WIDTH]).isNotZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void aCotangentReachesNoLaterToken(Backends kind) {
        RaggedRows rows = AttentionCases.cotangents(TOKENS, 0, 69, 69, 69);
        try (Workbench bench = new Workbench(leaks.closing(kind.open()), true)) {
            AttentionPrimal primal = AttentionCases.primal(bench, SHAPE, normal(1, TOKENS * 3 * WIDTH));
            for (int token : new int[] {1, 31, 33, 68}) {
                double[] only = AttentionCases.onlyAt(token, rows, WIDTH, normal(2, 3 * WIDTH));
                Matrix dqkv = bench.poison(rows.rows(), 3 * WIDTH);
                bench.backend().attentionAdjoint(primal, bench.matrix(only, rows.rows(), WIDTH), rows, 0, dqkv);
                double[] x = bench.read(dqkv);
                for (int i = rows.start(token + 1) * 3 * WIDTH; i < x.length; i++) {
                    assertThat(Math.abs(x[i]))
                            .as("element " + i + " after token " + token)
                            .isEqualTo(0.0);
                }
                assertThat(x[rows.start(token) * 3 * WIDTH]).isNotZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void aColumnOfZerosStaysZeroBesideOthers(Backends kind) {
        RaggedRows rows = AttentionCases.columns(TOKENS, 0, 3, 3, 20);
        try (Workbench bench = new Workbench(leaks.closing(kind.open()), true)) {
            AttentionPrimal primal = AttentionCases.primal(bench, SHAPE, normal(1, TOKENS * 3 * WIDTH));
            double[] dx = normal(2, rows.rows() * 3 * WIDTH);
            for (int t = 3; t < TOKENS; t++) {
                Arrays.fill(dx, rows.row(t, 1) * 3 * WIDTH, (rows.row(t, 1) + 1) * 3 * WIDTH, 0);
            }
            Matrix dout = bench.poison(rows.rows(), WIDTH);
            bench.backend().attentionTangent(primal, bench.matrix(dx, rows.rows(), 3 * WIDTH), rows, 0, dout);
            double[] y = bench.read(dout);
            for (int t = 3; t < TOKENS; t++) {
                for (int j = 0; j < WIDTH; j++) {
                    assertThat(Math.abs(y[rows.row(t, 1) * WIDTH + j])).isEqualTo(0.0);
                }
            }
        }
    }
}
