package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.BackendException;
import dev.greenfield.model.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnSoftmaxAlgorithm;
import jcuda.jcudnn.cudnnSoftmaxMode;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import jcuda.runtime.cudaStream_t;

/**
 * Attention as libraries do it: batched products by cuBLAS, softmax and its derivative by cuDNN, every score in device memory. The
 * baseline that our fused kernels are measured against, and a check on them that shares no code. All columns of a batch must
 * live at all tokens. What it needs of a backend it takes at its making; use it and the backend from one thread.
 */
public final class UnfusedAttention implements AutoCloseable {
    private static final int FP32 = 0; // CUDA_R_32F

    private static String problem = "not tried";

    private final CudaBackend backend;
    private final CudaBackend.Internals cuda;
    private final cublasHandle blas = new cublasHandle();
    private final cudnnHandle dnn = new cudnnHandle();
    private final int computeType;
    private final DeviceMemory.Block mask; // [T, T]: 0 where a query sees a key, else minus infinity
    private final DeviceMemory.Block weights; // [H, T, T]
    private final DeviceMemory.Block replicated; // [C, T, T]: one head's weights for every column
    private final DeviceMemory.Block scores; // [C, T, T]
    private final AttentionShape shape;
    private final int tokens;
    private final int columns;

    /** Takes memory for forward passes of {@code tokens} tokens and batches of {@code columns} columns. */
    public UnfusedAttention(CudaBackend backend, AttentionShape shape, int tokens, int columns) {
        if (problem() != null) {
            throw new BackendException(problem());
        }
        this.backend = backend;
        this.cuda = backend.internals();
        cuda.work().direct(true);
        this.shape = shape;
        this.tokens = tokens;
        this.columns = columns;
        this.computeType = backend.precision() == Precision.TF32
                ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32
                : cublasComputeType.CUBLAS_COMPUTE_32F;
        CUstream stream = cuda.stream();
        Cuda.checkBlas(JCublas2.cublasCreate(blas), "opening cuBLAS");
        Cuda.checkBlas(JCublas2.cublasSetStream(blas, new cudaStream_t(stream)), "giving cuBLAS its stream");
        check(JCudnn.cudnnCreate(dnn), "opening cuDNN");
        check(JCudnn.cudnnSetStream(dnn, new cudaStream_t(stream)), "giving cuDNN its stream");
        long square = (long) Float.BYTES * tokens * tokens;
        mask = cuda.memory().allocate("mask", square);
        weights = cuda.memory().allocate("weights", square * shape.heads());
        replicated = cuda.memory().allocate("weights of every column", square * columns);
        scores = cuda.memory().allocate("scores", square * columns);
        cuda.transfers().upload(mask, Float.BYTES, tokens * tokens, "mask", (staging, at, from, n) -> {
            for (int e = 0; e < n; e++) {
                boolean seen = (from + e) % tokens <= (from + e) / tokens;
                staging.putFloat(at + Float.BYTES * e, seen ? 0 : Float.NEGATIVE_INFINITY);
            }
        });
    }

    /** Why cuDNN cannot be used here; null when it can. Loads it when first asked; open a backend before. */
    public static synchronized String problem() {
        if ("not tried".equals(problem)) {
            problem = loadCudnn();
        }
        return problem;
    }

    private static String loadCudnn() {
        String refused = "no libcudnn.so.9 was found";
        Map<Path, String> folders = LibraryFolders.ofSystem();
        folders.putAll(LibraryFolders.ofPython());
        folders.putAll(LibraryFolders.ofPythonItself());
        for (Path folder : folders.keySet()) {
            Path file = folder.resolve("libcudnn.so.9");
            if (Files.exists(file)) {
                try {
                    System.load(file.toRealPath().toString());
                    JCudnn.setExceptionsEnabled(false);
                    return null;
                } catch (LinkageError | java.io.IOException e) {
                    refused = file + ": " + e.getMessage();
                }
            }
        }
        return "cuDNN cannot be used: " + refused;
    }

    /** out [T, D] of the forward pass qkv [T, 3D]; keeps its weights for {@link #tangent}. */
    public void value(Matrix qkv, Matrix out) {
        int width = shape.width();
        int heads = shape.heads();
        product(
                false,
                true,
                tokens,
                tokens,
                shape.headWidth(),
                shape.scale(),
                at(qkv, 0),
                qkv.stride(),
                shape.headWidth(),
                at(qkv, width),
                qkv.stride(),
                shape.headWidth(),
                0,
                weights,
                tokens,
                (long) tokens * tokens,
                heads);
        try (Descriptor one = new Descriptor(1, 1, tokens, tokens);
                Descriptor all = new Descriptor(1, heads, tokens, tokens);
                Descriptor rows = new Descriptor(heads * tokens, tokens, 1, 1)) {
            check(JCudnn.cudnnAddTensor(dnn, scalar(1), one.handle, mask, scalar(1), all.handle, weights), "masking");
            check(
                    JCudnn.cudnnSoftmaxForward(
                            dnn,
                            cudnnSoftmaxAlgorithm.CUDNN_SOFTMAX_ACCURATE,
                            cudnnSoftmaxMode.CUDNN_SOFTMAX_MODE_CHANNEL,
                            scalar(1),
                            rows.handle,
                            weights,
                            scalar(0),
                            rows.handle,
                            weights),
                    "softmax");
        }
        product(
                false,
                false,
                tokens,
                shape.headWidth(),
                tokens,
                1,
                weights,
                tokens,
                (long) tokens * tokens,
                at(qkv, 2 * width),
                qkv.stride(),
                shape.headWidth(),
                0,
                at(out, 0),
                out.stride(),
                shape.headWidth(),
                heads);
    }

