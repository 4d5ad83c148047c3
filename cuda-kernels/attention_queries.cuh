// What the tangent and the queries' adjoint have in common: for one column and 16 queries, with shared weights P and terms x
// (values or keys) and the column's own derivatives e of the scores,
//
//   y_i = sum over j <= i of P_ij (e_ij - m_i) x_j [+ P_ij dx_j]   where m_i = sum over j of P_ij e_ij / sum over j of P_ij.
//
// Where scores have a soft cap, the tangent's e are multiplied with its slope before, and in the adjoint x_j stands for slope_ij x_j.
//
// It takes one pass: with any r_i in the place of m_i and n_i = sum over j of P_ij (e_ij - r_i) / sum over j of P_ij,
// y_i = (the same with r_i) - n_i sum over j of P_ij x_j and m_i = r_i + n_i. The last sum belongs to the forward pass and is made once a
// block. All of it is linear in the P_ij, so that what they miss of a sum of 1 is divided out once, at the end. As r_i serves the weighted
// mean of e over the first tile: what all e of a query have in common then cancels at once.
#pragma once
#include "attention_products.cuh"

// Shared memory of a block: the forward pass's keys, values and queries, P, P's row sums as 4 warps find them,
// and the mean terms.
struct QueryTiles {
  float *keys, *values, *queries, *weights, *weight_sums, *mean_terms;

  __device__ __forceinline__ QueryTiles(float* shared, int head_width) {
    int chunk = chunks(head_width) * CHUNK_STRIDE;
    keys = shared;
    values = keys + SPAN * chunk;
    queries = values + SPAN * chunk;
    weights = queries + OWN_TOKENS * chunk;
    weight_sums = weights + OWN_TOKENS * WEIGHT_STRIDE;
    mean_terms = weight_sums + OWN_TOKENS * TILES;
  }

  // Of a soft cap, as P; there only where scores have one.
  template <int WIDTH>
  __device__ __forceinline__ float* slopes() const {
    return mean_terms + WIDTH / CHUNK * OWN_TOKENS * CHUNK_STRIDE;
  }

  // Of this warp's columns of P and a row of the tile; only lanes t = 0 use it.
  __device__ __forceinline__ float& weight_sum(int row) const { return weight_sums[warp_index() * OWN_TOKENS + row]; }
};

__device__ __forceinline__ void clear_weight_sums(const QueryTiles& tiles) {
  if (warp_index() < TILES && lane_column() == 0) tiles.weight_sum(lane_row()) = tiles.weight_sum(lane_row() + 8) = 0;
}

// Adds what this lane found for the rows g and g + 8.
__device__ __forceinline__ void add_weight_sums(const QueryTiles& tiles, const float (&found)[2]) {
  if (warp_index() >= TILES) return;
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float sum = row_sum(found[r]);
    if (lane_column() == 0) tiles.weight_sum(lane_row() + 8 * r) += sum;
  }
}

// The sum of a row of P over all keys.
__device__ __forceinline__ float all_weights(const QueryTiles& tiles, int row) {
  float sum = 0;
#pragma unroll
  for (int w = 0; w < TILES; w++) sum += tiles.weight_sums[w * OWN_TOKENS + row];
  return sum;
}

// r of row g + 8 r: the mean of scale e over the first tile, weighted with P; it begins at first_key(i0), so that every query sees a key of
// it. A query whose weights lie all in later tiles takes the plain mean.
__device__ __forceinline__ float first_reference(
    const float (&e)[TILES][4], const float (&weights)[TILES][4], int r, float scale, const Batch& b, int i0, int j0) {
  const float tiny = 1e-30f;
  int i = i0 + lane_row() + 8 * r;
  float weighted = 0, total = 0;
#pragma unroll
  for (int n = 0; n < TILES; n++) {
#pragma unroll
    for (int k = 0; k < 2; k++) {
      float weight = b.sees(i, j0 + 8 * n + 2 * lane_column() + k) ? weights[n][2 * r + k] + tiny : 0;
      weighted += weight * (scale * e[n][2 * r + k]);
      total += weight;
    }
  }
  return row_sum(weighted) / row_sum(total);
}

// P x of a block, as a tile of 16 tokens whose element 0 is the slice's first; each warp 8 elements of x (16 of 128). It is kept in
// shared memory, where a warp's columns leave it no registers.
template <class Precision, int WIDTH>
struct MeanTerms {
  float* tile;

