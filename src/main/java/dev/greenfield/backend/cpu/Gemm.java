package dev.greenfield.backend.cpu;

/** A single-threaded matrix product in row-major order; the backend splits large ones among its threads. */
interface Gemm {
    /** The library and version, for {@code doctor} and result files. */
    String description();

    /** Memory that this product reads fastest. */
    CpuMemory memory();

    /**
     * c = alpha op(a) op(b) + beta c with op(a) [m, k], op(b) [k, n] and c [m, n]. Offsets and strides count floats. With beta 0, c is
     * not read.
     */
    void multiply(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            float alpha,
            CpuMemory.Block a,
            long offsetA,
            int strideA,
            CpuMemory.Block b,
            long offsetB,
            int strideB,
            float beta,
            CpuMemory.Block c,
            long offsetC,
            int strideC);
}
