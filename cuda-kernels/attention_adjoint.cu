// Adjoint of attention: dP = dout v', ds = P (dP - m) with m = rowsum(P dP), times the slope of a soft cap, dq = scale ds k, dk = scale ds' q, dv = P' dout, for many
// cotangents of one forward pass. Two kernels, each with its results in registers and no atomics: the first goes over queries, writes dq,
// m and what the sums of P's rows have to be multiplied with to be 1; the second goes over keys, where no block sees a whole row, and
// needs both.
#include "attention_queries.cuh"

template <class Precision, int WIDTH, bool VECTOR, bool CAP>
struct AdjointQueriesRule {
  enum { CAPPED = CAP, SLOPE_BEFORE_MEAN = false };
  const Batch& b;
  const Column& column;
  const float* dout;
  int dout_stride;
  float* dqkv;
  int dqkv_stride;
  float* mean;          // this head's, [R]
  float* inverse_sums;  // this head's, [T]
  float score_scale;
  int query_row;  // lane l's: of query i0 + l % 16

  __device__ __forceinline__ void scores(float (&e)[TILES][4], const QueryTiles& tiles, int head, int, int, int live) const {
    auto own = column_rows<2, VECTOR>(part_of(dout, dout_stride, b, 0, head), query_row, 0, b.head_width);
    add_scores<Precision>(e, own, TileRows<SPAN>(tiles.values), b.head_width, live);
  }

  __device__ __forceinline__ const float* terms(const QueryTiles& tiles) const { return tiles.keys; }

  __device__ __forceinline__ void more(Sums<WIDTH>&, const QueryTiles&, int, int, int, int, const Slice&) const {}

  __device__ __forceinline__ void store(
      const Centred<WIDTH>& result, int r, int i, float n, float inverse_sum, const float* mean_terms, const Slice& slice) const {
    int64_t row = b.start[i] + column.c;
    float* to = dqkv + row * dqkv_stride + part_offset(b, 0, slice.head) + slice.from;
    store_row<VECTOR>(to, result.sums, r, slice.width, b.scale * inverse_sum, n, mean_terms);
    if (slice.from != 0 || lane_column() != 0) return;
    mean[row] = result.reference[r] + n;
    if (column.c == 0) inverse_sums[i] = inverse_sum;  // the first column is alive wherever another is
  }
};

template <class Precision, int WIDTH, bool VECTOR, bool CAPPED>
__device__ __forceinline__ void attention_adjoint_queries_block(
    const Primal& primal, const Batch& b, const float* dout, int dout_stride, float* dqkv, int dqkv_stride, float* mean, int rows,
    float* inverse_sums) {
  Slice slice = slice_of<WIDTH>(b, blockIdx.y);
  int i0 = ((b.tokens - 1) / OWN_TOKENS - int(blockIdx.x)) * OWN_TOKENS;
  Column widest = column_of(b, 0);
  int last_query = min(widest.last, i0 + OWN_TOKENS - 1);
  if (last_query < max(widest.first, i0)) return;

  Column column = column_of(b, warp_index());
  if (last_query < b.queries_from) {  // dout counts as zero
    Sums<WIDTH> zero;
    zero.clear();
    for (int r = 0; r < 2; r++) {
      int i = i0 + lane_row() + 8 * r, row = column.row(b, i, 0);
      if (row < 0) continue;
      float* to = dqkv + int64_t(row) * dqkv_stride + part_offset(b, 0, slice.head) + slice.from;
      store_row<VECTOR>(to, zero, r, slice.width, 1, 0, nullptr);
    }
    return;
  }
  int query_row = column.row(b, i0 + int(threadIdx.x) % OWN_TOKENS, b.queries_from);
  float* head_mean = mean + int64_t(slice.head) * rows;
  float* head_sums = inverse_sums + int64_t(slice.head) * b.tokens;
  AdjointQueriesRule<Precision, WIDTH, VECTOR, CAPPED> rule = {
      b, column, dout, dout_stride, dqkv, dqkv_stride, head_mean, head_sums, 1, query_row};
  for_queries<Precision, WIDTH, VECTOR>(primal, b, slice, column, i0, column.first, last_query, rule);
}