  // The lane's elements of rows g and g + 8 for the warp's elements d...
  __device__ __forceinline__ float2* at(int d, int r) const {
    int place = (d / CHUNK * OWN_TOKENS + lane_row() + 8 * r) * CHUNK_STRIDE;
    return reinterpret_cast<float2*>(tile + place + d % CHUNK + 2 * lane_column());
  }

  __device__ __forceinline__ void clear() const {
    for (int d = 8 * warp_index(); d < WIDTH; d += 64) *at(d, 0) = *at(d, 1) = make_float2(0, 0);
  }

  // `left`: P, or P times a cap's slope.
  template <class Left>
  __device__ __forceinline__ void add(const Left& left, const float* terms, const Slice& slice) const {
    int t = lane_column();
    const float* even = terms + slot(2 * t) * CHUNK_STRIDE + lane_row();
    const float* odd = terms + slot(2 * t + 1) * CHUNK_STRIDE + lane_row();
#pragma unroll
    for (int d = 8 * warp_index(); d < WIDTH; d += 64) {
      if (d >= slice.width) break;
      float2 x = *at(d, 0), y = *at(d, 1);
      float sums[4] = {x.x, x.y, y.x, y.y};
      int from = (slice.from + d) / CHUNK * SPAN * CHUNK_STRIDE + d % CHUNK;
#pragma unroll
      for (int n = 0; n < TILES; n += 2) {
        int n0 = from + block_of_slots(n) * CHUNK_STRIDE, n1 = from + block_of_slots(n + 1) * CHUNK_STRIDE;
        auto a0 = left_of_product<Precision>(left.get(n)), a1 = left_of_product<Precision>(left.get(n + 1));
        multiply_add(sums, a0, right<Precision, true>(even[n0], odd[n0]), a1, right<Precision, true>(even[n1], odd[n1]));
      }
      *at(d, 0) = make_float2(sums[0], sums[1]);
      *at(d, 1) = make_float2(sums[2], sums[3]);
    }
  }
};

// P times the slope of a soft cap.
struct SteepWeights {
  Weights weights, slopes;

  __device__ __forceinline__ float4 get(int n) const {
    float4 p = weights.get(n), d = slopes.get(n);
    return make_float4(p.x * d.x, p.y * d.y, p.z * d.z, p.w * d.w);
  }
};

__device__ __forceinline__ void multiply_by(float (&e)[TILES][4], const Weights& slopes) {
#pragma unroll
  for (int n = 0; n < TILES; n++) {
    float4 d = slopes.get(n);
    e[n][0] *= d.x, e[n][1] *= d.y, e[n][2] *= d.z, e[n][3] *= d.w;
  }
}

// What a warp has of its column's result.
template <int WIDTH>
struct Centred {
  Sums<WIDTH> sums;
  float reference[2];  // r of the rows g and g + 8
  float excess[2];     // sums of P (e - r), this lane's part

