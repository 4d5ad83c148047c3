// The two products that attention is made of: scores, which are sums over head elements, and sums over tokens. The forward pass's side
// of a product comes from tiles in shared memory, a column's side from device memory straight into registers.
#pragma once
#include "attention.cuh"

// ---- Tiles of ROWS = 16 or 32 tokens in shared memory, in chunks of 32 head elements: element d of a token stands at
// (d / 32) ROWS CHUNK_STRIDE + (the token's place) CHUNK_STRIDE + d % 32. Elements from head_width on are zero.
//
// Scores read rows g of 8 with elements 4t.., sums over tokens read rows 2t and 2t + 1 of 8 with elements 4g... Both are free of bank
// conflicts when row 8n + g of a tile has the place slot(g) + block_of_slots(n).
enum { CHUNK = 32, CHUNK_STRIDE = CHUNK + 4 };

__device__ __forceinline__ int slot(int g) { return g % 2 == 0 ? g : 8 + (g + 3) % 8; }
__device__ __forceinline__ constexpr int block_of_slots(int n) { return n % 2 + n / 2 * 16; }
__device__ __forceinline__ int chunks(int head_width) { return (head_width + CHUNK - 1) / CHUNK; }

template <class Precision>
__device__ __forceinline__ void keep4(float* to, const float4& x) {
  *reinterpret_cast<float4*>(to) = make_float4(kept<Precision>(x.x), kept<Precision>(x.y), kept<Precision>(x.z), kept<Precision>(x.w));
}

// Tokens first..first + ROWS - 1 of one or two parts of the forward pass into a tile each; tokens past the end are zero.
template <class Precision, bool VECTOR, int ROWS, int PARTS>
__device__ __forceinline__ void fill(float* const (&tiles)[PARTS], const Part (&parts)[PARTS], int first, const Batch& b) {
  int r = threadIdx.x / 8;
  if (r >= ROWS) return;
  int end = first + r < b.tokens ? b.head_width : 0;
  int d = threadIdx.x % 8 * 4, at = (slot(r % 8) + block_of_slots(r / 8)) * CHUNK_STRIDE + d;
#pragma unroll 2
  for (int chunk = 0; chunk < chunks(b.head_width); chunk++) {
    float4 x[PARTS];
#pragma unroll
    for (int p = 0; p < PARTS; p++) x[p] = load4<VECTOR>(parts[p].row(first + r), d + chunk * CHUNK, end);
#pragma unroll
    for (int p = 0; p < PARTS; p++) keep4<Precision>(tiles[p] + chunk * ROWS * CHUNK_STRIDE + at, x[p]);
  }
}

// ---- Scores: sums over head elements. A chunk of 16 is two steps of the hardware's 8; which element stands in which place is free
// as long as both operands agree, so lane t takes the elements 4t..4t+3: x, y in the first step, z, w in the second.

// Rows g + 8n of a tile in shared memory.
template <int ROWS>
struct TileRows {
  enum { KEPT = true };
  const float* at;

  __device__ __forceinline__ explicit TileRows(const float* tile) : at(tile + slot(lane_row()) * CHUNK_STRIDE) {}
  __device__ __forceinline__ float4 get(int n, int d) const {
    return *reinterpret_cast<const float4*>(at + (d / CHUNK * ROWS + block_of_slots(n)) * CHUNK_STRIDE + d % CHUNK);
  }
};

// Rows g + 8n, for n < N, of a column in device memory. Rows that it does not have end at 0: they count as zero and are not read.
template <int N, bool VECTOR>
struct ColumnRows {
  enum { KEPT = false };
  const float* row[N];
  int end[N];

  __device__ __forceinline__ float4 get(int n, int d) const { return load4<VECTOR>(row[n], d, end[n]); }
};

// row_of_lane: lane l's is the row of the matrix that stands at row l of the operand, -1 for none. From row 8 n0 of it on.
template <int N, bool VECTOR>
__device__ __forceinline__ ColumnRows<N, VECTOR> column_rows(const Part& part, int row_of_lane, int n0, int width) {
  ColumnRows<N, VECTOR> rows;
#pragma unroll
  for (int n = 0; n < N; n++) {
    int r = __shfl_sync(FULL_WARP, row_of_lane, lane_row() + 8 * (n0 + n));
    rows.row[n] = anew(part.row(r));
    rows.end[n] = anew(r >= 0 ? width : 0);
  }
  return rows;
}

