// Causal attention of runs that share a prefix: out_i = sum over j <= i of P_ij v_j (over i - window < j <= i) with P = softmax(scale q k'), where keys and values
// at tokens before a column's first are those of the base run. Nothing is shared between columns: a block's warps have
// a column each and do not wait for each other; a running maximum keeps exp in range, and what was summed before is scaled down when it rises.
#include "attention_products.cuh"

// Where the keys and values of a column are: lane l has the row at token j0 + l, in one matrix or the other.
struct RunRows {
  const float *qkv, *base;
  int stride, base_stride;
  int row_of_lane;  // of the batch if not negative; NO_ROW; FIRST_BASE_ROW - j: row j of the base run

  enum { NO_ROW = -1, FIRST_BASE_ROW = -2 };

  __device__ __forceinline__ int of_lane(int l) const { return __shfl_sync(FULL_WARP, row_of_lane, l); }
  __device__ __forceinline__ const float* at(int r, int64_t offset) const {
    return offset + (r >= 0 ? qkv + int64_t(r) * stride : base + int64_t(FIRST_BASE_ROW - r) * base_stride);
  }
};

template <int N, bool VECTOR>
__device__ __forceinline__ ColumnRows<N, VECTOR> run_keys(const RunRows& rows, int64_t keys, int n0, int width) {
  ColumnRows<N, VECTOR> found;
#pragma unroll
  for (int n = 0; n < N; n++) {
    int r = rows.of_lane(lane_row() + 8 * (n0 + n));
    found.row[n] = anew(rows.at(r, keys));
    found.end[n] = anew(r != RunRows::NO_ROW ? width : 0);
  }
  return found;
}

template <bool VECTOR>
struct RunTerms {
  enum { KEPT = false };
  RunRows rows;
  int64_t values;
  int from, end;

  __device__ __forceinline__ typename ColumnTerms<VECTOR>::Row row(int n, int is_odd) const {
    int r = rows.of_lane(8 * n + 2 * lane_column() + is_odd);
    return {rows.at(r, values), from + 4 * lane_row(), r != RunRows::NO_ROW ? end : 0};
  }
};

// x = max over the lanes that hold parts of one row.
__device__ __forceinline__ float row_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(FULL_WARP, x, 1));
  return fmaxf(x, __shfl_xor_sync(FULL_WARP, x, 2));
}

// Scores are scaled and capped.
__device__ __forceinline__ void cap_scores(float (&s)[TILES][4], const Batch& b) {
#pragma unroll
  for (int n = 0; n < TILES; n++) {
#pragma unroll
    for (int k = 0; k < 4; k++) s[n][k] = soft_cap(__fmul_rn(b.scale, s[n][k]), b.cap);
  }
}

