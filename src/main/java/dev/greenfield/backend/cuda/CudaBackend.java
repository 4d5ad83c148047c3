package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.ColumnOperations;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.BackendException;
import dev.greenfield.model.Activation;
import dev.greenfield.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The backend of NVIDIA GPUs, in float32, tf32 or bf16. Everything runs in order on one stream: operations return when they are queued,
 * and only those wait whose results are wanted at once. One lock guards the stream's queue, so that several threads may use a backend; a GPU
 * is busy with one operation at a time anyway.
 */
public final class CudaBackend implements Backend {
    /** Of the memory that is free, how much a program takes when it is not told otherwise. */
    private static final double SHARE = 0.9;
    /** Row numbers, tables of batches, sums: more than a batch of 2^20 rows has of them. */
    private static final long TABLES = 32L << 20;

    private final Precision precision;
    private final CudaDevice device;
    private final CUstream stream = new CUstream();
    private final WorkQueue work = new WorkQueue(stream);
    private final DeviceMemory memory = new DeviceMemory(work::beforeFreeing);
    private final BufferLedger ledger = new BufferLedger();
    private final Transfers transfers;
    private final Launcher launcher;
    private final BatchTables tables;
    private final CudaTuning tuning = CudaTuning.fromProperties();
    private final CudaFactors factors;
    private final CublasGemm gemm;
    private final CudaNonlinear nonlinear;
    private final CudaAttention attention;
    private KernelProfile profile; // null unless launches are measured
    private final CudaInjection injection;
    private final CudaSums sums;
    private final CudaColumns columns;
    private final CudaBlocks blocks;
    private long budget = Long.MAX_VALUE; // bytes of buffers
    private boolean closed;

    private CudaBackend(CudaDevice device, Precision precision) {
        this.device = device;
        this.precision = precision;
        List<Runnable> undo = new ArrayList<>();
        try {
            Cuda.check(
                    JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
                    "opening a stream on " + device.description());
            undo.add(() -> JCudaDriver.cuStreamDestroy(stream));
            launcher = new Launcher(this, device, stream, work);
            undo.add(launcher::close);
            transfers = new Transfers(stream, work, launcher, tuning.copyBytes());
            undo.add(transfers::close);
            undo.add(memory::close);
            DeviceMemory.Block workspace = memory.allocate("cuBLAS workspace", CublasGemm.WORKSPACE_BYTES);
            factors = new CudaFactors(this, launcher, memory, precision == Precision.BF16, tuning);
            gemm = new CublasGemm(this, precision, factors, stream, work, workspace);
            tables = new BatchTables(memory, transfers, launcher);
            nonlinear = new CudaNonlinear(launcher, tables);
            injection = new CudaInjection(launcher, memory, transfers);
            sums = new CudaSums(launcher, tables, memory, transfers, injection);
            columns = new CudaColumns(launcher, tables, this::queue);
            blocks = new CudaBlocks(launcher, tables, this::queue);
            // Attention's own products are few: in bf16 they are those of tf32.
            Precision inAttention = precision == Precision.BF16 ? Precision.TF32 : precision;
            attention = new CudaAttention(
                    launcher, tables, memory, inAttention, device.mostSharedBytes(), tuning.launchColumns());
            profile(KernelProfile.ifAsked(stream));
        } catch (RuntimeException | Error e) {
            for (int i = undo.size() - 1; i >= 0; i--) {
                undo.get(i).run();
            }
            throw e;
        }
    }

    /** A backend on the GPU that is used where nobody names one: the first, or number {@code -Dgreenfield.cuda.device}. */
    public static CudaBackend open(Precision precision) {
        return open(precision, CudaDevice.byDefault());
    }

    /**
     * A backend on one of this machine's GPUs, by its number from 0 as the driver counts, in FP32, TF32 or BF16.
     *
     * @throws BackendException when there is none that can be used, with what is missing
     */
    public static CudaBackend open(Precision precision, int number) {
        if (precision == Precision.FP64) {
            throw new IllegalArgumentException("the cuda backend computes in fp32, tf32 or bf16");
        }
        return new CudaBackend(CudaDevice.shared(number).entered(), precision);
    }

    /** Runs an operation of the stream. */
    synchronized void queue(Runnable operation) {
        requireOpen();
        device.enter();
        operation.run();
    }

    private synchronized <T> T ask(Supplier<T> question) {
        requireOpen();
        device.enter();
        return question.get();
    }

    /** The stream and what works on it, for those that run other libraries beside our kernels; not guarded by the lock. */
    record Internals(CUstream stream, WorkQueue work, DeviceMemory memory, Transfers transfers, Launcher launcher) {}

