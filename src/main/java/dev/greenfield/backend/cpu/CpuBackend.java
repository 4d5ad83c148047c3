package dev.greenfield.backend.cpu;

import com.sun.management.OperatingSystemMXBean;
import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.ColumnOperations;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;
import dev.greenfield.model.Precision;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;

/** The float32 backend of any machine. See the package comment for how it works. */
public final class CpuBackend implements Backend {
    private static final IntUnaryOperator SAME = IntUnaryOperator.identity();

    private final Gemm gemm;
    private final CpuProducts products;
    private final String problem;
    private final Workers workers;
    private final CpuMemory memory;
    private final CpuAttention attention;
    private final CpuAttentionDerivatives derivatives;
    private final CpuAttentionTangents attentionTangents;
    private final CpuAttentionCurvature curvature;
    private final CpuColumns columns;
    private final CpuBlocks blocks;
    private final CpuInjection injection;
    private final BufferLedger ledger = new BufferLedger();

    private CpuBackend(Gemm gemm, int threads, String problem) {
        this.problem = problem;
        this.gemm = gemm;
        this.workers = new Workers(threads);
        this.products = new CpuProducts(gemm, workers);
        this.memory = gemm.memory();
        this.attention = new CpuAttention(gemm, memory, workers);
        this.derivatives = new CpuAttentionDerivatives(gemm, memory, workers);
        this.attentionTangents = new CpuAttentionTangents(gemm, memory, workers, derivatives);
        this.curvature = new CpuAttentionCurvature(gemm, memory, workers);
        this.blocks = new CpuBlocks(workers);
        this.columns = new CpuColumns(workers);
        this.injection = new CpuInjection(workers);
    }

    /** A backend on {@code threads} threads with OpenBLAS where it loads, plain Java otherwise. */
    public static CpuBackend open(int threads) {
        try {
            return new CpuBackend(OpenBlasGemm.load(), threads, null);
        } catch (LinkageError e) {
            return new CpuBackend(new PlainGemm(), threads, problem(e));
        }
    }

    /** A backend whose matrix products are plain Java whatever this machine could load. */
    public static CpuBackend withoutLibraries(int threads) {
        return new CpuBackend(new PlainGemm(), threads, null);
    }

    /** Why OpenBLAS cannot be used here; null when it can. */
    public static String whyNoOpenBlas() {
        try {
            OpenBlasGemm.load();
            return null;
        } catch (LinkageError e) {
            return problem(e);
        }
    }

    private static String problem(LinkageError e) {
        String found = e.getClass().getSimpleName() + ": " + e.getMessage();
        String missing = OpenBlasGemm.missingArtifacts();
        return missing == null ? found : "its native libraries are not here: add " + missing + " to the dependencies";
    }

