// Tangent of attention: ds = scale (dq k' + q dk') times the slope of a soft cap, dout = P (ds - rowsum(P ds)) v + P dv, for many tangents
// of one forward pass.
#include "attention_queries.cuh"

// What the two ways to ds have in common. `moved` has the tangents of the values as its part VALUES.
template <class Precision, int WIDTH, bool VECTOR, int VALUES>
struct TangentTerms {
  const Batch& b;
  const Column& column;
  const float* moved;
  int moved_stride;
  float* dout;
  int dout_stride;
  float score_scale;

  // Keys before the column's first token do not move.
  __device__ __forceinline__ bool moves(int j0) const { return j0 + SPAN > column.first; }

  __device__ __forceinline__ const float* terms(const QueryTiles& tiles) const { return tiles.values; }

  __device__ __forceinline__ void more(
      Sums<WIDTH>& sums, const QueryTiles& tiles, int head, int j0, int row, int live, const Slice& slice) const {
    if (!moves(j0)) return;
    ColumnTerms<VECTOR> dv = {part_of(moved, moved_stride, b, VALUES, head), row, slice.from, slice.from + slice.width};
    add_sums<Precision>(sums, Weights(tiles.weights), dv, slice.width, live);
  }

  __device__ __forceinline__ void store(
      const Centred<WIDTH>& result, int r, int i, float n, float inverse_sum, const float* mean_terms, const Slice& slice) const {
    float* to = dout + int64_t(b.start[i] + column.c) * dout_stride + part_offset(b, 0, slice.head) + slice.from;
    store_row<VECTOR>(to, result.sums, r, slice.width, inverse_sum, n, mean_terms);
  }
};

template <class Precision, int WIDTH, bool VECTOR, bool CAP>
struct TangentRule : TangentTerms<Precision, WIDTH, VECTOR, 2> {
  enum { CAPPED = CAP, SLOPE_BEFORE_MEAN = true };
  int query_row;  // lane l's: of query i0 + l % 16

  __device__ __forceinline__ void scores(float (&e)[TILES][4], const QueryTiles& tiles, int head, int j0, int row, int live) const {
    const Batch& b = this->b;
    auto dq = column_rows<2, VECTOR>(part_of(this->moved, this->moved_stride, b, 0, head), query_row, 0, b.head_width);
    add_scores<Precision>(e, dq, TileRows<SPAN>(tiles.keys), b.head_width, live);
    if (this->moves(j0)) {
      Part dk = part_of(this->moved, this->moved_stride, b, 1, head);
      add_column_scores<Precision, VECTOR>(e, TileRows<OWN_TOKENS>(tiles.queries), dk, row, b.head_width, live);
    }
  }
};

// make(column, i0): the rule of a column for the queries from i0 on.
template <class Precision, int WIDTH, bool VECTOR, class Make>
__device__ __forceinline__ void tangent_block(const Primal& primal, const Batch& b, Make make) {
  Slice slice = slice_of<WIDTH>(b, blockIdx.y);
  // The last queries have the most keys: they go first.
  int i0 = ((b.tokens - 1) / OWN_TOKENS - int(blockIdx.x)) * OWN_TOKENS;
  // The block's first column is alive wherever another is.
  Column widest = column_of(b, 0);
  int last_query = min(widest.last, i0 + OWN_TOKENS - 1);
  if (last_query < max(max(widest.first, b.queries_from), i0)) return;

  Column column = column_of(b, warp_index());
  auto rule = make(column, i0);
  for_queries<Precision, WIDTH, VECTOR>(primal, b, slice, column, i0, max(column.first, b.queries_from), last_query, rule);
}

template <class Precision, int WIDTH, bool VECTOR, bool CAPPED>
__device__ __forceinline__ void attention_tangent_block(
    const Primal& primal, const Batch& b, const float* dqkv, int dqkv_stride, float* dout, int dout_stride) {
  tangent_block<Precision, WIDTH, VECTOR>(primal, b, [&](const Column& column, int i0) {
    int query_row = column.row(b, i0 + int(threadIdx.x) % OWN_TOKENS, max(column.first, b.queries_from));
    return TangentRule<Precision, WIDTH, VECTOR, CAPPED>{{b, column, dqkv, dqkv_stride, dout, dout_stride, b.scale}, query_row};
  });
}

#define DEFINE_ATTENTION_TANGENT(name, Precision, WIDTH, BLOCKS, VECTOR, CAPPED)                                                       \
  extern "C" __global__ void __launch_bounds__(ATTENTION_THREADS, BLOCKS) name(                                                        \
      const float* qkv, int qkv_stride, const float* log_sum_exp, const float* dqkv, int dqkv_stride, const int* start,                \
      const int* first, const int* last, float* dout, int dout_stride, int tokens, int columns, int heads, int head_width,             \
      float scale, int window, float cap, int queries_from, int first_column) {                                                        \
    Primal primal = {qkv, qkv_stride, log_sum_exp};                                                                                    \
    Batch batch = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, first_column};            \
    attention_tangent_block<Precision, WIDTH, VECTOR, CAPPED>(primal, batch, dqkv, dqkv_stride, dout, dout_stride);                    \
  }                                                                                                                                    \
  REGISTER_KERNEL(name)