// s [16, 8 N] += left [16, h] right' [h, 8 N].
template <class Precision, int N, bool SWAPPED = false, class Left, class Right>
__device__ __forceinline__ void add_scores(float (*s)[4], const Left& a, const Right& b, int head_width) {
  // Loads of two turns at once would need more registers than two blocks a processor leave; the other warps fill the wait.
#pragma unroll 1
  for (int chunk = 0; chunk < head_width; chunk += 16) {
    int d = chunk + 4 * lane_column();
    float4 x = a.get(0, d), y = a.get(1, d), z[N];
#pragma unroll
    for (int n = 0; n < N; n++) z[n] = b.get(n, d);
    auto a0 = left<Precision, Left::KEPT>(x.x, y.x, x.y, y.y);
    auto a1 = left<Precision, Left::KEPT>(x.z, y.z, x.w, y.w);
#pragma unroll
    for (int n = 0; n < N; n++) {
      auto b0 = right<Precision, Right::KEPT>(z[n].x, z[n].y);
      auto b1 = right<Precision, Right::KEPT>(z[n].z, z[n].w);
      multiply_add<SWAPPED>(s[n], a0, b0, a1, b1);
    }
  }
}

// The same for the first `live` of SPAN tokens of a tile on the right, by halves: short prompts end in the first.
template <class Precision, class Left, class Right>
__device__ __forceinline__ void add_scores(float (&s)[TILES][4], const Left& a, const Right& b, int head_width, int live) {
  if (live > SPAN / 2) {
    add_scores<Precision, TILES>(s, a, b, head_width);
  } else {
    add_scores<Precision, TILES / 2>(s, a, b, head_width);
  }
}

// How many times 8 rows of a column on the right are read at once: as many as there are registers for.
template <class Precision>
__device__ constexpr int rows_at_once() {
  return Precision::PARTS == 1 ? TILES : TILES / 2;
}

// The same for the first `live` rows of a column on the right.
template <class Precision, bool VECTOR, class Left>
__device__ __forceinline__ void add_column_scores(
    float (&s)[TILES][4], const Left& a, const Part& part, int row_of_lane, int head_width, int live) {
  constexpr int N = rows_at_once<Precision>();
#pragma unroll
  for (int n = 0; n < TILES; n += N) {
    if (8 * n >= live) break;
    add_scores<Precision, N>(s + n, a, column_rows<N, VECTOR>(part, row_of_lane, n, head_width), head_width);
  }
}

// ---- Sums over tokens. What a lane holds of a product [16, 32] is at once the left operand of the next one, if column 2t of each 8 is
// taken as the operand's column t and 2t + 1 as t + 4. Lane (g, t) then reads rows 2t and 2t + 1 of each 8 on the right, their elements
// 4g..4g+3, one for each of 4 products: result n of 4 has element 4 (2t) + n of 32 in its column 2t and 4 (2t + 1) + n in 2t + 1. So a
// lane holds elements 8t..8t+7 of the rows g and g + 8.

template <int WIDTH>
struct Sums {
  enum { PARTS = WIDTH / CHUNK };
  float x[PARTS][4][4];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int p = 0; p < PARTS; p++)
      for (int n = 0; n < 4; n++)
        for (int i = 0; i < 4; i++) x[p][n][i] = 0;
  }

  // Elements 32 p + 8 t + 4 half .. + 3 of row g + 8 r.
  __device__ __forceinline__ float4 get(int p, int r, int half) const {
    int i = 2 * r + half;
    return make_float4(x[p][0][i], x[p][1][i], x[p][2][i], x[p][3][i]);
  }
};

// Rows 8n + 2t + odd of a tile in shared memory, from element `from` on, the first of a chunk.
template <int ROWS>
struct TileTerms {
  enum { KEPT = true };
  const float *even, *odd;

  __device__ __forceinline__ TileTerms(const float* tile, int from) {
    int t = lane_column(), at = from / CHUNK * ROWS * CHUNK_STRIDE + 4 * lane_row();
    even = tile + at + slot(2 * t) * CHUNK_STRIDE;
    odd = tile + at + slot(2 * t + 1) * CHUNK_STRIDE;
  }
  struct Row {
    const float* at;
    __device__ __forceinline__ float4 get(int p) const { return *reinterpret_cast<const float4*>(at + p * ROWS * CHUNK_STRIDE); }
  };
  __device__ __forceinline__ Row row(int n, int is_odd) const { return {(is_odd ? odd : even) + block_of_slots(n) * CHUNK_STRIDE}; }
};

// The same rows of a column in device memory, elements from..end-1; zero where it has none.
template <bool VECTOR>
struct ColumnTerms {
  enum { KEPT = false };
  Part part;
  int row_of_lane, from, end;

  struct Row {
    const float* at;
    int d, end;
    __device__ __forceinline__ float4 get(int p) const { return load4<VECTOR>(at, d + CHUNK * p, end); }
  };
  __device__ __forceinline__ Row row(int n, int is_odd) const {
    int r = __shfl_sync(FULL_WARP, row_of_lane, 8 * n + 2 * lane_column() + is_odd);
    return {part.row(r), from + 4 * lane_row(), r >= 0 ? end : 0};
  }
};

// What a lane holds of the left operand's columns 8n..8n+7: of a product in registers, or of P in shared memory.
struct HeldScores {
  const float (&x)[TILES][4];
  __device__ __forceinline__ float4 get(int n) const { return make_float4(x[n][0], x[n][1], x[n][2], x[n][3]); }
};

