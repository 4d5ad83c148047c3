// What the tangent and the queries' adjoint have in common: for one column and 16 queries, with shared weights P and terms x
// (values or keys) and the column's own derivatives e of the scores,
//
//   y_i = sum over j <= i of P_ij (e_ij - m_i) x_j [+ P_ij dx_j]   where m_i = sum over j of P_ij e_ij / sum over j of P_ij.
//
// It takes one pass: with any r_i in the place of m_i and n_i = sum over j of P_ij (e_ij - r_i) / sum over j of P_ij,
// y_i = (the same with r_i) - n_i sum over j of P_ij x_j and m_i = r_i + n_i. The last sum belongs to the forward pass and is made once a
// block. As r_i serves the weighted mean of e over the first tile: what all e of a query have in common then cancels at once.
#pragma once
#include "attention.cuh"

// Shared memory of a block: the forward pass's keys, values and queries, P, and P's row sums as 4 warps find them.
struct QueryTiles {
  float *keys, *values, *queries, *weights, *weight_sums;

  __device__ __forceinline__ QueryTiles(float* shared, int stride) {
    keys = shared;
    values = keys + SPAN * stride;
    queries = values + SPAN * stride;
    weights = queries + OWN_TOKENS * stride;
    weight_sums = weights + OWN_TOKENS * WEIGHT_STRIDE;
  }
};

// P x of a block, each warp 8 elements of x (16 of 128).
template <class Precision, int WIDTH>
struct MeanTerms {
  float x[WIDTH / 64][4];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int p = 0; p < WIDTH / 64; p++)
      for (int i = 0; i < 4; i++) x[p][i] = 0;
  }

  __device__ __forceinline__ void add(const float (&weights)[TILES][4], const float* tile, int stride, const Slice& slice) {
    int t = lane_column();
    const float* even = tile + slot(2 * t) * stride + slice.from + lane_row();
    const float* odd = tile + slot(2 * t + 1) * stride + slice.from + lane_row();
#pragma unroll
    for (int p = 0; p < WIDTH / 64; p++) {
      int d = 8 * warp_index() + 64 * p;
      if (d >= slice.width) break;
#pragma unroll
      for (int n = 0; n < TILES; n += 2) {
        int at = block_of_slots(n) * stride + d, next = block_of_slots(n + 1) * stride + d;
        auto a0 = left<Precision, false>(weights[n][0], weights[n][2], weights[n][1], weights[n][3]);
        auto a1 = left<Precision, false>(weights[n + 1][0], weights[n + 1][2], weights[n + 1][1], weights[n + 1][3]);
        multiply_add(x[p], a0, right<Precision, true>(even[at], odd[at]), a1, right<Precision, true>(even[next], odd[next]));
      }
    }
  }

  // Rows of `stride` elements, the slice's first at 0.
  __device__ __forceinline__ void write(float* to, int stride, int width) const {
    int g = lane_row(), t = lane_column();
#pragma unroll
    for (int p = 0; p < WIDTH / 64; p++) {
      int d = 8 * warp_index() + 64 * p;
      if (d >= width) break;
#pragma unroll
      for (int i = 0; i < 4; i++) to[(g + i / 2 * 8) * stride + d + 2 * t + i % 2] = x[p][i];
    }
  }
};

// What a warp has of its column's result.
template <int WIDTH>
struct Centred {
  Sums<WIDTH> sums;
  float reference[2];  // r of the rows g and g + 8
  float excess[2];     // sums of P (e - r), this lane's part

  // e = P (scale e - r), for the keys from j0 on. The first tile is that of key 0, which every query sees.
  __device__ __forceinline__ void centre(float (&e)[TILES][4], const float (&weights)[TILES][4], float scale, int i0, int j0) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      if (j0 == 0) {
        // A query whose weights lie all in later tiles takes the plain mean.
        const float tiny = 1e-30f;
        int i = i0 + lane_row() + 8 * r;
        float weighted = 0, total = 0;
#pragma unroll
        for (int n = 0; n < TILES; n++) {
#pragma unroll
          for (int k = 0; k < 2; k++) {
            float weight = 8 * n + 2 * lane_column() + k <= i ? weights[n][2 * r + k] + tiny : 0;
            weighted += weight * (scale * e[n][2 * r + k]);
            total += weight;
          }
        }
        reference[r] = row_sum(weighted) / row_sum(total);
        excess[r] = 0;
      }
#pragma unroll
      for (int n = 0; n < TILES; n++) {
#pragma unroll
        for (int k = 0; k < 2; k++) {
          float& x = e[n][2 * r + k];
          x = weights[n][2 * r + k] * (scale * x - reference[r]);
          excess[r] += x;
        }
      }
    }
  }
};