// A warp has one column and 16 keys and goes over the queries that see them. P' [16, 32] is shared by the block's columns. Blocks are
// of two kinds, for dk and for dv, so that a warp holds one result.
template <class Precision, int WIDTH, bool VECTOR>
__device__ __forceinline__ void attention_adjoint_keys_block(
    const Primal& primal,
    const Batch& b,
    const float* dout,
    int dout_stride,
    float* dqkv,
    int dqkv_stride,
    const float* mean,
    int rows,
    const float* inverse_sums) {
  DYNAMIC_SHARED(float, shared);
  bool for_keys = blockIdx.y % 2 == 0;
  Slice slice = slice_of<WIDTH>(b, blockIdx.y / 2);
  int j0 = blockIdx.x * OWN_TOKENS;
  Column widest = column_of(b, 0);
  if (min(widest.last, j0 + OWN_TOKENS - 1) < max(widest.first, j0)) return;
  Column column = column_of(b, warp_index());
  bool mine = max(column.first, j0) <= min(column.last, j0 + OWN_TOKENS - 1);

  int g = lane_row(), t = lane_column(), lane = threadIdx.x % WARP, chunk = chunks(b.head_width) * CHUNK_STRIDE;
  float* keys = shared;
  float* values = keys + OWN_TOKENS * chunk;
  float* queries = values + OWN_TOKENS * chunk;
  float* shared_weights = queries + SPAN * chunk;
  fill<Precision, VECTOR, OWN_TOKENS>(
      {keys, values},
      {part_of(primal.qkv, primal.stride, b, 1, slice.head), part_of(primal.qkv, primal.stride, b, 2, slice.head)}, j0, b);

  const float* log_sum_exp = primal.log_sum_exp + int64_t(slice.head) * b.tokens;
  const float* head_sums = inverse_sums + int64_t(slice.head) * b.tokens;
  Part own = part_of(dout, dout_stride, b, 0, slice.head);
  Sums<WIDTH> sums;
  sums.clear();
  int last_query = min(widest.last, j0 + OWN_TOKENS - 2 + b.window);  // of those that see one of the keys
  for (int i0 = max(j0, b.queries_from); i0 <= last_query; i0 += SPAN) {
    __syncthreads();
    fill<Precision, VECTOR, SPAN>({queries}, {part_of(primal.qkv, primal.stride, b, 0, slice.head)}, i0, b);
    __syncthreads();
    fill_weights<Precision, true>(shared_weights, keys, queries, b, [&](int r, int query, float score) {
      int i = i0 + query, j = j0 + g + 8 * r;
      // Other queries have no column, and no sum of their row was written.
      bool seen = b.sees(i, j) && i >= widest.first && i <= widest.last;
      float p = seen ? weight_of(b, b.cap > 0, score, log_sum_exp[i]) * head_sums[i] : 0;
      return b.cap > 0 && for_keys ? p * soft_cap_slope(b.scale * score, b.cap) : p;
    });
    int live = mine ? column.last + 1 - i0 : 0;  // queries that the column has
    bool now = live > 0;
    int row = now ? column.row(b, i0 + lane, b.queries_from) : -1;
    float e[TILES][4] = {};
    if (now && for_keys) {
      add_column_scores<Precision, VECTOR>(e, TileRows<OWN_TOKENS>(values), own, row, b.head_width, live);
    }
    __syncthreads();

    if (!now) continue;
    Weights weights(shared_weights);
    if (for_keys) {
      float m = row < 0 ? 0 : mean[int64_t(slice.head) * rows + row];  // of query i0 + lane
#pragma unroll
      for (int n = 0; n < TILES; n++) {
        float m0 = __shfl_sync(FULL_WARP, m, 8 * n + 2 * t), m1 = __shfl_sync(FULL_WARP, m, 8 * n + 2 * t + 1);
        float4 p = weights.get(n);
        e[n][0] = p.x * (e[n][0] - m0), e[n][1] = p.y * (e[n][1] - m1);
        e[n][2] = p.z * (e[n][2] - m0), e[n][3] = p.w * (e[n][3] - m1);
      }
      add_sums<Precision>(sums, HeldScores{e}, TileTerms<SPAN>(queries, slice.from), slice.width, live);
    } else {
      ColumnTerms<VECTOR> terms = {own, row, slice.from, slice.from + slice.width};
      add_sums<Precision>(sums, weights, terms, slice.width, live);
    }
  }

#pragma unroll
  for (int r = 0; r < 2; r++) {
    int row = column.row(b, j0 + g + 8 * r, 0);
    if (row < 0) continue;
    float* to = dqkv + int64_t(row) * dqkv_stride + part_offset(b, for_keys ? 1 : 2, slice.head) + slice.from;
    store_row<VECTOR>(to, sums, r, slice.width, for_keys ? b.scale : 1, 0, nullptr);
  }
}