struct Weights {
  const float* at;

  __device__ __forceinline__ explicit Weights(const float* p) : at(p + lane_row() * WEIGHT_STRIDE + 2 * lane_column()) {}
  __device__ __forceinline__ float4 get(int n) const {
    float2 x = *reinterpret_cast<const float2*>(at + 8 * n), y = *reinterpret_cast<const float2*>(at + 8 * WEIGHT_STRIDE + 8 * n);
    return make_float4(x.x, x.y, y.x, y.y);
  }
};

template <class Precision>
__device__ __forceinline__ Fragment<Precision, 4> left_of_product(const float4& x) {
  return left<Precision, false>(x.x, x.z, x.y, x.w);
}

// sums [16, width] += a [16, 32] terms [32, width]; the columns of a from `live` on are zero.
template <class Precision, int WIDTH, class Left, class Terms>
__device__ __forceinline__ void add_sums(Sums<WIDTH>& sums, const Left& a, const Terms& terms, int width, int live) {
#pragma unroll
  for (int n = 0; n < TILES; n += 2) {
    if (8 * n >= live) break;
    auto a0 = left_of_product<Precision>(a.get(n)), a1 = left_of_product<Precision>(a.get(n + 1));
    auto r0 = terms.row(n, 0), r1 = terms.row(n, 1), r2 = terms.row(n + 1, 0), r3 = terms.row(n + 1, 1);
#pragma unroll
    for (int p = 0; p < Sums<WIDTH>::PARTS; p++) {
      if (CHUNK * p >= width) break;
      float4 x0 = r0.get(p), x1 = r1.get(p), x2 = r2.get(p), x3 = r3.get(p);
#pragma unroll
      for (int k = 0; k < 4; k++) {
        auto b0 = right<Precision, Terms::KEPT>(component(x0, k), component(x1, k));
        auto b1 = right<Precision, Terms::KEPT>(component(x2, k), component(x3, k));
        multiply_add(sums.x[p][k], a0, b0, a1, b1);
      }
    }
  }
}

// Row g + 8 r of a result, less `shift` times a row of a tile of 16 in shared memory if there is one, times `factor`; `to` is the
// slice's element 0.
template <bool VECTOR, int WIDTH>
__device__ __forceinline__ void store_row(
    float* to, const Sums<WIDTH>& sums, int r, int width, float factor, float shift, const float* subtract) {
#pragma unroll
  for (int p = 0; p < Sums<WIDTH>::PARTS; p++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int at = 8 * lane_column() + 4 * half, d = CHUNK * p + at;
      if (d >= width) continue;
      float4 x = sums.get(p, r, half);
      if (subtract != nullptr) {
        float4 y = *reinterpret_cast<const float4*>(subtract + p * OWN_TOKENS * CHUNK_STRIDE + at);
        x = make_float4(x.x - shift * y.x, x.y - shift * y.y, x.z - shift * y.z, x.w - shift * y.w);
      }
      store4<VECTOR>(to, d, width, make_float4(factor * x.x, factor * x.y, factor * x.z, factor * x.w));
    }
  }
}

// ---- P of a tile [16, 32] up to a factor a query, by the block's first 4 warps, 8 columns each; weight(row, column, score) is its value,
// where row is 0 for the tile's row g and 1 for g + 8.
//
// P is made again from the logarithm of its denominator, exp(s - log_sum_exp). For scores of 10^4 that logarithm has no more than three
// digits after the point, so that a row sums to 1.001: P (e - sum of P e) would be left with a thousandth of e. So every user divides
// by the sum of the row as it was made. That is exact when all kernels find the same bits for a score: hence SWAPPED, for tiles of
// keys times queries, and a product that the compiler may not fuse with what follows.
__device__ __forceinline__ float weight_of(const Batch& b, bool capped, float score, float log_sum_exp) {
  float s = __fmul_rn(b.scale, score);
  if (capped) s = soft_cap(s, b.cap);
  return expf(s - log_sum_exp);
}

template <class Precision, bool SWAPPED, class Weight>
__device__ __forceinline__ void fill_weights(float* p, const float* left_tile, const float* right_tile, const Batch& b, Weight weight) {
  int w = warp_index(), g = lane_row(), t = lane_column();
  if (w >= TILES) return;
  float s[1][4] = {};
  TileRows<SPAN> eight(right_tile + block_of_slots(w) * CHUNK_STRIDE);
  add_scores<Precision, 1, SWAPPED>(s, TileRows<OWN_TOKENS>(left_tile), eight, b.head_width);
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float2 pair = make_float2(weight(r, 8 * w + 2 * t, s[0][2 * r]), weight(r, 8 * w + 2 * t + 1, s[0][2 * r + 1]));
    *reinterpret_cast<float2*>(p + (g + 8 * r) * WEIGHT_STRIDE + 8 * w + 2 * t) = pair;
  }
}
