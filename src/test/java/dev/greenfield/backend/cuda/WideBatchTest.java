package dev.greenfield.backend.cuda;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.backend.Workbench;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Attention of more columns than one launch can have: a grid has at most 65535 blocks in z, of 8 columns each. */
class WideBatchTest {
    private static final AttentionShape SHAPE = new AttentionShape(1, 4, 0.5);
    private static final int WIDTH = SHAPE.width();
    private static final String LAUNCH = "greenfield.cuda.launch-columns";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @AfterEach
    void clear() {
        System.clearProperty(LAUNCH);
    }

    @Test
    void fewColumnsALaunch() {
        System.setProperty(LAUNCH, "16");
        allColumnsAreThere(43);
    }

    @Test
    void moreColumnsThanAGridHas() {
        assumeTrue(!ChildJvm.onStandIn(), "half a million columns take minutes on the host stand-in");
        allColumnsAreThere(8 * 65535 + 3);
    }

    /** A lone token attends to itself: the result is its value, and so are the derivatives. */
    private void allColumnsAreThere(int columns) {
        RaggedRows batchRows = RaggedRows.of(1, new int[columns], new int[columns]);
        CudaBackend backend = leaks.closing((CudaBackend) Backends.CUDA.open());
        try (Workbench bench = new Workbench(backend, false)) {
            Matrix qkv = bench.matrix(normal(1, 3 * WIDTH), 1, 3 * WIDTH);
            Buffer logSumExp = bench.poison(1);
            backend.attention(SHAPE, qkv, RaggedRows.sequence(1), null, 0, bench.poison(1, WIDTH), logSumExp);
            AttentionPrimal primal = new AttentionPrimal(SHAPE, qkv, logSumExp);

            double[] rows = normal(2, columns * 3 * WIDTH);
            Matrix batch = bench.matrix(rows, columns, 3 * WIDTH);
            Matrix value = bench.poison(columns, WIDTH);
            backend.attention(SHAPE, batch, batchRows, null, 0, value, null);
            assertThat(Errors.relative(bench.read(value), values(rows))).isLessThan(1e-6);

            Matrix tangent = bench.poison(columns, WIDTH);
            backend.attentionTangent(primal, batch, batchRows, 0, tangent);
            assertThat(Errors.relative(bench.read(tangent), values(rows))).isLessThan(1e-6);

            double[] cotangents = normal(3, columns * WIDTH);
            Matrix adjoint = bench.poison(columns, 3 * WIDTH);
            backend.attentionAdjoint(primal, bench.matrix(cotangents, columns, WIDTH), batchRows, 0, adjoint);
            assertThat(Errors.relative(values(bench.read(adjoint)), cotangents)).isLessThan(1e-6);
        }
    }

    /** The last third of each row of 3D. */
    private static double[] values(double[] rows) {
        double[] values = new double[rows.length / 3];
        for (int c = 0; c < rows.length / (3 * WIDTH); c++) {
            System.arraycopy(rows, (3 * c + 2) * WIDTH, values, c * WIDTH, WIDTH);
        }
        return values;
    }
}
