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

    /** A window ends as sharply as causality: what moves at a token reaches those that see it, in both directions, and no other. */
    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void nothingReachesBeyondAWindow(Backends kind) {
        RaggedRows rows = AttentionCases.columns(TOKENS, 0, 0, 0);
        int all = rows.rows();
        Backend backend = leaks.closing(kind.open());
        for (int window : new int[] {2, 7, 37}) {
            AttentionShape shape = new AttentionShape(2, 16, 0.25, window, 0);
            try (Workbench bench = new Workbench(backend, true)) {
                AttentionPrimal primal = AttentionCases.primal(bench, shape, normal(1, TOKENS * 3 * WIDTH));
                for (int token : new int[] {1, 31, 33, 69}) {
                    Matrix moved = bench.matrix(
                            AttentionCases.onlyAt(token, rows, 3 * WIDTH, normal(2, 9 * WIDTH)), all, 3 * WIDTH);
                    Matrix dout = bench.poison(all, WIDTH);
                    backend.attentionTangent(primal, moved, rows, 0, dout);
                    requireOnly(bench.read(dout), rows, WIDTH, token, token + window - 1);
                    Matrix ddout = bench.matrix(new double[all * WIDTH], all, WIDTH);
                    backend.attentionCurvature(primal, moved, rows, 0, ddout);
                    requireOnly(bench.read(ddout), rows, WIDTH, token, token + window - 1);
                    double[] only = AttentionCases.onlyAt(token, rows, WIDTH, normal(2, 3 * WIDTH));
                    Matrix dqkv = bench.poison(all, 3 * WIDTH);
                    backend.attentionAdjoint(primal, bench.matrix(only, all, WIDTH), rows, 0, dqkv);
                    requireOnly(bench.read(dqkv), rows, 3 * WIDTH, token - window + 1, token);
                }
            }
        }
    }

    /** That rows are zero but at the tokens from one (inclusive) to another (inclusive), where all have something. */
    private static void requireOnly(double[] x, RaggedRows rows, int width, int from, int to) {
        for (int row = 0; row < rows.rows(); row++) {
            int token = rows.tokenOf(row);
            double largest = 0;
            for (int j = 0; j < width; j++) {
                largest = Math.max(largest, Math.abs(x[row * width + j]));
            }
            if (token < from || token > to) {
                assertThat(largest).as("token " + token).isEqualTo(0.0);
            } else {
                assertThat(largest).as("token " + token).isPositive();
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
