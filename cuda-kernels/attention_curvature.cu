// Curvature of attention: with ds = scale (dq k' + q dk'), m = rowsum(P ds) and w = (ds - m)^2 + 2 scale dq dk',
// ddout += P (w - rowsum(P w)) v + 2 P (ds - m) dv, for many tangents of one forward pass. With a soft cap c and t = tanh(s / c), ds is
// also multiplied with 1 - t^2, and the second part of w is (1 - t^2) (2 scale dq dk' - 2 t / c (scale (dq k' + q dk'))^2) instead.
//
// It takes one pass over the keys, as the tangent does: with any r in the place of m, n = rowsum(P (ds - r)), u = (ds - r)^2 + (w's second
// part), any u0 and P divided by its row sum,
//
//   ddout += [P (u - u0) v + 2 P (ds - r) dv] - 2 n [P (ds - r) v + P dv] + (2 n^2 - rowsum(P (u - u0))) P v.
//
// A warp holds both brackets; the last sum belongs to the forward pass. As r and u0 serve the weighted means of ds and u over the first
// tile: what all keys of a query have in common then cancels at once.
#include "attention_queries.cuh"

namespace {

enum { BENT_WIDTH = 64 };

// Beside the tiles of the tangent: -2 t / c (1 - t^2) of a soft cap, as P; there only where scores have one.
__device__ __forceinline__ float* bends_of(const QueryTiles& tiles) {
  return tiles.slopes<BENT_WIDTH>() + OWN_TOKENS * WEIGHT_STRIDE;
}

// What a warp has of its column's result.
struct Bent {
  Sums<BENT_WIDTH> squares, firsts;     // the two brackets
  float reference[2], bend_reference[2];  // r and u0 of the rows g and g + 8
  float excess[2], bend[2];             // sums of P (ds - r) and of P (u - u0), this lane's part

  // ds = P (ds - r) and pair = P (u - u0), for the keys from j0 on, where `pair` is the second part of w.
  __device__ __forceinline__ void centre(
      float (&ds)[TILES][4], float (&pair)[TILES][4], const Weights& weights, const Batch& b, int i0, int j0) {
    const bool first_tile = j0 == b.first_key(i0);
    float p[TILES][4];
#pragma unroll
    for (int n = 0; n < TILES; n++) {
      const float4 all = weights.get(n);
#pragma unroll
      for (int k = 0; k < 4; k++) p[n][k] = component(all, k);
    }
#pragma unroll
    for (int r = 0; r < 2 && first_tile; r++) {
      reference[r] = first_reference(ds, p, r, 1, b, i0, j0);
      excess[r] = bend[r] = 0;
    }
#pragma unroll
    for (int n = 0; n < TILES; n++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        ds[n][k] -= reference[k / 2];
        pair[n][k] += ds[n][k] * ds[n][k];
      }
    }
#pragma unroll
    for (int r = 0; r < 2 && first_tile; r++) bend_reference[r] = first_reference(pair, p, r, 1, b, i0, j0);
#pragma unroll
    for (int n = 0; n < TILES; n++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        ds[n][k] *= p[n][k];
        pair[n][k] = p[n][k] * (pair[n][k] - bend_reference[k / 2]);
        excess[k / 2] += ds[n][k];
        bend[k / 2] += pair[n][k];
      }
    }
  }
};

// Products of a column with itself: s [16, SPAN] += rows of dq times rows of dk.
template <bool VECTOR>
__device__ __forceinline__ void add_own_scores(
    float (&s)[TILES][4], const Part& dq, int query_row, const Part& dk, int key_row, int head_width, int live) {
  auto queries = column_rows<2, VECTOR>(dq, query_row, 0, head_width);
  add_column_scores<Fp32, VECTOR>(s, queries, dk, key_row, head_width, live);
}