    /** From now on every launch and product is measured by {@code to}; null for none. Returns who did so before. */
    synchronized KernelProfile profile(KernelProfile to) {
        KernelProfile before = profile;
        profile = to;
        device.enter();
        work.direct(to != null);
        launcher.profile(to);
        gemm.profile(to);
        return before;
    }

    /** The table of what work's launches took, after a run that loads kernels; empty without {@code -Dgreenfield.cuda.profile=true}. */
    public List<String> profileOf(Runnable work) {
        if (profile == null) {
            return List.of();
        }
        queue(profile::restart);
        work.run();
        return ask(profile::lines);
    }

    Internals internals() {
        return new Internals(stream, work, memory, transfers, launcher);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the cuda backend was used after it was closed");
        }
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String device() {
        return ask(() -> device.description() + ", cuBLAS " + gemm.version());
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public BufferLedger ledger() {
        return ledger;
    }

    @Override
    public void keepWithin(long bytes) {
        // What the backend itself needs comes on top, or it would crowd out the blocks that are kept for reuse.
        long own = CublasGemm.WORKSPACE_BYTES + TABLES + (precision == Precision.BF16 ? tuning.stagingBytes() : 0);
        queue(() -> {
            budget = bytes;
            memory.keepWithin(bytes + own);
        });
    }

    @Override
    public long defaultBudget() {
        return ask(() -> (long) (SHARE * DeviceMemory.freeBytes()));
    }

    @Override
    public long maxBufferLength() {
        return Long.MAX_VALUE / Float.BYTES;
    }

    @Override
    public int preferredChunkRows() {
        return tuning.chunkRows();
    }

    @Override
    public int preferredStreamRows() {
        return tuning.streamRows();
    }

    @Override
    public int preferredAttentionRows() {
        return tuning.attentionRows();
    }

    @Override
    public int preferredAttentionColumns() {
        return CudaTuning.ATTENTION_COLUMNS;
    }

    @Override
    public double condensationThreshold() {
        return tuning.condensation();
    }

    @Override
    public void keepAsFactor(Matrix b) {
        queue(() -> factors.keep(b));
    }

    @Override
    public Matrix keptTranspose(Matrix b) {
        return ask(() -> factors.transposeOf(b));
    }

    @Override
    public void expectFactors(long elements) {
        queue(() -> factors.expect(elements, Math.min(budget - ledger.bytes(), memory.roomBytes())));
    }

    @Override
    public int factorBytes() {
        return factors.bytesPerElement();
    }

    @Override
    public String arrangement() {
        return String.join(", ", tuning.lines());
    }

    @Override
    public Buffer allocate(String label, long elements) {
        return ask(() -> new CudaBuffer(label, elements, this, memory.allocate(label, Float.BYTES * elements), ledger));
    }

    /** Takes a buffer's memory back; closing the backend freed what was still open. */
    synchronized void free(DeviceMemory.Block block) {
        if (!closed) {
            device.enter();
            factors.forget(block);
            memory.free(block);
        }
    }

    @Override
    public void upload(double[] from, int at, Buffer to, long offset, int count) {
        CudaBuffer target = CudaBuffer.of(to, this);
        queue(() -> transfers.uploadRounded(target.pointer(offset), from, at, count, to.label()));
    }

    @Override
    public void upload(float[] from, int at, Buffer to, long offset, int count) {
        CudaBuffer target = CudaBuffer.of(to, this);
        queue(() -> transfers.upload(
                target.pointer(offset),
                Float.BYTES,
                count,
                to.label(),
                (staging, place, i, n) -> staging.slice(place, Float.BYTES * n)
                        .order(staging.order())
                        .asFloatBuffer()
                        .put(from, at + i, n)));
    }

    @Override
    public void download(Buffer from, long offset, double[] to, int at, int count) {
        CudaBuffer source = CudaBuffer.of(from, this);
        queue(() -> transfers.download(
                source.pointer(offset), Float.BYTES, count, from.label(), transfers.widening(to, at)));
    }

    @Override
    public void downloadLater(Buffer from, long offset, double[] to, int at, int count) {
        CudaBuffer source = CudaBuffer.of(from, this);
        queue(() -> transfers.downloadLater(
                source.pointer(offset), Float.BYTES, count, from.label(), transfers.widening(to, at)));
    }

    @Override
    public void await() {
        queue(() -> transfers.await("waiting for results"));
    }

    @Override
    public void multiply(
            double alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
        queue(() -> gemm.multiply((float) alpha, a, transposeA, b, transposeB, (float) beta, c));
    }

    @Override
    public void embed(Matrix words, int[] index, Matrix positions, Matrix x) {
        queue(() -> injection.withTable(
                index,
                at -> launcher.kernel("embed")
                        .matrix(words)
                        .address(at)
                        .matrix(positions)
                        .matrix(x)
                        .size(x)
                        .launchElements(x)));
    }

    @Override
    public void addBias(Matrix x, Buffer bias) {
        queue(() -> launcher.kernel("add_bias").matrix(x).buffer(bias).size(x).launchElements(x));
    }

    @Override
    public void addBranch(Matrix y, Buffer bias, Matrix x, Matrix sum) {
        queue(() -> launcher.kernel("add_branch")
                .matrix(y)
                .buffer(bias)
                .matrix(x)
                .matrix(sum)
                .address(0)
                .size(x)
                .launchElements(x));
    }

    @Override
    public void layerNorm(Matrix x, double epsilon, Matrix normalized, Buffer inverseStd) {
        queue(() -> nonlinear.layerNorm(x, epsilon, normalized, inverseStd));
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
        queue(() -> nonlinear.layerNormTangent(dx, rows, fromRow, normalized, inverseStd, dy, accumulate));
    }

    @Override
    public void layerNormCurvature(
            Matrix dx, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverseStd, Matrix ddy) {
        queue(() -> nonlinear.layerNormCurvature(dx, rows, fromRow, normalized, inverseStd, ddy));
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
        queue(() -> attention.value(shape, qkv, rows, base, queriesFrom, out, logSumExp));
    }

    @Override
    public void attentionTangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        queue(() -> attention.tangent(primal, dqkv, rows, queriesFrom, dout));
    }

