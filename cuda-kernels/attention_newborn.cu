// Tangent of attention for columns that are zero but at their first token t. At later tokens
// dout_i = P_it (dv + ds_it (v_t - o_i)) with ds_it = scale q_i dk times the slope of a soft cap: o are the outputs of the forward pass. At t
// itself all scores move, ds_tj = scale (dq k_j' [+ q_t dk' where j = t]), and dout_t = P (ds - rowsum(P ds)) v + P_tt dv.
//
// A warp takes one query of one column and head; lane l holds elements l, l + 32, ... of the result. The later tokens need no sum over the
// keys, so that nothing of P but one number is made.
#include "attention_products.cuh"

enum { NEWBORN_WARPS = 4, NEWBORN_WIDTH = 128, NEWBORN_HELD = NEWBORN_WIDTH / WARP };

namespace {

// x y', the same in all lanes.
__device__ __forceinline__ float newborn_dot(const float* x, const float* y, int n) {
  float sum = 0;
  for (int d = threadIdx.x % WARP; d < n; d += WARP) sum += x[d] * y[d];
  return warp_sum(sum);
}

// What a lane finds for its key of the column's first token.
struct FirstScores {
  float p, ds;
};

// `dk` is null but at the first token itself.
__device__ __forceinline__ FirstScores first_scores(
    const float* q, const float* dq, const float* k, const float* dk, const Batch& b, float log_sum_exp) {
  float qk = 0, moved = 0;
  for (int d = 0; d < b.head_width; d++) {
    qk += q[d] * k[d];
    moved += dq[d] * k[d];
    if (dk != nullptr) moved += q[d] * dk[d];
  }
  float ds = b.scale * moved;
  if (b.cap > 0) ds *= soft_cap_slope(b.scale * qk, b.cap);
  return {weight_of(b, b.cap > 0, qk, log_sum_exp), ds};
}

}  // namespace

// Columns in x, NEWBORN_WARPS a block; queries from queries_from on in y; heads in z, each as often as its width needs slices of
// NEWBORN_WIDTH elements.
extern "C" __global__ void __launch_bounds__(NEWBORN_WARPS * WARP, 4) attention_newborn(
    const float* __restrict__ qkv,  // [T, 3A]
    int qkv_stride,
    const float* __restrict__ log_sum_exp,  // [H, T]
    const float* __restrict__ outputs,      // [T, A]
    int outputs_stride,
    const float* __restrict__ dqkv,  // [C, 3A], of the columns' first tokens
    int dqkv_stride,
    const int* __restrict__ start,  // [T + 1]
    const int* __restrict__ first,  // [C]
    const int* __restrict__ last,   // [C]
    float* __restrict__ dout,       // [R, A]
    int dout_stride,
    int tokens,
    int columns,
    int heads,
    int head_width,
    float scale,
    int window,
    float cap,
    int queries_from) {
  const Batch b = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, 0};
  const Slice slice = slice_of<NEWBORN_WIDTH>(b, blockIdx.z);
  const Column column = column_at(b, blockIdx.x * NEWBORN_WARPS + warp_index());
  const int i = queries_from + int(blockIdx.y);
  const int row = column.row(b, i, queries_from);
  if (row < 0) return;  // the whole warp

  const int lane = threadIdx.x % WARP, t = column.first;
  const Part keys = part_of(qkv, qkv_stride, b, 1, slice.head), values = part_of(qkv, qkv_stride, b, 2, slice.head);
  const float* q = part_of(qkv, qkv_stride, b, 0, slice.head).row(i);
  const float* dk = part_of(dqkv, dqkv_stride, b, 1, slice.head).row(column.c);
  const float* dv = part_of(dqkv, dqkv_stride, b, 2, slice.head).row(column.c) + slice.from;
  const float normalizer = log_sum_exp[slice.head * tokens + i];
  float* out = dout + int64_t(row) * dout_stride + part_offset(b, 0, slice.head) + slice.from;

  if (i > t) {
    const float qk = newborn_dot(q, keys.row(t), head_width);
    const float p = b.sees(i, t) ? weight_of(b, b.cap > 0, qk, normalizer) : 0;
    float ds = b.scale * newborn_dot(q, dk, head_width);
    if (b.cap > 0) ds *= soft_cap_slope(b.scale * qk, b.cap);
    const float* v = values.row(t) + slice.from;
    const float* o = part_of(outputs, outputs_stride, b, 0, slice.head).row(i) + slice.from;
    for (int d = lane; d < slice.width; d += WARP) out[d] = p * (dv[d] + ds * (v[d] - o[d]));
    return;
  }

  const float* dq = part_of(dqkv, dqkv_stride, b, 0, slice.head).row(column.c);
  const int first_key = b.first_key(i);
  auto score = [&](int j) { return first_scores(q, dq, keys.row(j), j == t ? dk : nullptr, b, normalizer); };
  // The probabilities are divided by their sum: what is left of their rounding would not cancel where the mean is taken off.
  float total = 0, mean = 0;
  for (int j = first_key + lane; j <= i; j += WARP) {
    const FirstScores s = score(j);
    total += s.p;
    mean += s.p * s.ds;
  }
  total = warp_sum(total);
  mean = warp_sum(mean) / total;

  float sums[NEWBORN_HELD] = {};
  for (int j0 = first_key; j0 <= i; j0 += WARP) {
    FirstScores s = {0, 0};
    if (j0 + lane <= i) s = score(j0 + lane);
    const float p = s.p / total, factor = p * (s.ds - mean);
    const int count = min(int(WARP), i + 1 - j0);
    for (int n = 0; n < count; n++) {
      const float weight = __shfl_sync(FULL_WARP, factor, n), own = __shfl_sync(FULL_WARP, p, n);
      const float* v = values.row(j0 + n) + slice.from;
#pragma unroll
      for (int e = 0; e < NEWBORN_HELD; e++) {
        const int d = lane + e * WARP;
        if (d < slice.width) {
          sums[e] += weight * v[d];
          if (j0 + n == t) sums[e] += own * dv[d];
        }
      }
    }
  }
#pragma unroll
  for (int e = 0; e < NEWBORN_HELD; e++) {
    const int d = lane + e * WARP;
    if (d < slice.width) out[d] = sums[e];
  }
}
REGISTER_KERNEL(attention_newborn)