// Rule: which scores a column has and what else it adds.
//   void scores(float (&e)[TILES][4], const QueryTiles&, int stride, int j0, int row): adds e of the keys from j0 on
//   const float* terms(const QueryTiles&)
//   void more(Sums<WIDTH>&, const QueryTiles&, int j0, int row, const Slice&)
//   void store(const Centred<WIDTH>&, int r, int i, float n, const float* mean_terms, const Slice&): row i = the tile's row g + 8 r
// `row` is lane l's: the column's row at token j0 + l, -1 for none. A warp whose column has no rows i to store only helps.
template <class Precision, int WIDTH, bool VECTOR, class Rule>
__device__ __forceinline__ void for_queries(
    const Primal& primal, const Batch& b, const Slice& slice, const Column& column, int i0, int store_from, int last_key, Rule& rule) {
  DYNAMIC_SHARED(float, shared);
  int stride = tile_stride(b.head_width), g = lane_row(), t = lane_column(), lane = threadIdx.x % WARP;
  QueryTiles tiles(shared, stride);
  int begin = max(i0, store_from), end = min(column.last, i0 + OWN_TOKENS - 1);
  bool mine = begin <= end;

  float log_sum[2], weight_sum[2] = {0, 0};
#pragma unroll
  for (int r = 0; r < 2; r++) {
    int i = i0 + g + 8 * r;
    log_sum[r] = i < b.tokens ? primal.log_sum_exp[int64_t(slice.head) * b.tokens + i] : 0;
  }
  fill<Precision, VECTOR, OWN_TOKENS>({tiles.queries}, {part_of(primal.qkv, primal.stride, b, 0, slice.head)}, i0, b);

  MeanTerms<Precision, WIDTH> mean;
  mean.clear();
  Centred<WIDTH> result;
  result.sums.clear();
  for (int j0 = 0; j0 <= last_key; j0 += SPAN) {
    __syncthreads();
    fill<Precision, VECTOR, SPAN>(
        {tiles.keys, tiles.values},
        {part_of(primal.qkv, primal.stride, b, 1, slice.head), part_of(primal.qkv, primal.stride, b, 2, slice.head)}, j0, b);
    __syncthreads();

    fill_weights<Precision>(tiles.weights, tiles.queries, tiles.keys, b, [&](int r, int j, float score) {
      int i = i0 + g + 8 * r;
      float p = j0 + j <= i && i < b.tokens ? expf(b.scale * score - log_sum[r]) : 0;
      weight_sum[r] += p;
      return p;
    });
    bool now = mine && j0 <= end;
    int row = now ? column.row(b, j0 + lane, 0) : -1;
    float e[TILES][4] = {};
    if (now) rule.scores(e, tiles, stride, j0, row);
    __syncthreads();

    float weights[TILES][4];
    read_weights(weights, tiles.weights);
    mean.add(weights, rule.terms(tiles), stride, slice);
    if (now) {
      result.centre(e, weights, rule.score_scale, i0, j0);
      add_sums<Precision>(result.sums, e, TileTerms(rule.terms(tiles), stride, slice.from), slice.width);
      rule.more(result.sums, tiles, j0, row, slice);
    }
  }

  __syncthreads();
  float* mean_terms = shared;  // over the keys
  mean.write(mean_terms, stride, slice.width);
  if (warp_index() < TILES) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      float sum = row_sum(weight_sum[r]);
      if (t == 0) tiles.weight_sums[warp_index() * OWN_TOKENS + g + 8 * r] = sum;
    }
  }
  __syncthreads();
  if (!mine) return;
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float excess = row_sum(result.excess[r]), sum = 0;
#pragma unroll
    for (int w = 0; w < TILES; w++) sum += tiles.weight_sums[w * OWN_TOKENS + g + 8 * r];
    int i = i0 + g + 8 * r;
    if (i >= begin && i <= end) rule.store(result, r, i, excess / sum, mean_terms + (g + 8 * r) * stride, slice);
  }
}
