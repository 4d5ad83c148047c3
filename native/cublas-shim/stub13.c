// A libcublas.so.13 with two entries, which check what reaches them.
#include "stub13.h"

int cublasGemmStridedBatchedEx(
    void *handle, int transpose_a, int transpose_b, int m, int n, int k, const void *alpha, const void *a, int a_type, int lda,
    long long stride_a, const void *b, int b_type, int ldb, long long stride_b, const void *beta, void *c, int c_type, int ldc,
    long long stride_c, int batch, int compute, int algorithm) {
  int same = handle == P(1) && transpose_a == 2 && transpose_b == 3 && m == 4 && n == 5 && k == 6 && alpha == P(7) && a == P(8) &&
             a_type == 9 && lda == -10 && stride_a == L(11) && b == P(12) && b_type == 13 && ldb == 14 && stride_b == L(15) &&
             beta == P(16) && c == P(17) && c_type == 18 && ldc == 19 && stride_c == L(20) && batch == 21 && compute == 22 &&
             algorithm == -23;
  return same ? STUB_RETURNS : -1;
}

int cublasAsumEx(
    double a, void *p, double b, double c, double d, double e, double f, double g, double h, double i, double j, int last) {
  int same = a == 1.5 && p == P(1) && b == 2.5 && c == 3.5 && d == 4.5 && e == 5.5 && f == 6.5 && g == 7.5 && h == 8.5 && i == 9.5 &&
             j == 10.5 && last == 11;
  return same ? STUB_RETURNS : -1;
}