    @Override
    public AttentionTangents attentionTangents() {
        return attention;
    }

    @Override
    public void attentionCurvature(
            AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout) {
        queue(() -> attention.curvature(primal, dqkv, rows, queriesFrom, ddout));
    }

    @Override
    public void attentionAdjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        queue(() -> attention.adjoint(primal, dout, rows, queriesFrom, dqkv));
    }

    @Override
    public void activation(Activation kind, Matrix u, Buffer bias, Matrix derivative) {
        queue(() -> nonlinear.activation(kind, u, bias, derivative));
    }

    @Override
    public void activationTangent(Matrix du, RaggedRows rows, int fromRow, Matrix derivative, Matrix dg) {
        queue(() -> nonlinear.activationTangent(du, rows, fromRow, derivative, dg));
    }

    @Override
    public void activationSecondDerivative(Activation kind, Matrix u, Buffer bias) {
        queue(() -> nonlinear.activationSecondDerivative(kind, u, bias));
    }

    @Override
    public void activationCurvature(Matrix du, RaggedRows rows, int fromRow, Matrix secondDerivative, Matrix ddg) {
        queue(() -> nonlinear.activationCurvature(du, rows, fromRow, secondDerivative, ddg));
    }

    @Override
    public void grow(Matrix from, RaggedRows fromRows, int[] origin, Matrix base, Matrix to, RaggedRows toRows) {
        queue(() -> {
            BatchTables.Table before = tables.of(fromRows);
            BatchTables.Table after = tables.of(toRows);
            injection.withTable(
                    origin,
                    at -> launcher.kernel("grow")
                            .matrix(from)
                            .address(before.start())
                            .address(before.first())
                            .address(before.last())
                            .address(at)
                            .matrix(base)
                            .matrix(to)
                            .address(after.start())
                            .address(after.tokenOf(0))
                            .size(to)
                            .launchElements(to));
        });
    }

    @Override
    public void inject(Matrix x, int[] index, Matrix sources, double keep) {
        queue(() -> injection.inject(x, index, sources, keep));
    }

    @Override
    public void injectUnits(Matrix x, int[] index, int[] component) {
        queue(() -> injection.units(x, index, component));
    }

    @Override
    public void injectSigns(Matrix x, int[] index, long[] bits) {
        queue(() -> injection.signs(x, index, bits));
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
        queue(() -> sums.squaredNorms(x, into, at));
    }

    @Override
    public void squaredNormMoments(Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at) {
        queue(() -> sums.squaredNormMoments(x, rows, groups, moments, into, at));
    }

    @Override
    public void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at) {
        queue(() -> sums.dots(x, rows, fromRow, targets, into, at));
    }

    /**
     * Frees everything, also after an error on the device, when nothing can be freed any more. An error that nobody has seen yet
     * comes out here.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            device.enter();
            transfers.synchronize("closing the cuda backend");
            KernelProfile.printIfAny(profile, device.description() + ", " + precision.label());
        } finally {
            KernelProfile.closeIfAny(profile);
            work.close();
            gemm.close();
            memory.close();
            transfers.close();
            launcher.close();
            JCudaDriver.cuStreamDestroy(stream);
        }
    }
}
