// What the attention kernels share: which columns, tokens and head elements a block works on, and how rows are read and written. The
// products are in attention_products.cuh. Notation: i queries, j keys, d head elements, c columns of a batch.
//
// A warp works on one column of one head and on OWN_TOKENS = 16 tokens, its left operand's rows; it goes over the other side's tokens
// SPAN = 32 at a time. A block is 256 threads = 8 warps = 8 columns, so that everything that belongs to the forward pass alone, P first
// of all, is loaded or computed once for 8 columns. Results of a column depend on no other column.
//
// The suffix of a kernel's name, WIDTH = 64 or 128, is how many elements of a result row a warp holds in registers: 64 lets two blocks
// share a processor. Wider heads are cut into slices = ceil(head_width / WIDTH), which repeat the scores, so any head width works as
// long as its tiles fit in shared memory. Blocks have 256 threads; grids, with tiles = ceil(tokens / 16) and seen = tiles -
// queries_from / 16:
//
//   kernel                      x        y                      z
//   attention                   seen     heads * slices         ceil(columns / 8)
//   attention_tangent           seen     heads * slices         ceil(columns / 8)
//   attention_scored_tangent    seen     heads * slices         ceil(columns / 8)
//   attention_curvature         seen     heads * slices         ceil(columns / 8)
//   attention_adjoint_queries   tiles    heads * slices         ceil(columns / 8)
//   attention_adjoint_keys      tiles    heads * slices * 2     ceil(columns / 8)
//
// Blocks begin in the order of x, then y: what a tile reads of its columns' keys and values the next tile finds in the cache. Where z would
// be above 65535, several launches have some columns each, from first_column on.
//
// WIDTH kernels load 16 bytes at a time: head_width and all strides are multiples of 4, matrices begin at multiples of 16 bytes. Where
// that does not hold, the kernels whose name ends in `any` (WIDTH = 64) load element by element.
//
// Dynamic shared memory in bytes: none for attention, for the others 4 (2880 ceil(head_width / 32) + 704 + 18 WIDTH), and 2560 more where
// scores have a soft cap, twice that for the curvature.
#pragma once
#include "mma.cuh"

enum {
  ATTENTION_WARPS = 8,
  ATTENTION_THREADS = ATTENTION_WARPS * WARP,
  OWN_TOKENS = 16,
  SPAN = 32,
  TILES = SPAN / 8,            // column tiles of a [16, 32] product: what a lane holds of it is float[TILES][4]
  WEIGHT_STRIDE = SPAN + 8,    // of P in shared memory
};

__device__ __forceinline__ int warp_index() { return threadIdx.x / WARP; }
__device__ __forceinline__ int lane_row() { return threadIdx.x % WARP / 4; }     // g of mma.cuh
__device__ __forceinline__ int lane_column() { return threadIdx.x % 4; }        // t of mma.cuh

// Queries, keys or values of one head: `at` is its element (0, 0).
struct Part {
  const float* at;
  int stride;

  __device__ __forceinline__ const float* row(int r) const { return at + int64_t(r) * stride; }
};

// The forward pass: qkv [T, 3D], log_sum_exp [H, T].
struct Primal {
  const float* qkv;
  int stride;
  const float* log_sum_exp;
};

// A ragged batch and the attention it goes through.
struct Batch {
  const int* start;
  const int* first;
  const int* last;
  int tokens, columns, heads, head_width;
  float scale;
  int window;  // how many keys a query sees, its own included; at most `tokens`, which is all of them
  float cap;   // c, a scaled score s becomes c tanh(s / c); 0 for none, which costs a branch that all blocks take alike
  int queries_from;
  int first_column;  // of the launch

  // The first key that query i sees, and none after it sees an earlier one: tiles of keys begin there.
  __device__ __forceinline__ int first_key(int i) const { return max(0, i + 1 - window); }

  // Whether query i sees key j: 0 <= i - j < window, in one comparison.
  __device__ __forceinline__ bool sees(int i, int j) const { return unsigned(i - j) < unsigned(window); }
};

// Where part 0, 1 or 2 (q, k, v) of a head begins in a row of 3D; part 0 also in a row of D.
__device__ __forceinline__ int64_t part_offset(const Batch& b, int part, int head) {
  return (int64_t(part) * b.heads + head) * b.head_width;
}

__device__ __forceinline__ Part part_of(const float* matrix, int stride, const Batch& b, int part, int head) {
  return {matrix + part_offset(b, part, head), stride};
}

