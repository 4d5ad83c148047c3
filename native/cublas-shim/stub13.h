// Two calls, with each argument a different value: made by selftest.c, checked by stub13.c.
#pragma once

enum { STUB_RETURNS = 7 };

// cublasGemmStridedBatchedEx: 23 arguments, most of them on the stack.
typedef int GemmStridedBatchedEx(
    void *handle, int transpose_a, int transpose_b, int m, int n, int k, const void *alpha, const void *a, int a_type, int lda,
    long long stride_a, const void *b, int b_type, int ldb, long long stride_b, const void *beta, void *c, int c_type, int ldc,
    long long stride_c, int batch, int compute, int algorithm);
#define P(i) ((void *)(0x7fff00000000 + (i)))
#define L(i) (-0x123456789abLL - (i))
#define GEMM_CALL(f) \
  (f)(P(1), 2, 3, 4, 5, 6, P(7), P(8), 9, -10, L(11), P(12), 13, 14, L(15), P(16), P(17), 18, 19, L(20), 21, 22, -23)

// No entry takes numbers by value; if one did, they would travel in other registers. Under the name of cublasAsumEx.
typedef int Mixed(double, void *, double, double, double, double, double, double, double, double, double, int);
#define MIXED_CALL(f) (f)(1.5, P(1), 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11)
