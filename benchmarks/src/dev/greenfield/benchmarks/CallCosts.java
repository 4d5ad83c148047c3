package dev.greenfield.benchmarks;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.model.Precision;
import java.util.Arrays;
import java.util.Locale;
import jcuda.driver.CUcontext;
import jcuda.driver.JCudaDriver;

/**
 * What single calls cost the host on a device: where a sweep's kernels take less than its wall-clock time, this says of what the rest
 * is. {@code CallCosts [fp32|tf32]}. Each line is the time until calls are queued, then until the device is done with them, a call, in
 * microseconds; medians of {@link #REPEATS} times {@link #CALLS} calls, after as many to warm up.
 */
public final class CallCosts {
    /** Less than the driver queues before it makes the host wait. */
    private static final int CALLS = 200;

    private static final int REPEATS = 200;

    /** Rows of a short prompt, and width, of GPT-2 small. */
    private static final int ROWS = 16;

    private static final int WIDTH = 768;

    private final CudaBackend backend;
    private final Buffer end;

    private CallCosts(CudaBackend backend, Buffer end) {
        this.backend = backend;
        this.end = end;
    }

    public static void main(String[] args) {
        Precision precision = Precision.valueOf((args.length > 0 ? args[0] : "tf32").toUpperCase(Locale.ROOT));
        try (CudaBackend backend = CudaBackend.open(precision);
                Buffer rows = backend.allocate("rows", (long) ROWS * WIDTH);
                Buffer more = backend.allocate("more rows", (long) ROWS * WIDTH);
                Buffer weights = backend.allocate("weights", (long) WIDTH * WIDTH);
                Buffer bias = backend.allocate("bias", WIDTH)) {
            double[] numbers = new double[ROWS * WIDTH];
            Arrays.fill(numbers, 0.5);
            backend.upload(numbers, 0, rows, 0, numbers.length);
            backend.upload(numbers, 0, weights, 0, numbers.length);
            backend.upload(numbers, 0, bias, 0, WIDTH);
            Matrix x = Matrix.of(rows, ROWS, WIDTH);
            Matrix y = Matrix.of(more, ROWS, WIDTH);
            Matrix w = Matrix.of(weights, WIDTH, WIDTH);
            CallCosts costs = new CallCosts(backend, more);
            System.out.printf(Locale.ROOT, "%-52s %10s %10s%n", "call on " + backend.device(), "queued us", "done us");
            costs.print("asking the driver for the context", () -> JCudaDriver.cuCtxGetCurrent(new CUcontext()));
            costs.print("a kernel: adding a bias", () -> backend.addBias(y, bias));
            costs.print("a product " + ROWS + " x 768 x 768, NN", () -> backend.multiply(1, x, false, w, false, 0, y));
            costs.print("a product " + ROWS + " x 768 x 768, NT", () -> backend.multiply(1, x, false, w, true, 0, y));
            costs.print("an upload of 49 kB", () -> backend.upload(numbers, 0, rows, 0, numbers.length));
            costs.print("a download of 49 kB", () -> backend.download(rows, 0, numbers, 0, numbers.length));
            costs.print(
                    "a buffer and its end",
                    () -> backend.allocate("buffer", ROWS * WIDTH).close());
        }
    }

    private void print(String what, Runnable call) {
        double[] queued = new double[REPEATS];
        double[] done = new double[REPEATS];
        for (int i = -REPEATS; i < REPEATS; i++) {
            DeviceRates.await(backend, end);
            long begin = System.nanoTime();
            for (int c = 0; c < CALLS; c++) {
                call.run();
            }
            long after = System.nanoTime();
            DeviceRates.await(backend, end);
            if (i >= 0) {
                queued[i] = (after - begin) / 1e3 / CALLS;
                done[i] = (System.nanoTime() - begin) / 1e3 / CALLS;
            }
        }
        System.out.printf(Locale.ROOT, "%-52s %10.2f %10.2f%n", what, median(queued), median(done));
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