  // e = P (scale e - r), for the keys from j0 on.
  __device__ __forceinline__ void centre(float (&e)[TILES][4], const Weights& shared_weights, float scale, const Batch& b, int i0, int j0) {
    float weights[TILES][4];
#pragma unroll
    for (int n = 0; n < TILES; n++) {
      float4 x = shared_weights.get(n);
      weights[n][0] = x.x, weights[n][1] = x.y, weights[n][2] = x.z, weights[n][3] = x.w;
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
      if (j0 == b.first_key(i0)) {
        reference[r] = first_reference(e, weights, r, scale, b, i0, j0);
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
//   CAPPED: whether scores have a soft cap; compiled for both, since two blocks a processor leave no register for its slopes
//   SLOPE_BEFORE_MEAN: whether the slope of a soft cap belongs to e, else to x
//   void scores(float (&e)[TILES][4], const QueryTiles&, int head, int j0, int row, int live): adds e of the keys from j0 on
//   const float* terms(const QueryTiles&)
//   void more(Sums<WIDTH>&, const QueryTiles&, int head, int j0, int row, int live, const Slice&)
//   void store(const Centred<WIDTH>&, int r, int i, float n, float inverse_sum, const float* mean_terms, const Slice&): row i = the tile's
//     row g + 8 r, whose P sum to 1 / inverse_sum
// `row` is lane l's: the column's row at token j0 + l, -1 for none; keys from j0 + live on are
// not seen. A warp whose column has no rows i to store only helps.
template <class Precision, int WIDTH, bool VECTOR, class Rule>
__device__ __forceinline__ void for_queries(
    const Primal& primal, const Batch& b, const Slice& slice, const Column& column, int i0, int store_from, int last_key, Rule& rule) {
  DYNAMIC_SHARED(float, shared);
  int g = lane_row(), lane = threadIdx.x % WARP;
  int begin = max(i0, store_from), end = min(column.last, i0 + OWN_TOKENS - 1);
  bool mine = begin <= end;

  {
    QueryTiles tiles(shared, b.head_width);
    fill<Precision, VECTOR, OWN_TOKENS>({tiles.queries}, {part_of(primal.qkv, primal.stride, b, 0, slice.head)}, i0, b);
    clear_weight_sums(tiles);
    MeanTerms<Precision, WIDTH>{tiles.mean_terms}.clear();
  }
  Centred<WIDTH> result;
  result.sums.clear();
  for (int j0 = b.first_key(i0); j0 <= last_key; j0 += SPAN) {
    QueryTiles tiles(shared, anew(b.head_width));
    int head = anew(slice.head);
    __syncthreads();
    fill<Precision, VECTOR, SPAN>(
        {tiles.keys, tiles.values},
        {part_of(primal.qkv, primal.stride, b, 1, head), part_of(primal.qkv, primal.stride, b, 2, head)}, j0, b);
    __syncthreads();

    const float* log_sum_exp = primal.log_sum_exp + int64_t(head) * b.tokens;
    float weight_sum[2] = {0, 0};
    fill_weights<Precision, false>(tiles.weights, tiles.queries, tiles.keys, b, [&](int r, int j, float score) {
      int i = i0 + g + 8 * r;
      float p = b.sees(i, j0 + j) && i < b.tokens ? weight_of(b, Rule::CAPPED, score, log_sum_exp[i]) : 0;
      weight_sum[r] += p;
      if constexpr (Rule::CAPPED) tiles.template slopes<WIDTH>()[(g + 8 * r) * WEIGHT_STRIDE + j] = soft_cap_slope(b.scale * score, b.cap);
      return p;
    });
    add_weight_sums(tiles, weight_sum);
    int live = mine ? end + 1 - j0 : 0;  // keys that the column's queries see
    bool now = live > 0;
    int row = now ? column.row(b, j0 + lane, 0) : -1;
    float e[TILES][4] = {};
    if (now) rule.scores(e, tiles, head, j0, row, live);
    __syncthreads();

    if constexpr (Rule::CAPPED && !Rule::SLOPE_BEFORE_MEAN) {
      SteepWeights steep = {Weights(tiles.weights), Weights(tiles.template slopes<WIDTH>())};
      MeanTerms<Precision, WIDTH>{tiles.mean_terms}.add(steep, rule.terms(tiles), slice);
    } else {
      MeanTerms<Precision, WIDTH>{tiles.mean_terms}.add(Weights(tiles.weights), rule.terms(tiles), slice);
    }
    if (now) {
      if constexpr (Rule::CAPPED && Rule::SLOPE_BEFORE_MEAN) multiply_by(e, Weights(tiles.template slopes<WIDTH>()));
      result.centre(e, Weights(tiles.weights), rule.score_scale, b, i0, j0);
      if constexpr (Rule::CAPPED && !Rule::SLOPE_BEFORE_MEAN) multiply_by(e, Weights(tiles.template slopes<WIDTH>()));
      add_sums<Precision>(result.sums, HeldScores{e}, TileTerms<SPAN>(rule.terms(tiles), slice.from), slice.width, live);
      rule.more(result.sums, QueryTiles(shared, anew(b.head_width)), anew(slice.head), j0, row, live, slice);
    }
  }

  __syncthreads();
  if (!mine) return;
  QueryTiles tiles(shared, b.head_width);
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float excess = row_sum(result.excess[r]), sum = all_weights(tiles, g + 8 * r);
    int i = i0 + g + 8 * r;
    const float* mean_terms = tiles.mean_terms + (g + 8 * r) * CHUNK_STRIDE;
    if (i >= begin && i <= end) rule.store(result, r, i, excess / sum, 1 / sum, mean_terms, slice);
  }
}
