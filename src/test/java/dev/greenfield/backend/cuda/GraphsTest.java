package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.BackendException;
import dev.greenfield.model.Precision;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Work that comes again goes to the device as a graph, and does the same to the bit as when it goes call by call. */
class GraphsTest {
    private static final int ROWS = 3;
    private static final int WIDTH = 40;

    @BeforeEach
    void onlyWhereThereIsADevice() {
        assumeTrue(Backends.here().contains(Backends.CUDA), "the tests run on other backends");
        Backends.CUDA.open().close();
    }

    /** With copies by kernels, whatever other tests of this run do. */
    private static CudaBackend open() {
        String before = System.getProperty(CudaTuning.COPIES);
        System.setProperty(CudaTuning.COPIES, "262144");
        try {
            return CudaBackend.open(Precision.FP32);
        } finally {
            if (before == null) {
                System.clearProperty(CudaTuning.COPIES);
            } else {
                System.setProperty(CudaTuning.COPIES, before);
            }
        }
    }

    /** Adds a bias so often that there is more than one graph, multiplies, and brings the rows back. */
    private static double[] work(CudaBackend backend, Buffer weights, Buffer bias, double[] rows) {
        try (Buffer x = backend.allocate("rows", rows.length);
                Buffer y = backend.allocate("products", rows.length)) {
            backend.upload(rows, 0, x, 0, rows.length);
            Matrix xs = Matrix.of(x, ROWS, WIDTH);
            Matrix ys = Matrix.of(y, ROWS, WIDTH);
            for (int i = 0; i < 50; i++) {
                backend.addBias(xs, bias);
            }
            backend.multiply(1, xs, false, Matrix.of(weights, WIDTH, WIDTH), false, 0, ys);
            for (int i = 0; i < 50; i++) {
                backend.addBias(ys, bias);
            }
            double[] result = new double[rows.length];
            backend.download(y, 0, result, 0, result.length);
            return result;
        }
    }

    private static double[] numbers(int count, int from) {
        double[] numbers = new double[count];
        Arrays.setAll(numbers, i -> (float) Math.sin(from + i));
        return numbers;
    }

    @Test
    void workThatComesAgainIsReplayedOnNewNumbers() {
        try (CudaBackend backend = open();
                Buffer weights = backend.allocate("weights", WIDTH * WIDTH);
                Buffer bias = backend.allocate("bias", WIDTH)) {
            backend.upload(numbers(WIDTH * WIDTH, 7), 0, weights, 0, WIDTH * WIDTH);
            backend.upload(numbers(WIDTH, 3), 0, bias, 0, WIDTH);
            WorkQueue queue = backend.internals().work();
            for (int round = 0; round < 5; round++) {
                double[] rows = numbers(ROWS * WIDTH, round);
                queue.direct(true);
                double[] expected = work(backend, weights, bias, rows);
                queue.direct(false);
                assertThat(work(backend, weights, bias, rows)).isEqualTo(expected);
            }
            assertThat(queue.replays()).as("of three graphs in five rounds").isBetween(9L, 12L);
        }
    }

    @Test
    void memoryThatGoesBackToTheDriverTakesGraphsWithIt() {
        try (CudaBackend backend = open();
                Buffer weights = backend.allocate("weights", WIDTH * WIDTH);
                Buffer bias = backend.allocate("bias", WIDTH)) {
            backend.upload(numbers(WIDTH * WIDTH, 7), 0, weights, 0, WIDTH * WIDTH);
            backend.upload(numbers(WIDTH, 3), 0, bias, 0, WIDTH);
            double[] rows = numbers(ROWS * WIDTH, 1);
            double[] expected = work(backend, weights, bias, rows);
            for (int round = 0; round < 6; round++) {
                assertThat(work(backend, weights, bias, rows)).isEqualTo(expected);
                backend.keepWithin(0); // frees what is kept for the next request, while work waits
                backend.keepWithin(Long.MAX_VALUE / 2);
            }
        }
    }

    @Test
    void whatIsRefusedIsToldToWhoeverWaits() {
        CudaBackend backend = open();
        try (backend) {
            CudaBackend.Internals cuda = backend.internals();
            cuda.launcher()
                    .kernel("add_bias")
                    .address(0)
                    .number(1)
                    .address(0)
                    .number(1)
                    .number(1);
            cuda.launcher().launch(1, 100_000, 1, 32, 0);
            cuda.work().beforeFreeing();
            assertThatThrownBy(() -> cuda.transfers().synchronize("waiting"))
                    .isInstanceOf(BackendException.class)
                    .hasMessageContaining("add_bias, 1 x 100000 x 1 blocks");
        }
    }
}