template <class Precision, int WIDTH, bool VECTOR>
__device__ __forceinline__ void attention_warp(
    const float* qkv, int qkv_stride, const Batch& b, const float* base, int base_stride, float* out, int out_stride, float* log_sum_exp) {
  int g = lane_row(), t = lane_column(), lane = threadIdx.x % WARP;
  Slice slice = slice_of<WIDTH>(b, blockIdx.y);
  // The last queries have the most keys: they go first.
  int i0 = ((b.tokens - 1) / OWN_TOKENS - int(blockIdx.x)) * OWN_TOKENS;
  Column column = column_of(b, warp_index());
  int begin = max(max(column.first, b.queries_from), i0), end = min(column.last, i0 + OWN_TOKENS - 1);
  if (begin > end) return;

  int query_row = column.row(b, i0 + lane % OWN_TOKENS, begin);

  Sums<WIDTH> sums;
  sums.clear();
  float highest[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0};
  for (int j0 = b.first_key(i0); j0 <= end; j0 += SPAN) {
    int head = anew(slice.head);
    auto q = column_rows<2, VECTOR>(part_of(qkv, qkv_stride, b, 0, head), query_row, 0, b.head_width);
    int j = j0 + lane;
    int key_row = j < column.first ? RunRows::FIRST_BASE_ROW - j : column.row(b, j, 0);
    RunRows rows = {qkv, base, qkv_stride, base_stride, key_row};
    int live = end + 1 - j0;
    float s[TILES][4] = {};
    constexpr int N = rows_at_once<Precision>();
#pragma unroll
    for (int n = 0; n < TILES; n += N) {
      if (8 * n >= live) break;
      add_scores<Precision, N>(s + n, q, run_keys<N, VECTOR>(rows, part_offset(b, 1, head), n, b.head_width), b.head_width);
    }
    float scale = b.scale;
    if (b.cap > 0) {
      cap_scores(s, b);
      scale = 1;
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
      int i = i0 + g + 8 * r;
      float m = highest[r];
#pragma unroll
      for (int n = 0; n < TILES; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float& x = s[n][2 * r + e];
          x = b.sees(i, j0 + 8 * n + 2 * t + e) ? scale * x : -INFINITY;
          m = fmaxf(m, x);
        }
      }
      m = row_max(m);
      float shrink = expf(highest[r] - m);
      highest[r] = m;
      total[r] *= shrink;
#pragma unroll
      for (int n = 0; n < TILES; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float& x = s[n][2 * r + e];
          x = expf(x - m);
          total[r] += x;
        }
      }
#pragma unroll
      for (int p = 0; p < Sums<WIDTH>::PARTS; p++) {
#pragma unroll
        for (int n = 0; n < 4; n++) sums.x[p][n][2 * r] *= shrink, sums.x[p][n][2 * r + 1] *= shrink;
      }
    }
    int64_t values = part_offset(b, 2, anew(slice.head));
    add_sums<Precision>(sums, HeldScores{s}, RunTerms<VECTOR>{rows, values, slice.from, slice.from + slice.width}, slice.width, live);
  }

#pragma unroll
  for (int r = 0; r < 2; r++) {
    int i = i0 + g + 8 * r;
    float sum = row_sum(total[r]);
    if (i < begin || i > end) continue;
    float* to = out + int64_t(b.start[i] + column.c) * out_stride + part_offset(b, 0, slice.head) + slice.from;
    store_row<VECTOR>(to, sums, r, slice.width, 1 / sum, 0, nullptr);
    if (log_sum_exp != nullptr && slice.from == 0 && t == 0) log_sum_exp[int64_t(slice.head) * b.tokens + i] = highest[r] + logf(sum);
  }
}

#define DEFINE_ATTENTION(name, Precision, WIDTH, VECTOR, BLOCKS)                                                                       \
  extern "C" __global__ void __launch_bounds__(ATTENTION_THREADS, BLOCKS) name(                                                        \
      const float* qkv, int qkv_stride, const int* start, const int* first, const int* last, const float* base, int base_stride,       \
      float* out, int out_stride, float* log_sum_exp, int tokens, int columns, int heads, int head_width, float scale,                 \
      int window, float cap, int queries_from, int first_column) {                                                                     \
    Batch batch = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, first_column};            \
    attention_warp<Precision, WIDTH, VECTOR>(qkv, qkv_stride, batch, base, base_stride, out, out_stride, log_sum_exp);                 \
  }                                                                                                                                    \
  REGISTER_KERNEL(name)

DEFINE_ATTENTION(attention_fp32_64, Fp32, 64, true, 2)
DEFINE_ATTENTION(attention_fp32_128, Fp32, 128, true, 1)
DEFINE_ATTENTION(attention_fp32_any, Fp32, 64, false, 1)
DEFINE_ATTENTION(attention_tf32_64, Tf32, 64, true, 2)
DEFINE_ATTENTION(attention_tf32_128, Tf32, 128, true, 1)
DEFINE_ATTENTION(attention_tf32_any, Tf32, 64, false, 1)

#undef DEFINE_ATTENTION
