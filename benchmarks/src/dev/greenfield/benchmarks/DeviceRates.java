package dev.greenfield.benchmarks;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** What the backend reaches on plain work, in the same process as the rest: the ceilings that fractions are taken of. */
final class DeviceRates {
    /** Long enough for the wait at the end of a sample not to count. */
    private static final double SAMPLE_SECONDS = 0.02;

    private final Backend backend;
    private final double seconds;

    DeviceRates(Backend backend, double seconds) {
        this.backend = backend;
        this.seconds = seconds;
    }

    /** Waits for the device: the download of one element comes after all that was asked for before. */
    static void await(Backend backend, Buffer buffer) {
        backend.download(buffer, 0, new double[1], 0, 1);
    }

    /** Flops a second of one square matrix product of {@code n} rows. */
    double squareProduct(int n) {
        try (Buffer a = random("square a", (long) n * n);
                Buffer b = random("square b", (long) n * n);
                Buffer c = backend.allocate("square c", (long) n * n)) {
            Matrix left = Matrix.of(a, n, n);
            Matrix right = Matrix.of(b, n, n);
            Matrix product = Matrix.of(c, n, n);
            double each = secondsEach(c, () -> backend.multiply(1, left, false, right, false, 0, product));
            return 2.0 * n * n * n / each;
        }
    }

    /**
     * One kind of product.
     *
     * @param shape rows x inner x columns
     * @param way {@code NN}, or {@code TN} where the weights are transposed, as cuBLAS counts it
     * @param rate flops a second
     */
    record Product(String shape, String way, double rate) {}

    /** Each of the four products of a block alone, weights as they are and transposed. */
    void products(int rows, int width, Consumer<Product> found) {
        int[][] shapes = {{width, 3 * width}, {width, width}, {width, 4 * width}, {4 * width, width}};
        try (Buffer in = random("products in", 4L * rows * width);
                Buffer out = random("products out", 4L * rows * width);
                Buffer weights = random("products weight", 4L * width * width)) {
            for (int[] shape : shapes) {
                for (boolean transposed : new boolean[] {false, true}) {
                    Matrix weight = Matrix.of(weights, shape[transposed ? 1 : 0], shape[transposed ? 0 : 1]);
                    Matrix from = Matrix.of(in, rows, shape[0]);
                    Matrix to = Matrix.of(out, rows, shape[1]);
                    double each = secondsEach(out, () -> backend.multiply(1, from, false, weight, transposed, 0, to));
                    found.accept(new Product(
                            rows + " x " + shape[0] + " x " + shape[1],
                            transposed ? "TN" : "NN",
                            2.0 * rows * shape[0] * shape[1] / each));
                }
            }
        }
    }

    /**
     * Flops a second of the four products of a block of GPT-2 on {@code rows} rows.
     *
     * @see #blockProducts(int, int[][], int, boolean)
     */
    double blockProducts(int rows, int width, int layers, boolean transposed) {
        int[][] shapes = {{width, 3 * width}, {width, width}, {width, 4 * width}, {4 * width, width}};
        return blockProducts(rows, shapes, layers, transposed);
    }

    /**
     * Flops a second of the products of a block on {@code rows} rows, layer after layer, each with weights of its own: none of them
     * is still in a cache when its turn comes again.
     *
     * @param shapes of the weights, from and to how many columns each leads
     * @param transposed whether the weights are transposed, as in adjoint sweeps
     */
    double blockProducts(int rows, int[][] shapes, int layers, boolean transposed) {
        int widest = Arrays.stream(shapes).flatMapToInt(Arrays::stream).max().orElseThrow();
        double flops = 0;
        List<Buffer> open = new ArrayList<>();
        try {
            Buffer in = random(open, "products in", (long) rows * widest);
            Buffer out = random(open, "products out", (long) rows * widest);
            List<Runnable> products = new ArrayList<>();
            for (int l = 0; l < Math.min(layers, 8); l++) {
                for (int[] shape : shapes) {
                    Matrix weight =
                            Matrix.of(random(open, "products weight", (long) shape[0] * shape[1]), shape[0], shape[1]);
                    Matrix from = Matrix.of(in, rows, shape[transposed ? 1 : 0]);
                    Matrix to = Matrix.of(out, rows, shape[transposed ? 0 : 1]);
                    products.add(() -> backend.multiply(1, from, false, weight, transposed, 0, to));
                    flops += 2.0 * rows * shape[0] * shape[1];
                }
            }
            return flops / secondsEach(out, () -> products.forEach(Runnable::run));
        } finally {
            open.forEach(Buffer::close);
        }
    }

    /** Bytes a second, read and written, of adding a bias to a large matrix in place. */
    double bandwidth(int rows, int columns) {
        try (Buffer x = random("bandwidth", (long) rows * columns);
                Buffer bias = random("bandwidth bias", columns)) {
            double each = secondsEach(x, () -> backend.addBias(Matrix.of(x, rows, columns), bias));
            return 2.0 * rows * columns * backend.precision().bytes() / each;
        }
    }

    /** The median time of work, done so often before each wait that the wait does not matter. */
    double secondsEach(Buffer result, Runnable work) {
        int times = 1;
        while (times < 1 << 14) {
            long start = System.nanoTime();
            repeat(times, work);
            await(backend, result);
            if (System.nanoTime() - start > SAMPLE_SECONDS * 1e9) {
                break;
            }
            times *= 2;
        }
        int count = times;
        return TimeSpread.measure(seconds, () -> {
                    repeat(count, work);
                    await(backend, result);
                })
                .per(count)
                .median();
    }

    private static void repeat(int times, Runnable work) {
        for (int i = 0; i < times; i++) {
            work.run();
        }
    }

    private Buffer random(List<Buffer> open, String label, long elements) {
        Buffer buffer = random(label, elements);
        open.add(buffer);
        return buffer;
    }

    /** Random numbers: products of zeros draw less power and run faster. */
    Buffer random(String label, long elements) {
        Buffer buffer = backend.allocate(label, elements);
        Random random = new Random(1);
        float[] part = new float[(int) Math.min(elements, 1 << 20)];
        for (int i = 0; i < part.length; i++) {
            part[i] = (float) random.nextGaussian();
        }
        for (long at = 0; at < elements; at += part.length) {
            backend.upload(part, 0, buffer, at, (int) Math.min(part.length, elements - at));
        }
        return buffer;
    }
}
