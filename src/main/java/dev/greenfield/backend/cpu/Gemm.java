package dev.greenfield.backend.cpu;

/** A single-threaded matrix product in row-major order; the backend splits large ones among its threads. */
interface Gemm {
    /** The library, for {@code doctor} and result files. */
    String description();

    /** Memory that this product can read. */
    CpuMemory memory();

    /** c = alpha a b + beta c; {@code c} is not transposed, not empty and, with beta 0, not read. */
    void multiply(float alpha, View a, View b, float beta, View c);
}