    /**
     * dout of dqkv [T C, 3D], token-major, for the forward pass qkv that {@link #value} saw last.
     */
    public void tangent(Matrix qkv, Matrix dqkv, Matrix dout) {
        int width = shape.width();
        int h = shape.headWidth();
        int row = dqkv.stride() * columns; // from one token of a column to the next
        long square = (long) tokens * tokens;
        try (Descriptor one = new Descriptor(1, 1, tokens, tokens);
                Descriptor all = new Descriptor(columns, 1, tokens, tokens);
                Descriptor rows = new Descriptor(columns * tokens, tokens, 1, 1)) {
            for (int head = 0; head < shape.heads(); head++) {
                int q = head * h;
                int k = width + q;
                int v = 2 * width + q;
                CUdeviceptr p = weights.withByteOffset(Float.BYTES * square * head);
                product(
                        false,
                        true,
                        tokens,
                        tokens,
                        h,
                        shape.scale(),
                        at(dqkv, q),
                        row,
                        dqkv.stride(),
                        at(qkv, k),
                        qkv.stride(),
                        0,
                        0,
                        scores,
                        tokens,
                        square,
                        columns);
                product(
                        false,
                        true,
                        tokens,
                        tokens,
                        h,
                        shape.scale(),
                        at(qkv, q),
                        qkv.stride(),
                        0,
                        at(dqkv, k),
                        row,
                        dqkv.stride(),
                        1,
                        scores,
                        tokens,
                        square,
                        columns);
                check(
                        JCudnn.cudnnAddTensor(dnn, scalar(1), one.handle, p, scalar(0), all.handle, replicated),
                        "copying");
                check(
                        JCudnn.cudnnSoftmaxBackward(
                                dnn,
                                cudnnSoftmaxAlgorithm.CUDNN_SOFTMAX_ACCURATE,
                                cudnnSoftmaxMode.CUDNN_SOFTMAX_MODE_CHANNEL,
                                scalar(1),
                                rows.handle,
                                replicated,
                                rows.handle,
                                scores,
                                scalar(0),
                                rows.handle,
                                scores),
                        "derivative of softmax");
                int out = dout.stride() * columns;
                product(
                        false,
                        false,
                        tokens,
                        h,
                        tokens,
                        1,
                        scores,
                        tokens,
                        square,
                        at(qkv, v),
                        qkv.stride(),
                        0,
                        0,
                        at(dout, q),
                        out,
                        dout.stride(),
                        columns);
                product(
                        false,
                        false,
                        tokens,
                        h,
                        tokens,
                        1,
                        p,
                        tokens,
                        0,
                        at(dqkv, v),
                        row,
                        dqkv.stride(),
                        1,
                        at(dout, q),
                        out,
                        dout.stride(),
                        columns);
            }
        }
    }

    /** c = alpha op(a) op(b) + beta c for {@code count} row-major matrices whose beginnings are a stride apart. */
    private void product(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            double alpha,
            Pointer a,
            int rowA,
            long strideA,
            Pointer b,
            int rowB,
            long strideB,
            double beta,
            Pointer c,
            int rowC,
            long strideC,
            int count) {
        int status = JCublas2.cublasGemmStridedBatchedEx_new(
                blas,
                transposeB ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N,
                transposeA ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N,
                n,
                m,
                k,
                scalar(alpha),
                b,
                FP32,
                rowB,
                strideB,
                a,
                FP32,
                rowA,
                strideA,
                scalar(beta),
                c,
                FP32,
                rowC,
                strideC,
                count,
                computeType,
                -1);
        Cuda.checkBlas(status, count + " products " + m + " x " + k + " x " + n);
    }

    private Pointer at(Matrix m, int column) {
        return CudaBuffer.of(m.buffer(), backend).pointer(m.offset() + column);
    }

    private static Pointer scalar(double value) {
        ByteBuffer number = ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder());
        return Pointer.to(number.putFloat(0, (float) value));
    }

    private static void check(int status, String what) {
        if (status != 0) {
            throw new BackendException(what + ": " + JCudnn.cudnnGetErrorString(status) + " from cuDNN");
        }
    }

    /** A dense float tensor. */
    private static final class Descriptor implements AutoCloseable {
        private final cudnnTensorDescriptor handle = new cudnnTensorDescriptor();

        Descriptor(int... shape) {
            check(JCudnn.cudnnCreateTensorDescriptor(handle), "describing a tensor");
            check(
                    JCudnn.cudnnSetTensor4dDescriptor(
                            handle,
                            cudnnTensorFormat.CUDNN_TENSOR_NCHW,
                            cudnnDataType.CUDNN_DATA_FLOAT,
                            shape[0],
                            shape[1],
                            shape[2],
                            shape[3]),
                    "describing a tensor " + Arrays.toString(shape));
        }

        @Override
        public void close() {
            JCudnn.cudnnDestroyTensorDescriptor(handle);
        }
    }

    @Override
    public void close() {
        cuda.transfers().synchronize("finishing on " + backend.name());
        cuda.work().direct(false);
        JCudnn.cudnnDestroy(dnn);
        JCublas2.cublasDestroy(blas);
        for (DeviceMemory.Block block : new DeviceMemory.Block[] {mask, weights, replicated, scores}) {
            cuda.memory().free(block);
        }
    }
}