// The scores of a warp's column for the keys from j0 on: ds, and the second part of w.
template <bool VECTOR>
__device__ __forceinline__ void bent_scores(
    float (&ds)[TILES][4],
    float (&pair)[TILES][4],
    const QueryTiles& tiles,
    const Batch& b,
    const Column& column,
    const float* dqkv,
    int dqkv_stride,
    int head,
    int j0,
    int query_row,
    int key_row,
    int live) {
  const Part dq = part_of(dqkv, dqkv_stride, b, 0, head), dk = part_of(dqkv, dqkv_stride, b, 1, head);
  add_scores<Fp32>(ds, column_rows<2, VECTOR>(dq, query_row, 0, b.head_width), TileRows<SPAN>(tiles.keys), b.head_width, live);
  if (j0 + SPAN > column.first) {  // earlier keys do not move
    add_column_scores<Fp32, VECTOR>(ds, TileRows<OWN_TOKENS>(tiles.queries), dk, key_row, b.head_width, live);
    add_own_scores<VECTOR>(pair, dq, query_row, dk, key_row, b.head_width, live);
  }
#pragma unroll
  for (int n = 0; n < TILES; n++) {
#pragma unroll
    for (int k = 0; k < 4; k++) ds[n][k] *= b.scale, pair[n][k] *= 2 * b.scale;
  }
  if (b.cap > 0) {
    const Weights slopes(tiles.slopes<BENT_WIDTH>()), bends(bends_of(tiles));
#pragma unroll
    for (int n = 0; n < TILES; n++) {
      const float4 slope = slopes.get(n), bend = bends.get(n);
#pragma unroll
      for (int k = 0; k < 4; k++) {
        pair[n][k] = component(slope, k) * pair[n][k] + component(bend, k) * ds[n][k] * ds[n][k];
        ds[n][k] *= component(slope, k);
      }
    }
  }
}

// Adds row g + 8 r of the result to the slice's elements from `to` on.
template <bool VECTOR>
__device__ __forceinline__ void add_row(
    float* to, const Bent& bent, int r, int width, float inverse_sum, float first_factor, float mean_factor, const float* mean_terms) {
#pragma unroll
  for (int p = 0; p < Sums<BENT_WIDTH>::PARTS; p++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int at = 8 * lane_column() + 4 * half, d = CHUNK * p + at;
      if (d >= width) continue;
      const float4 x = bent.squares.get(p, r, half), y = bent.firsts.get(p, r, half);
      const float4 z = *reinterpret_cast<const float4*>(mean_terms + p * OWN_TOKENS * CHUNK_STRIDE + at);
      float4 sum;
      if (VECTOR) {
        sum = *reinterpret_cast<const float4*>(to + d);
      } else {  // some lanes are not here: load4 wants all of a warp
        sum.x = to[d];
        sum.y = d + 1 < width ? to[d + 1] : 0;
        sum.z = d + 2 < width ? to[d + 2] : 0;
        sum.w = d + 3 < width ? to[d + 3] : 0;
      }
      sum.x += inverse_sum * (x.x + first_factor * y.x + mean_factor * z.x);
      sum.y += inverse_sum * (x.y + first_factor * y.y + mean_factor * z.y);
      sum.z += inverse_sum * (x.z + first_factor * y.z + mean_factor * z.z);
      sum.w += inverse_sum * (x.w + first_factor * y.w + mean_factor * z.w);
      store4<VECTOR>(to, d, width, sum);
    }
  }
}

__device__ __forceinline__ void times_two(float (&x)[TILES][4]) {
#pragma unroll
  for (int n = 0; n < TILES; n++) {
#pragma unroll
    for (int k = 0; k < 4; k++) x[n][k] *= 2;
  }
}