    /** Why this backend works without OpenBLAS though it was wanted; null when it has it or was told to do without. */
    public String problem() {
        return problem;
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String device() {
        return workers.threads() + (workers.threads() == 1 ? " thread of " : " threads of ") + Processor.kind()
                + ", matrix products by " + gemm.description();
    }

    @Override
    public Precision precision() {
        return Precision.FP32;
    }

    @Override
    public BufferLedger ledger() {
        return ledger;
    }

    @Override
    public void keepWithin(long bytes) {
        memory.keepWithin(bytes);
    }

    @Override
    public long defaultBudget() {
        return halfOfTheMachine();
    }

    /** The budget where nobody says otherwise, in bytes. */
    public static long halfOfTheMachine() {
        try {
            return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                            .getTotalMemorySize()
                    / 2;
        } catch (LinkageError unreadable) {
            // In a folder whose name the locale cannot spell Java 17 cannot initialize that class. It is a guess then.
            return Runtime.getRuntime().maxMemory();
        }
    }

    @Override
    public long maxBufferLength() {
        return Long.MAX_VALUE / Float.BYTES;
    }

    @Override
    public int preferredChunkRows() {
        return 2048;
    }

    @Override
    public int preferredAttentionRows() {
        return 4096;
    }

    @Override
    public double condensationThreshold() {
        return 1; // measured: 0.7 and 1.4 take the same time, see docs/benchmarks.md
    }

    @Override
    public String arrangement() {
        return "chunks of " + preferredChunkRows() + " rows, attention of " + preferredAttentionRows()
                + ", condensation from " + condensationThreshold();
    }

    @Override
    public Buffer allocate(String label, long elements) {
        return new CpuBuffer(label, elements, memory.allocate(elements), ledger);
    }

    @Override
    public void upload(double[] from, int at, Buffer to, long offset, int count) {
        float[] values = new float[Math.min(count, 1 << 16)];
        Floats target = CpuBuffer.of(to).view();
        for (int done = 0; done < count; done += values.length) {
            int n = Math.min(values.length, count - done);
            for (int i = 0; i < n; i++) {
                values[i] = (float) from[at + done + i];
            }
            target.put(offset + done, values, 0, n);
        }
    }

    @Override
    public void upload(float[] from, int at, Buffer to, long offset, int count) {
        CpuBuffer.of(to).view().put(offset, from, at, count);
    }

    @Override
    public void download(Buffer from, long offset, double[] to, int at, int count) {
        float[] values = new float[Math.min(count, 1 << 16)];
        Floats source = CpuBuffer.of(from).view();
        for (int done = 0; done < count; done += values.length) {
            int n = Math.min(values.length, count - done);
            source.get(offset + done, values, 0, n);
            for (int i = 0; i < n; i++) {
                to[at + done + i] = values[i];
            }
        }
    }

    @Override
    public void multiply(
            double alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
        products.multiply((float) alpha, a, transposeA, b, transposeB, (float) beta, c);
    }

    @Override
    public void multiplyEach(double alpha, List<Product> list) {
        products.multiplyEach((float) alpha, list);
    }

    @Override
    public void embed(Matrix words, int[] index, Matrix positions, Matrix x) {
        workers.ranges(
                x.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.embed(words, index, positions, x, from, to));
    }

    @Override
    public void addBias(Matrix x, Buffer bias) {
        Floats b = CpuBuffer.of(bias).view();
        workers.ranges(x.rows(), Workers.rowsWorthATask(x), (from, to) -> RowKernels.addBias(x, b, from, to));
    }

    @Override
    public void addBranch(Matrix y, Buffer bias, Matrix x, Matrix sum) {
        Floats b = bias == null ? null : CpuBuffer.of(bias).view();
        workers.ranges(
                x.rows(), Workers.rowsWorthATask(x), (from, to) -> RowKernels.addBranch(y, b, x, SAME, sum, from, to));
    }

    @Override
    public void layerNorm(Matrix x, double epsilon, Matrix normalized, Buffer inverseStd) {
        Floats inverse = inverseStd == null ? null : CpuBuffer.of(inverseStd).view();
        workers.ranges(
                x.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.layerNorm(x, SAME, epsilon, normalized, inverse, from, to));
    }

    @Override
    public void layerNormTangent(
            Matrix dx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            boolean accumulate) {
        Floats inverse = CpuBuffer.of(inverseStd).view();
        workers.ranges(
                dx.rows(),
                Workers.rowsWorthATask(dx),
                (from, to) -> RowKernels.layerNormTangent(
                        dx, SAME, rows, fromRow, normalized, inverse, dy, SAME, accumulate, from, to));
    }

    @Override
    public void layerNormCurvature(
            Matrix dx, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverseStd, Matrix ddy) {
        Floats inverse = CpuBuffer.of(inverseStd).view();
        workers.ranges(
                dx.rows(),
                Workers.rowsWorthATask(dx),
                (from, to) -> CurvatureKernels.layerNorm(dx, rows, fromRow, normalized, inverse, ddy, from, to));
    }

    @Override
    public void attention(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        attention.value(shape, qkv, rows, base, queriesFrom, out, logSumExp);
    }

    @Override
    public void attentionTangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        derivatives.tangent(primal, dqkv, rows, queriesFrom, dout);
    }