#define DEFINE_ATTENTION_ADJOINT(side, Mean, name, Precision, WIDTH, BLOCKS, ...)                                                      \
  extern "C" __global__ void __launch_bounds__(ATTENTION_THREADS, BLOCKS) name(                                                        \
      const float* qkv, int qkv_stride, const float* log_sum_exp, const float* dout, int dout_stride, const int* start,                \
      const int* first, const int* last, float* dqkv, int dqkv_stride, Mean mean, int rows, Mean inverse_sums, int tokens,             \
      int columns, int heads, int head_width, float scale, int window, float cap, int queries_from, int first_column) {                \
    Primal primal = {qkv, qkv_stride, log_sum_exp};                                                                                    \
    Batch batch = {start, first, last, tokens, columns, heads, head_width, scale, window, cap, queries_from, first_column};            \
    attention_adjoint_##side##_block<Precision, WIDTH, __VA_ARGS__>(                                                                   \
        primal, batch, dout, dout_stride, dqkv, dqkv_stride, mean, rows, inverse_sums);                                                \
  }                                                                                                                                    \
  REGISTER_KERNEL(name)

DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_fp32_64, Fp32, 64, 2, true, false)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_fp32_128, Fp32, 128, 1, true, false)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_fp32_any, Fp32, 64, 1, false, false)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_tf32_64, Tf32, 64, 2, true, false)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_tf32_128, Tf32, 128, 1, true, false)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_tf32_any, Tf32, 64, 1, false, false)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_capped_fp32_64, Fp32, 64, 2, true, true)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_capped_fp32_128, Fp32, 128, 1, true, true)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_capped_fp32_any, Fp32, 64, 1, false, true)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_capped_tf32_64, Tf32, 64, 2, true, true)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_capped_tf32_128, Tf32, 128, 1, true, true)
DEFINE_ATTENTION_ADJOINT(queries, float*, attention_adjoint_queries_capped_tf32_any, Tf32, 64, 1, false, true)
DEFINE_ATTENTION_ADJOINT(keys, const float*, attention_adjoint_keys_fp32_64, Fp32, 64, 2, true)
DEFINE_ATTENTION_ADJOINT(keys, const float*, attention_adjoint_keys_fp32_128, Fp32, 128, 1, true)
DEFINE_ATTENTION_ADJOINT(keys, const float*, attention_adjoint_keys_fp32_any, Fp32, 64, 1, false)
DEFINE_ATTENTION_ADJOINT(keys, const float*, attention_adjoint_keys_tf32_64, Tf32, 64, 2, true)
DEFINE_ATTENTION_ADJOINT(keys, const float*, attention_adjoint_keys_tf32_128, Tf32, 128, 1, true)
DEFINE_ATTENTION_ADJOINT(keys, const float*, attention_adjoint_keys_tf32_any, Tf32, 64, 1, false)

#undef DEFINE_ATTENTION_ADJOINT