DEFINE_ATTENTION_TANGENT(attention_tangent_fp32_64, Fp32, 64, 2, true, false)
DEFINE_ATTENTION_TANGENT(attention_tangent_fp32_128, Fp32, 128, 1, true, false)
DEFINE_ATTENTION_TANGENT(attention_tangent_fp32_any, Fp32, 64, 1, false, false)
DEFINE_ATTENTION_TANGENT(attention_tangent_tf32_64, Tf32, 64, 2, true, false)
DEFINE_ATTENTION_TANGENT(attention_tangent_tf32_128, Tf32, 128, 1, true, false)
DEFINE_ATTENTION_TANGENT(attention_tangent_tf32_any, Tf32, 64, 1, false, false)
DEFINE_ATTENTION_TANGENT(attention_tangent_capped_fp32_64, Fp32, 64, 2, true, true)
DEFINE_ATTENTION_TANGENT(attention_tangent_capped_fp32_128, Fp32, 128, 1, true, true)
DEFINE_ATTENTION_TANGENT(attention_tangent_capped_fp32_any, Fp32, 64, 1, false, true)
DEFINE_ATTENTION_TANGENT(attention_tangent_capped_tf32_64, Tf32, 64, 2, true, true)
DEFINE_ATTENTION_TANGENT(attention_tangent_capped_tf32_128, Tf32, 128, 1, true, true)
DEFINE_ATTENTION_TANGENT(attention_tangent_capped_tf32_any, Tf32, 64, 1, false, true)

#undef DEFINE_ATTENTION_TANGENT

// The same where ds is given in two parts, in blocks of the tokens, [H (E + 1), columns alive] one after the other: block i has q_i' dk_i of
// the queries i' = i, ..., E - 1, then dq_i k_j of the keys j = 0, ..., i, for all heads side by side and times the scale. Scores have no
// soft cap. The warps of a block, whose columns stand side by side, read the same sectors.
template <class Precision, int WIDTH, bool VECTOR>
struct ScoredTangentRule : TangentTerms<Precision, WIDTH, VECTOR, 0> {
  enum { CAPPED = false, SLOPE_BEFORE_MEAN = true };
  const float* given;
  int end;  // E
  int i0;

  __device__ __forceinline__ float given_at(int token, int place, int head) const {
    const Batch& b = this->b;
    int start = b.start[token];
    int64_t block = int64_t(start) * b.heads * (end + 1);
    return given[block + (int64_t(place) * b.heads + head) * (b.start[token + 1] - start) + this->column.c];
  }

  __device__ __forceinline__ void scores(float (&e)[TILES][4], const QueryTiles&, int head, int j0, int, int) const {
    const Column& column = this->column;
#pragma unroll
    for (int n = 0; n < TILES; n++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int i = i0 + lane_row() + 8 * (k / 2), j = j0 + 8 * n + 2 * lane_column() + k % 2;
        if (i < column.first || i > column.last || !this->b.sees(i, j)) continue;
        e[n][k] = given_at(i, end - i + j, head);
        if (j >= column.first) e[n][k] += given_at(j, i - j, head);
      }
    }
    __syncwarp();  // lanes leave out different scores, and products of the whole warp follow
  }
};

template <class Precision, int WIDTH, bool VECTOR>
__device__ __forceinline__ void attention_scored_tangent_block(
    const Primal& primal, const Batch& b, const float* scores, int end, const float* dv, int dv_stride, float* dout, int dout_stride) {
  tangent_block<Precision, WIDTH, VECTOR>(primal, b, [&](const Column& column, int i0) {
    return ScoredTangentRule<Precision, WIDTH, VECTOR>{{b, column, dv, dv_stride, dout, dout_stride, 1}, scores, end, i0};
  });
}

#define DEFINE_ATTENTION_SCORED_TANGENT(name, Precision, WIDTH, BLOCKS, VECTOR)                                                       \
  extern "C" __global__ void __launch_bounds__(ATTENTION_THREADS, BLOCKS) name(                                                       \
      const float* qkv, int qkv_stride, const float* log_sum_exp, const float* scores, int end, const float* dv, int dv_stride,       \
      const int* start, const int* first, const int* last, float* dout, int dout_stride, int tokens, int columns, int heads,          \
      int head_width, float scale, int window, float cap, int queries_from, int first_column) {                                       \
    Primal primal = {qkv, qkv_stride, log_sum_exp};                                                                                   \
    Batch batch = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, first_column};           \
    attention_scored_tangent_block<Precision, WIDTH, VECTOR>(primal, batch, scores, end, dv, dv_stride, dout, dout_stride);           \
  }                                                                                                                                   \
  REGISTER_KERNEL(name)

DEFINE_ATTENTION_SCORED_TANGENT(attention_scored_tangent_fp32_64, Fp32, 64, 1, true)
DEFINE_ATTENTION_SCORED_TANGENT(attention_scored_tangent_fp32_128, Fp32, 128, 1, true)
DEFINE_ATTENTION_SCORED_TANGENT(attention_scored_tangent_fp32_any, Fp32, 64, 1, false)
DEFINE_ATTENTION_SCORED_TANGENT(attention_scored_tangent_tf32_64, Tf32, 64, 1, true)
DEFINE_ATTENTION_SCORED_TANGENT(attention_scored_tangent_tf32_128, Tf32, 128, 1, true)
DEFINE_ATTENTION_SCORED_TANGENT(attention_scored_tangent_tf32_any, Tf32, 64, 1, false)

#undef DEFINE_ATTENTION_SCORED_TANGENT
