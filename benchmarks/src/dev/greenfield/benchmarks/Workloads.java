package dev.greenfield.benchmarks;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;
import java.io.IOException;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * What the CPU benchmarks time, on a random model, {@code random:4,12,768,1000,64} unless another is named, and 32 tokens: the library's own work, and the matrix
 * products that it cannot do without, as one OpenBLAS call each with OpenBLAS's own threads: the floor that ratios are against.
 */
public final class Workloads implements AutoCloseable {
    public static final String MODEL = "random:4,12,768,1000,64";

    public static final int TOKENS = 32;
    public static final int DIRECTIONS = 256;

    private final Model model;
    private final Run run;
    private final Run donor;
    private final int threads;
    private final int[] tokens;
    private final GreenOperator green;
    private final double[][] directions;
    private final Observable observable = Observable.logitDifference(1, 2);
    private FloatPointer a;
    private FloatPointer b;
    private FloatPointer c;

    public Workloads(String spec, int threads) throws IOException {
        this.threads = threads;
        model = Greenfield.load(spec, Options.defaults().backend("cpu").threads(threads));
        Random random = new Random(1);
        tokens = random.ints(TOKENS, 0, 1000).toArray();
        run = model.run(tokens);
        donor = model.run(random.ints(TOKENS, 0, 1000).toArray());
        green = run.green(Site.of(0, 0)).to(layers());
        directions = new double[DIRECTIONS][model.config().width()];
        for (double[] direction : directions) {
            for (int i = 0; i < direction.length; i++) {
                direction[i] = random.nextGaussian();
            }
        }
    }

    private int layers() {
        return model.config().layers();
    }

    /** One forward pass, linearized. */
    public Run forward() {
        Run again = model.run(tokens);
        again.close();
        return again;
    }

    /** The sensitivity field from nothing: forward pass and adjoint sweep. */
    public double sensitivity() {
        try (Run again = model.run(tokens)) {
            return again.sensitivity(observable).value();
        }
    }

    /** The adjoint sweep alone, on a run that is there. */
    public double adjoint() {
        return run.sensitivity(observable).value();
    }

    /** The responses at all tokens of the final depth to 256 directions at the first token of depth 0. */
    public double[][] tangents() {
        return green.applyAll(directions);
    }

    /** Live rows times blocks of {@link #tangents}: every direction has a row at every token. */
    public long tangentRowBlocks() {
        return (long) DIRECTIONS * TOKENS * layers();
    }

    /** All patches of one run by another's residuals, with their first-order predictions. */
    public double[][] patches() {
        return run.patchSweep(donor, observable).measured();
    }

    /** Rows times blocks that the patched suffixes have. */
    public long patchRowBlocks() {
        long rows = (long) TOKENS * (TOKENS + 1) / 2;
        return rows * layers() * (layers() + 1) / 2;
    }

    /** Useful flops of a row in a block: its products, 24 D^2 for GPT-2's shapes. */
    public double flopsPerRowBlock() {
        double sum = 0;
        for (int[] shape : shapes()) {
            sum += 2.0 * shape[0] * shape[1];
        }
        return sum;
    }

    /** Inputs and outputs of a block's four linear layers. */
    private int[][] shapes() {
        ModelConfig config = model.config();
        Architecture.Attention attention = config.architecture().attention();
        int width = config.width();
        return new int[][] {
            {width, attention.projectedWidth()},
            {attention.queryWidth(), width},
            {width, config.architecture().mlp().upWidth()},
            {config.inner(), width}
        };
    }

    /**
     * The four matrix products of a block on {@code rows} rows, all layers, by OpenBLAS alone.
     *
     * @return their floating-point operations
     */
    public double products(int rows, int times) {
        if (a == null) {
            long most = (long) DIRECTIONS * TOKENS;
            long in = 0;
            long out = 0;
            long weights = 0;
            for (int[] shape : shapes()) {
                in = Math.max(in, shape[0]);
                out = Math.max(out, shape[1]);
                weights = Math.max(weights, (long) shape[0] * shape[1]);
            }
            a = filled(most * in);
            b = filled(weights);
            c = filled(most * out);
        }
        openblas_nolapack.blas_set_num_threads(threads);
        for (int i = 0; i < times; i++) {
            for (int[] shape : shapes()) {
                product(rows, shape[1], shape[0]);
            }
        }
        openblas_nolapack.blas_set_num_threads(1);
        return flopsPerRowBlock() * rows * times;
    }

    private void product(int m, int n, int k) {
        openblas_nolapack.cblas_sgemm(
                openblas_nolapack.CblasRowMajor,
                openblas_nolapack.CblasNoTrans,
                openblas_nolapack.CblasNoTrans,
                m,
                n,
                k,
                1,
                a,
                k,
                b,
                n,
                0,
                c,
                n);
    }

    private static FloatPointer filled(long length) {
        FloatPointer values = new FloatPointer(length);
        for (long i = 0; i < length; i++) {
            values.put(i, (float) Math.sin(i));
        }
        return values;
    }

    @Override
    public void close() {
        model.close();
        if (a != null) {
            a.close();
            b.close();
            c.close();
        }
    }
}
