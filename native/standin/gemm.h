// Matrix products of the stand-in cuBLAS. The arithmetic is here, in libcuda.so.1, beside the memory that it must stay inside.
#pragma once

#include <cstddef>
#include <cstdint>

// What the elements of A and B are: float32, float32 that is rounded to tf32 as tensor cores do, or bf16.
enum Factors : int32_t { kFloatFactors = 0, kTf32Factors = 1, kBf16Factors = 2 };

// C [m,n] = alpha op(A) [m,k] op(B) [k,n] + beta C, column-major, C float32, for each of `batch` products whose operands are
// *_stride elements apart. Fields are ordered so that there is no padding: a trace stores it as it is.
struct Gemm {
  uint64_t a, b, c;  // device addresses
  int64_t a_stride, b_stride, c_stride;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  int32_t transpose_a, transpose_b;
  int32_t batch;
  int32_t factors;  // a Factors
  float alpha, beta;
};
static_assert(sizeof(Gemm) == 12 * 8 + 6 * 4);

inline size_t factor_bytes(const Gemm& gemm) { return gemm.factors == kBf16Factors ? 2 : 4; }

// On memory that was checked. Sums are in a fixed order, so that the same operands give the same bits in every build.
void compute_gemm(const Gemm& gemm);

// Entry points of the stand-in libcuda.so.1 for the stand-in cuBLAS (products.cpp); each returns a CUresult.
extern "C" {
int standin_context_state();
int standin_check_range(const char* call, uint64_t address, size_t bytes);
int standin_gemm(const Gemm* gemm, void* stream);
}
