package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.model.Precision;
import java.util.Arrays;
import java.util.Locale;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * What a CUDA graph would save: pairs of a small kernel and a small product, queued one by one and replayed as one graph.
 * {@code GraphCosts [fp32|tf32]}; microseconds a call, medians.
 */
public final class GraphCosts {
    private static final int PAIRS = 100;
    private static final int REPEATS = 300;
    private static final int RELAXED = 2; // CU_STREAM_CAPTURE_MODE_RELAXED

    private GraphCosts() {}

    public static void main(String[] args) {
        Precision precision = Precision.valueOf((args.length > 0 ? args[0] : "tf32").toUpperCase(Locale.ROOT));
        int rows = 16;
        int width = 768;
        try (CudaBackend backend = CudaBackend.open(precision);
                Buffer a = backend.allocate("rows", (long) rows * width);
                Buffer b = backend.allocate("more rows", (long) rows * width);
                Buffer weights = backend.allocate("weights", (long) width * width);
                Buffer bias = backend.allocate("bias", width)) {
            double[] numbers = new double[width * width];
            Arrays.fill(numbers, 1e-3);
            backend.upload(numbers, 0, a, 0, rows * width);
            backend.upload(numbers, 0, weights, 0, numbers.length);
            backend.upload(numbers, 0, bias, 0, width);
            Matrix x = Matrix.of(a, rows, width);
            Matrix y = Matrix.of(b, rows, width);
            Matrix w = Matrix.of(weights, width, width);
            CUstream stream = backend.internals().stream();
            backend.internals().work().direct(true);
            Runnable pairs = () -> {
                for (int i = 0; i < PAIRS; i++) {
                    backend.multiply(1, x, false, w, true, 0, y);
                    backend.addBias(y, bias);
                }
            };
            print("one by one", pairs, stream);
            CUgraph graph = new CUgraph();
            CUgraphExec exec = new CUgraphExec();
            Cuda.check(JCudaDriver.cuStreamBeginCapture(stream, RELAXED), "beginning to capture");
            pairs.run();
            Cuda.check(JCudaDriver.cuStreamEndCapture(stream, graph), "ending the capture");
            long begin = System.nanoTime();
            Cuda.check(JCudaDriver.cuGraphInstantiate(exec, graph, 0), "making the graph executable");
            System.out.printf(Locale.ROOT, "instantiated in %.1f us%n", (System.nanoTime() - begin) / 1e3);
            print(
                    "as a graph",
                    () -> Cuda.check(JCudaDriver.cuGraphLaunch(exec, stream), "launching the graph"),
                    stream);
            print(
                    "captured, as a new graph",
                    () -> {
                        CUgraph again = new CUgraph();
                        Cuda.check(JCudaDriver.cuStreamBeginCapture(stream, RELAXED), "beginning to capture");
                        pairs.run();
                        Cuda.check(JCudaDriver.cuStreamEndCapture(stream, again), "ending the capture");
                        Cuda.check(JCudaDriver.cuGraphDestroy(again), "forgetting the graph");
                    },
                    stream);
        }
    }

    private static void print(String what, Runnable calls, CUstream stream) {
        double[] queued = new double[REPEATS];
        double[] done = new double[REPEATS];
        for (int i = -REPEATS; i < REPEATS; i++) {
            Cuda.check(JCudaDriver.cuStreamSynchronize(stream), "waiting");
            long begin = System.nanoTime();
            calls.run();
            long after = System.nanoTime();
            Cuda.check(JCudaDriver.cuStreamSynchronize(stream), "waiting");
            if (i >= 0) {
                queued[i] = (after - begin) / 1e3 / (2 * PAIRS);
                done[i] = (System.nanoTime() - begin) / 1e3 / (2 * PAIRS);
            }
        }
        Arrays.sort(queued);
        Arrays.sort(done);
        System.out.printf(
                Locale.ROOT,
                "%-26s queued %.2f us, done %.2f us a call%n",
                what,
                queued[REPEATS / 2],
                done[REPEATS / 2]);
    }
}
