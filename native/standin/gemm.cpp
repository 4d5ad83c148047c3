#include "gemm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cuda_host_warp.h"

namespace {

// A tile of C of kRows x kColumns is summed in registers over at most kDepth terms, and the sums of the depths are added in double: the
// error grows with kDepth, not with k. Operands are packed so that the inner loop reads both one after the other.
typedef float Vector __attribute__((vector_size(32)));
enum : int64_t { kRows = 16, kColumns = 4, kDepth = 128, kLanesOfVector = 8 };

// Element `index` of a factor.
float element(const void* x, int64_t index, int32_t factors) {
  if (factors == kBf16Factors) return standin_bits<float>(uint32_t(static_cast<const uint16_t*>(x)[index]) << 16);
  float value = static_cast<const float*>(x)[index];
  return factors == kTf32Factors ? standin_bits<float>(standin_cvt_rna_tf32(value)) : value;
}

// op(X) as panels of `width` rows: panel p, term l, row i at [(p * depth + l) * width + i]; rows past the end are 0. op(X)(i, l) is
// x[i + l * ld] or, transposed, x[l + i * ld].
void pack(const void* x, int64_t ld, bool transposed, int64_t rows, int64_t from, int64_t depth, int64_t width, int32_t factors,
          std::vector<float>& packed) {
  int64_t panels = (rows + width - 1) / width;
  packed.assign(size_t(panels * width * depth), 0.0f);
  for (int64_t i = 0; i < rows; i++) {
    float* to = packed.data() + (i / width) * width * depth + i % width;
    for (int64_t l = 0; l < depth; l++) to[l * width] = element(x, transposed ? (from + l) + i * ld : i + (from + l) * ld, factors);
  }
}

void tile(const float* a, const float* b, int64_t depth, float out[kColumns][kRows]) {
  Vector sums[kColumns][2] = {};
  for (int64_t l = 0; l < depth; l++, a += kRows, b += kColumns) {
    Vector low, high;
    memcpy(&low, a, sizeof low);
    memcpy(&high, a + kLanesOfVector, sizeof high);
    for (int j = 0; j < kColumns; j++) {
      sums[j][0] += low * b[j];
      sums[j][1] += high * b[j];
    }
  }
  memcpy(out, sums, sizeof sums);
}

void compute_one(const Gemm& g, const void* a, const void* b, float* c) {
  std::vector<double> sums(size_t(g.m * g.n), 0.0);  // [n,m]
  std::vector<float> packed_a, packed_b;
  for (int64_t from = 0; from < g.k && g.alpha != 0.0f; from += kDepth) {
    int64_t depth = std::min<int64_t>(kDepth, g.k - from);
    pack(a, g.lda, g.transpose_a, g.m, from, depth, kRows, g.factors, packed_a);
    pack(b, g.ldb, !g.transpose_b, g.n, from, depth, kColumns, g.factors, packed_b);  // op(B) columns are the rows of its transpose
    for (int64_t j = 0; j < g.n; j += kColumns) {
      for (int64_t i = 0; i < g.m; i += kRows) {
        float out[kColumns][kRows];
        tile(packed_a.data() + i * depth, packed_b.data() + j * depth, depth, out);
        for (int64_t q = 0; q < std::min<int64_t>(kColumns, g.n - j); q++) {
          for (int64_t p = 0; p < std::min<int64_t>(kRows, g.m - i); p++) sums[size_t((j + q) * g.m + i + p)] += double(out[q][p]);
        }
      }
    }
  }
  for (int64_t j = 0; j < g.n; j++) {
    for (int64_t i = 0; i < g.m; i++) {
      float product = g.alpha * float(sums[size_t(j * g.m + i)]);
      float& to = c[i + j * g.ldc];
      to = g.beta == 0.0f ? product : product + g.beta * to;  // beta 0 must not read C, which may be NaN
    }
  }
}

}  // namespace

void compute_gemm(const Gemm& g) {
  for (int64_t i = 0; i < g.batch; i++) {
    auto factor = [&](uint64_t address, int64_t stride) {
      return reinterpret_cast<const void*>(address + uint64_t(i * stride * int64_t(factor_bytes(g))));
    };
    compute_one(g, factor(g.a, g.a_stride), factor(g.b, g.b_stride), reinterpret_cast<float*>(g.c) + i * g.c_stride);
  }
}
