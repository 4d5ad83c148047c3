package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Matrix;
import dev.greenfield.model.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products by cuBLAS.
 *
 * <p>Row-major by swapping: cuBLAS reads memory column by column, so what we call C [m, n] with row stride s is to it the
 * matrix C' [n, m] with leading dimension s. C = op(A) op(B) is C' = op(B)' op(A)', so the operands change places and
 * everything else stays: a flag that transposes ours transposes theirs. This is the only place that knows of it.
 */
final class CublasGemm {
    private static final int REAL_32F = 0; // CUDA_R_32F
    private static final int DEFAULT_ALGORITHM = -1; // CUBLAS_GEMM_DEFAULT

    /** NVIDIA's recommendation for Hopper; with a workspace of its own, cuBLAS never allocates. */
    static final long WORKSPACE_BYTES = 32L << 20;

    private final CudaBackend owner;
    private final CudaFactors factors;
    private final cublasHandle handle = new cublasHandle();
    private final int computeType;
    private final DebugMode debug;
    private final WorkQueue queue;
    private final FloatBuffer scalars = ByteBuffer.allocateDirect(2 * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    private final Pointer alphaPointer = Pointer.to(scalars);
    private final Pointer betaPointer = alphaPointer.withByteOffset(Float.BYTES);
    private KernelProfile profile; // null unless products are measured

    CublasGemm(
            CudaBackend owner,
            Precision precision,
            CudaFactors factors,
            CUstream stream,
            WorkQueue queue,
            DeviceMemory.Block workspace) {
        this.queue = queue;
        this.owner = owner;
        this.debug = new DebugMode(stream);
        this.factors = factors;
        computeType = precision == Precision.TF32
                ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32
                : cublasComputeType.CUBLAS_COMPUTE_32F;
        Cuda.checkBlas(JCublas2.cublasCreate(handle), "opening cuBLAS");
        try {
            Cuda.checkBlas(JCublas2.cublasSetStream(handle, new cudaStream_t(stream)), "giving cuBLAS its stream");
            Cuda.checkBlas(
                    JCublas2.cublasSetWorkspace(handle, workspace, WORKSPACE_BYTES), "giving cuBLAS its workspace");
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** c = alpha op(a) op(b) + beta c; see {@link dev.greenfield.backend.Backend#multiply}. */
    void multiply(float alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, float beta, Matrix c) {
        if (c.rows() == 0 || c.columns() == 0) {
            return;
        }
        CudaFactors.Operand right = factors.right(b, transposeB);
        try {
            boolean turned = transposeB != right.turned();
            // A transposed left factor is small; others are rounded to bf16 as many rows at a time as have room.
            int atOnce = factors.half() && !transposeA ? factors.rowsAtOnce(a) : c.rows();
            for (int r = 0; r < c.rows(); r += atOnce) {
                int n = Math.min(atOnce, c.rows() - r);
                CudaFactors.Operand left = factors.left(n == c.rows() ? a : a.rows(r, n));
                try {
                    int inner = transposeA ? a.rows() : a.columns();
                    Matrix result = n == c.rows() ? c : c.rows(r, n);
                    queue.add(new Product(alpha, left, transposeA, right, turned, beta, result, inner));
                } finally {
                    factors.done(left);
                }
            }
        } finally {
            factors.done(right);
        }
    }

    /** One product of matrices, of operands as cuBLAS takes them. */
    private final class Product implements WorkQueue.Work {
        private final float alpha;
        private final CudaFactors.Operand a;
        private final boolean transposeA;
        private final CudaFactors.Operand b;
        private final boolean transposeB;
        private final float beta;
        private final int rows;
        private final int inner;
        private final int columns;
        private final int leading;
        private final DevicePointer result;

        Product(
                float alpha,
                CudaFactors.Operand a,
                boolean transposeA,
                CudaFactors.Operand b,
                boolean transposeB,
                float beta,
                Matrix c,
                int inner) {
            this.alpha = alpha;
            this.a = a;
            this.transposeA = transposeA;
            this.b = b;
            this.transposeB = transposeB;
            this.beta = beta;
            this.rows = c.rows();
            this.inner = inner;
            this.columns = c.columns();
            this.leading = Math.max(1, c.stride());
            this.result = CudaBuffer.of(c.buffer(), owner).pointer(c.offset());
        }

        @Override
        public void issue() {
            scalars.put(0, alpha).put(1, beta);
            debug.begins(this);
            if (profile != null) {
                profile.begin();
            }
            int status = JCublas2.cublasGemmEx_new(
                    handle,
                    operation(transposeB),
                    operation(transposeA),
                    columns,
                    rows,
                    inner,
                    alphaPointer,
                    b.pointer(),
                    b.type(),
                    b.leading(),
                    a.pointer(),
                    a.type(),
                    a.leading(),
                    betaPointer,
                    result,
                    REAL_32F,
                    leading,
                    computeType,
                    DEFAULT_ALGORITHM);
            if (status != 0) {
                Cuda.checkBlas(status, toString());
            }
            if (profile != null) {
                double sides = (double) rows * inner + (double) inner * columns + (double) rows * columns;
                profile.end(
                        LaunchWork.product(transposeA, transposeB, rows, inner, columns), Float.BYTES * sides, flops());
            }
            debug.queued(this);
        }

        @Override
        public void identify(WorkWords words) {
            int forms = (transposeA ? 1 : 0) + (transposeB ? 2 : 0);
            words.add(forms).add(rows).add(inner).add(columns);
            words.add(Float.floatToRawIntBits(alpha)).add(Float.floatToRawIntBits(beta));
            words.add(a.pointer().address()).add(a.leading()).add(a.type());
            words.add(b.pointer().address()).add(b.leading()).add(b.type());
            words.add(result.address()).add(leading);
        }

        @Override
        public double flops() {
            return 2.0 * rows * inner * columns;
        }

        @Override
        public String toString() {
            return "matrix product " + rows + " x " + inner + " x " + columns + (transposeA ? ", A'" : ", A")
                    + (transposeB ? " B'" : " B");
        }
    }

    /** From now on every product is measured; null for none. */
    void profile(KernelProfile to) {
        profile = to;
    }

    private static int operation(boolean transpose) {
        return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    int version() {
        int[] version = {0};
        Cuda.checkBlas(JCublas2.cublasGetVersion(handle, version), "asking cuBLAS for its version");
        return version[0];
    }

    void close() {
        JCublas2.cublasDestroy(handle);
    }
}