template <bool VECTOR>
__device__ __forceinline__ void attention_curvature_block(
    const Primal& primal, const Batch& b, const float* dqkv, int dqkv_stride, float* ddout, int ddout_stride) {
  DYNAMIC_SHARED(float, shared);
  const Slice slice = slice_of<BENT_WIDTH>(b, blockIdx.y);
  // The last queries have the most keys: they go first.
  const int i0 = ((b.tokens - 1) / OWN_TOKENS - int(blockIdx.x)) * OWN_TOKENS;
  // The block's first column is alive wherever another is.
  const Column widest = column_of(b, 0);
  const int last_query = min(widest.last, i0 + OWN_TOKENS - 1);
  if (last_query < max(max(widest.first, b.queries_from), i0)) return;

  const Column column = column_of(b, warp_index());
  const int store_from = max(column.first, b.queries_from);
  const int begin = max(i0, store_from), end = min(column.last, i0 + OWN_TOKENS - 1);
  const bool mine = begin <= end;  // another warp only helps
  const int g = lane_row(), lane = threadIdx.x % WARP;
  const int query_row = column.row(b, i0 + lane % OWN_TOKENS, store_from);
  const QueryTiles tiles(shared, b.head_width);
  fill<Fp32, VECTOR, OWN_TOKENS>({tiles.queries}, {part_of(primal.qkv, primal.stride, b, 0, slice.head)}, i0, b);
  clear_weight_sums(tiles);
  const MeanTerms<Fp32, BENT_WIDTH> mean_terms = {tiles.mean_terms};
  mean_terms.clear();

  Bent bent;
  bent.squares.clear();
  bent.firsts.clear();
  for (int j0 = b.first_key(i0); j0 <= last_query; j0 += SPAN) {
    __syncthreads();
    fill<Fp32, VECTOR, SPAN>(
        {tiles.keys, tiles.values},
        {part_of(primal.qkv, primal.stride, b, 1, slice.head), part_of(primal.qkv, primal.stride, b, 2, slice.head)}, j0, b);
    __syncthreads();
    const float* log_sum_exp = primal.log_sum_exp + int64_t(slice.head) * b.tokens;
    float weight_sum[2] = {0, 0};
    fill_weights<Fp32, false>(tiles.weights, tiles.queries, tiles.keys, b, [&](int r, int j, float score) {
      const int i = i0 + g + 8 * r, place = (g + 8 * r) * WEIGHT_STRIDE + j;
      const float p = b.sees(i, j0 + j) && i < b.tokens ? weight_of(b, b.cap > 0, score, log_sum_exp[i]) : 0;
      weight_sum[r] += p;
      if (b.cap > 0) {
        const float s = b.scale * score, slope = soft_cap_slope(s, b.cap);
        tiles.slopes<BENT_WIDTH>()[place] = slope;
        bends_of(tiles)[place] = -2 * tanhf(s / b.cap) / b.cap * slope;
      }
      return p;
    });
    add_weight_sums(tiles, weight_sum);
    __syncthreads();

    mean_terms.add(Weights(tiles.weights), tiles.values, slice);
    const int live = mine ? end + 1 - j0 : 0;  // keys that the column's queries see
    if (live <= 0) continue;
    const int key_row = column.row(b, j0 + lane, 0);
    float ds[TILES][4] = {}, pair[TILES][4] = {};
    bent_scores<VECTOR>(ds, pair, tiles, b, column, dqkv, dqkv_stride, slice.head, j0, query_row, key_row, live);
    bent.centre(ds, pair, Weights(tiles.weights), b, i0, j0);
    const TileTerms<SPAN> values(tiles.values, slice.from);
    add_sums<Fp32>(bent.squares, HeldScores{pair}, values, slice.width, live);
    add_sums<Fp32>(bent.firsts, HeldScores{ds}, values, slice.width, live);
    if (j0 + SPAN > column.first) {
      const ColumnTerms<VECTOR> dv = {
          part_of(dqkv, dqkv_stride, b, 2, slice.head), key_row, slice.from, slice.from + slice.width};
      times_two(ds);
      add_sums<Fp32>(bent.squares, HeldScores{ds}, dv, slice.width, live);
      add_sums<Fp32>(bent.firsts, Weights(tiles.weights), dv, slice.width, live);
    }
  }

  __syncthreads();
  if (!mine) return;
#pragma unroll
  for (int r = 0; r < 2; r++) {
    const float inverse_sum = 1 / all_weights(tiles, g + 8 * r);
    const float n = row_sum(bent.excess[r]) * inverse_sum, bend = row_sum(bent.bend[r]) * inverse_sum;
    const int i = i0 + g + 8 * r;
    if (i < begin || i > end) continue;
    float* to = ddout + int64_t(b.start[i] + column.c) * ddout_stride + part_offset(b, 0, slice.head) + slice.from;
    const float* terms = tiles.mean_terms + (g + 8 * r) * CHUNK_STRIDE;
    add_row<VECTOR>(to, bent, r, slice.width, inverse_sum, -2 * n, 2 * n * n - bend, terms);
  }
}

}  // namespace

#define DEFINE_ATTENTION_CURVATURE(name, VECTOR)                                                                                       \
  extern "C" __global__ void __launch_bounds__(ATTENTION_THREADS, 1) name(                                                             \
      const float* qkv, int qkv_stride, const float* log_sum_exp, const float* dqkv, int dqkv_stride, const int* start,                \
      const int* first, const int* last, float* ddout, int ddout_stride, int tokens, int columns, int heads, int head_width,           \
      float scale, int window, float cap, int queries_from, int first_column) {                                                        \
    Primal primal = {qkv, qkv_stride, log_sum_exp};                                                                                    \
    Batch batch = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, first_column};            \
    attention_curvature_block<VECTOR>(primal, batch, dqkv, dqkv_stride, ddout, ddout_stride);                                          \
  }                                                                                                                                    \
  REGISTER_KERNEL(name)

DEFINE_ATTENTION_CURVATURE(attention_curvature_64, true)
DEFINE_ATTENTION_CURVATURE(attention_curvature_any, false)

#undef DEFINE_ATTENTION_CURVATURE
