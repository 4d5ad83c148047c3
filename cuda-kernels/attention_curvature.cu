// Curvature of attention: with ds = scale (dq k' + q dk'), m = rowsum(P ds) and w = (ds - m)^2 + 2 scale dq dk',
// ddout += P (w - rowsum(P w)) v + 2 P (ds - m) dv, for many tangents of one forward pass. With a soft cap c and t = tanh(s / c), ds is
// also multiplied with 1 - t^2, and the second part of w is (1 - t^2) (2 scale dq dk' - 2 t / c (scale (dq k' + q dk'))^2) instead.
//
// A warp takes one query of one column and head. It goes over the keys three times, a lane a key: for m, for rowsum(P w), and for the
// sums with v and dv, in which lane l holds elements l, l + 32, ... of the result. Products of a column with itself are as many as those that columns share, so
// that tiles of the latter would save little.
#include "attention_products.cuh"

enum { CURVATURE_WARPS = 4, CURVATURE_WIDTH = 128, CURVATURE_HELD = CURVATURE_WIDTH / WARP };

namespace {

// What a lane finds for its key.
struct KeyScores {
  float p, ds, pair;  // probability, ds, 2 scale dq dk'
};

// `dk` is null at keys before the column's first token, which do not move.
__device__ __forceinline__ KeyScores scores_of_key(
    const float* q, const float* dq, const float* k, const float* dk, const Batch& b, float log_sum_exp) {
  float qk = 0, dqk = 0, qdk = 0, dqdk = 0;
  for (int d = 0; d < b.head_width; d++) {
    qk += q[d] * k[d];
    dqk += dq[d] * k[d];
    if (dk != nullptr) {
      qdk += q[d] * dk[d];
      dqdk += dq[d] * dk[d];
    }
  }
  KeyScores found = {weight_of(b, b.cap > 0, qk, log_sum_exp), b.scale * (dqk + qdk), 2 * b.scale * dqdk};
  if (b.cap > 0) {
    const float s = b.scale * qk, slope = soft_cap_slope(s, b.cap);
    found.pair = slope * (found.pair - 2 * tanhf(s / b.cap) / b.cap * found.ds * found.ds);
    found.ds *= slope;
  }
  return found;
}

}  // namespace

// Columns in x, CURVATURE_WARPS a block; queries from queries_from on in y; heads in z, each as often as its width needs slices of
// CURVATURE_WIDTH elements.
extern "C" __global__ void __launch_bounds__(CURVATURE_WARPS * WARP, 4) attention_curvature(
    const float* __restrict__ qkv,  // [T, 3D]
    int qkv_stride,
    const float* __restrict__ log_sum_exp,  // [H, T]
    const float* __restrict__ dqkv,  // [R, 3D]
    int dqkv_stride,
    const int* __restrict__ start,  // [T + 1]
    const int* __restrict__ first,  // [C]
    const int* __restrict__ last,  // [C]
    float* __restrict__ ddout,  // [R, D]
    int ddout_stride,
    int tokens,
    int columns,
    int heads,
    int head_width,
    float scale,
    int window,
    float cap,
    int queries_from) {
  __shared__ float weights[CURVATURE_WARPS][2][WARP];  // of v and of dv, per key of a span
  const Batch b = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, 0};
  const Slice slice = slice_of<CURVATURE_WIDTH>(b, blockIdx.z);
  const Column column = column_at(b, blockIdx.x * CURVATURE_WARPS + warp_index());
  // The last queries have the most keys: they go first.
  const int i = tokens - 1 - int(blockIdx.y);
  const int row = column.row(b, i, queries_from);
  if (row < 0) return;  // the whole warp

  const int lane = threadIdx.x % WARP, first_key = b.first_key(i);
  const Part keys = part_of(qkv, qkv_stride, b, 1, slice.head), values = part_of(qkv, qkv_stride, b, 2, slice.head);
  const Part dkeys = part_of(dqkv, dqkv_stride, b, 1, slice.head), dvalues = part_of(dqkv, dqkv_stride, b, 2, slice.head);
  const float* q = part_of(qkv, qkv_stride, b, 0, slice.head).row(i);
  const float* dq = part_of(dqkv, dqkv_stride, b, 0, slice.head).row(row);
  const float normalizer = log_sum_exp[slice.head * tokens + i];

  auto score = [&](int j) {
    const float* dk = j >= column.first ? dkeys.row(start[j] + column.c) : nullptr;
    return scores_of_key(q, dq, keys.row(j), dk, b, normalizer);
  };

  // The probabilities are divided by their sum: what is left of their rounding would not cancel where the mean is taken off.
  float total = 0, mean = 0;
  for (int j = first_key + lane; j <= i; j += WARP) {
    const KeyScores s = score(j);
    total += s.p;
    mean += s.p * s.ds;
  }
  total = warp_sum(total);
  mean = warp_sum(mean) / total;

  float mean_weight = 0;
  for (int j = first_key + lane; j <= i; j += WARP) {
    const KeyScores s = score(j);
    mean_weight += s.p * ((s.ds - mean) * (s.ds - mean) + s.pair);
  }
  mean_weight = warp_sum(mean_weight) / total;

  float sums[CURVATURE_HELD] = {};
  for (int j0 = first_key; j0 <= i; j0 += WARP) {
    KeyScores s = {0, 0, 0};
    if (j0 + lane <= i) s = score(j0 + lane);
    const float p = s.p / total, centred = s.ds - mean;
    float(&mine)[2][WARP] = weights[warp_index()];
    __syncwarp();  // the last span's weights are read
    mine[0][lane] = p * (centred * centred + s.pair - mean_weight);
    mine[1][lane] = 2 * p * centred;
    __syncwarp();
    const int count = min(int(WARP), i + 1 - j0);
    for (int n = 0; n < count; n++) {
      const int j = j0 + n;
      const float* v = values.row(j) + slice.from;
      const float* dv = j >= column.first ? dvalues.row(start[j] + column.c) + slice.from : nullptr;
#pragma unroll
      for (int e = 0; e < CURVATURE_HELD; e++) {
        const int d = lane + e * WARP;
        if (d < slice.width) {
          sums[e] += mine[0][n] * v[d];
          if (dv != nullptr) sums[e] += mine[1][n] * dv[d];
        }
      }
    }
  }

  float* out = ddout + int64_t(row) * ddout_stride + part_offset(b, 0, slice.head) + slice.from;
#pragma unroll
  for (int e = 0; e < CURVATURE_HELD; e++) {
    const int d = lane + e * WARP;
    if (d < slice.width) out[d] += sums[e];
  }
}
REGISTER_KERNEL(attention_curvature)