// The head of a block and the slice of its elements that the block's results are.
struct Slice {
  int head, from, width;
};

template <int WIDTH>
__device__ __forceinline__ Slice slice_of(const Batch& b, int place) {
  int slices = (b.head_width + WIDTH - 1) / WIDTH, from = place % slices * WIDTH;
  return {place / slices, from, min(WIDTH, b.head_width - from)};
}

// c tanh(s / c). Never fused with what follows: all kernels must find the same bits.
__device__ __forceinline__ float soft_cap(float s, float cap) { return __fmul_rn(cap, tanhf(s / cap)); }

// Its derivative 1 - tanh(s / c)^2. Of e = exp(-2 |s| / c), which keeps the digits that 1 - tanh^2 would lose where the cap is near.
__device__ __forceinline__ float soft_cap_slope(float s, float cap) {
  float e = expf(-2 * fabsf(s) / cap);
  return 4 * e / ((1 + e) * (1 + e));
}

// One column; it is alive nowhere where the block has fewer columns than warps.
struct Column {
  int c, first, last;

  // The row of the column at a token, -1 where it has none or where the token is before `from`.
  __device__ __forceinline__ int row(const Batch& b, int token, int from) const {
    return token >= first && token >= from && token <= last ? b.start[token] + c : -1;
  }
};

__device__ __forceinline__ Column column_at(const Batch& b, int c) {
  if (c >= b.columns) return {c, b.tokens, -1};
  return {c, b.first[c], b.last[c]};
}

// The block's column number `warp`.
__device__ __forceinline__ Column column_of(const Batch& b, int warp) {
  return column_at(b, b.first_column + int(blockIdx.z) * ATTENTION_WARPS + warp);
}

// Up to 4 elements, zero after `count`. The way of shapes that nobody runs for speed: a loop that is not unrolled leaves the registers to
// the other one. All lanes of a warp come here together.
__device__ __forceinline__ float4 load_scalars(const float* x, int count) {
  float4 found = make_float4(0, 0, 0, 0);
#pragma unroll 1
  for (int i = min(count, 4) - 1; i >= 0; i--) {  // each in x, what was there moves on
    found.w = found.z, found.z = found.y, found.y = found.x, found.x = x[i];
  }
  __syncwarp();  // lanes leave the loop at different turns, and products of the whole warp follow
  return found;
}

// Elements d..d+3 of a row, zero from `end` on, which is 0 where there is no row. With VECTOR d and end are multiples of 4 and the row is
// aligned: one predicated load and no branch, so that many are under way at once.
template <bool VECTOR>
__device__ __forceinline__ float4 load4(const float* row, int d, int end) {
  if (!VECTOR) return load_scalars(row + d, end - d);
  float4 x = make_float4(0, 0, 0, 0);
#ifdef __CUDACC__
  asm("{\n\t.reg .pred there;\n\t"
      "setp.lt.s32 there, %5, %6;\n\t"
      "mov.f32 %0, 0f00000000;\n\tmov.f32 %1, 0f00000000;\n\tmov.f32 %2, 0f00000000;\n\tmov.f32 %3, 0f00000000;\n\t"
      "@there ld.global.nc.v4.f32 {%0, %1, %2, %3}, [%4];\n\t}"
      : "=&f"(x.x), "=&f"(x.y), "=&f"(x.z), "=&f"(x.w)
      : "l"(row + d), "r"(d), "r"(end));
#else
  if (d < end) x = *reinterpret_cast<const float4*>(row + d);
#endif
  return x;
}

template <bool VECTOR>
__device__ __forceinline__ void store4(float* row, int d, int end, float4 x) {
  if (VECTOR) {
    if (d < end) *reinterpret_cast<float4*>(row + d) = x;
  } else {
    if (d < end) row[d] = x.x;
    if (d + 1 < end) row[d + 1] = x.y;
    if (d + 2 < end) row[d + 2] = x.z;
    if (d + 3 < end) row[d + 3] = x.w;
  }
}

__device__ __forceinline__ float component(const float4& x, int i) { return i == 0 ? x.x : i == 1 ? x.y : i == 2 ? x.z : x.w; }

// Sum over the 4 lanes that hold parts of one row of a product.
__device__ __forceinline__ float row_sum(float x) {
  x += __shfl_xor_sync(FULL_WARP, x, 1);
  return x + __shfl_xor_sync(FULL_WARP, x, 2);
}