    @Override
    public AttentionTangents attentionTangents() {
        return attentionTangents;
    }

    @Override
    public void attentionCurvature(
            AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout) {
        curvature.add(primal, dqkv, rows, queriesFrom, ddout);
    }

    @Override
    public void attentionAdjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        derivatives.adjoint(primal, dout, rows, queriesFrom, dqkv);
    }

    @Override
    public void activation(Activation kind, Matrix u, Buffer bias, Matrix derivative) {
        Floats b = CpuBuffer.of(bias).view();
        workers.ranges(
                u.rows(),
                Workers.activatedRowsWorthATask(u),
                (from, to) -> RowKernels.activation(kind, u, b, derivative, from, to));
    }

    @Override
    public void activationTangent(Matrix du, RaggedRows rows, int fromRow, Matrix derivative, Matrix dg) {
        workers.ranges(
                du.rows(),
                Workers.rowsWorthATask(du),
                (from, to) -> RowKernels.activationTangent(du, rows, fromRow, derivative, dg, from, to));
    }

    @Override
    public void activationSecondDerivative(Activation kind, Matrix u, Buffer bias) {
        Floats b = CpuBuffer.of(bias).view();
        workers.ranges(
                u.rows(),
                Workers.activatedRowsWorthATask(u),
                (from, to) -> CurvatureKernels.secondDerivative(kind, u, b, from, to));
    }

    @Override
    public void activationCurvature(Matrix du, RaggedRows rows, int fromRow, Matrix secondDerivative, Matrix ddg) {
        workers.ranges(
                du.rows(),
                Workers.rowsWorthATask(du),
                (from, to) -> CurvatureKernels.activation(du, rows, fromRow, secondDerivative, ddg, from, to));
    }

    @Override
    public void grow(Matrix from, RaggedRows fromRows, int[] origin, Matrix base, Matrix to, RaggedRows toRows) {
        injection.grow(from, fromRows, origin, base, to, toRows);
    }

    @Override
    public void inject(Matrix x, int[] index, Matrix sources, double keep) {
        injection.inject(x, index, sources, keep);
    }

    @Override
    public void injectUnits(Matrix x, int[] index, int[] component) {
        injection.injectUnits(x, index, component);
    }

    @Override
    public void injectSigns(Matrix x, int[] index, long[] bits) {
        injection.injectSigns(x, index, bits);
    }

    @Override
    public void squaredNormMoments(Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at) {
        int places = (groups.length - 1) * rows.tokens();
        workers.ranges(
                places,
                Workers.rowsWorthATask(x) * places / Math.max(x.rows(), 1),
                (from, to) -> RowKernels.squaredNormMoments(x, rows, groups, moments, into, at, from, to));
    }

    @Override
    public BlockOperations blocks() {
        return blocks;
    }

    @Override
    public ColumnOperations columns() {
        return columns;
    }

    @Override
    public void squaredNorms(Matrix x, double[] into, int at) {
        Floats values = CpuBuffer.floats(x);
        workers.ranges(x.rows(), Workers.rowsWorthATask(x), (from, to) -> {
            float[] row = Scratch.mine().floats(0, x.columns());
            for (int i = from; i < to; i++) {
                values.get(x.at(i), row, 0, x.columns());
                into[at + i] = VectorMath.squaredNorm(row, x.columns());
            }
        });
    }

    @Override
    public void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at) {
        workers.ranges(
                x.rows(),
                Workers.rowsWorthATask(x),
                (from, to) -> RowKernels.dots(x, rows, fromRow, targets, into, at, from, to));
    }

    @Override
    public void share(int tasks, IntConsumer task) {
        workers.run(tasks, task);
    }

    @Override
    public void close() {
        memory.close();
        workers.close();
    }
}
