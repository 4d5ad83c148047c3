// How the row kernels share out a matrix: thread i of a block holds the quad of columns 4i..4i+3, and the quads a block's width
// further on; a block takes consecutive rows. The launch (README.md) is a formula of rows and width, yet every kernel is right for
// any grid.x, and for any block of whole warps up to ROW_THREADS: it reads gridDim and blockDim.
//
// A quad is one 16-byte access where pointers, strides and width are multiples of four elements, else four guarded ones. Which
// thread holds which column is the same both ways, so sums have the same bits however a matrix happens to be aligned.
#pragma once

#include "common.cuh"

enum { QUAD = 4, ROW_THREADS = 256, ROW_WARPS = ROW_THREADS / WARP };

struct Quad {
  float v[QUAD];
};

// Whether each row of `matrix` begins at a 16-byte boundary.
__device__ __forceinline__ bool rows_aligned(const void* matrix, int stride) {
  return reinterpret_cast<uintptr_t>(matrix) % sizeof(float4) == 0 && stride % QUAD == 0;
}

// A condition that is known when the kernel is compiled.
template <bool VALUE>
struct Known {
  static constexpr bool value = VALUE;
};

// Runs `body` compiled for the value that a condition, the same in the whole grid, has.
template <class Body>
__device__ __forceinline__ void known(bool condition, Body body) {
  if (condition) {
    body(Known<true>());
  } else {
    body(Known<false>());
  }
}

// The columns from `column` on of one row; zeros past its width. Neither a row's padding nor other rows are touched.
template <bool ALIGNED>
__device__ __forceinline__ Quad load_quad(Known<ALIGNED>, const float* row, int column, int width) {
  Quad q = {};
  if (ALIGNED) {
    if (column < width) {
      const float4 f = *reinterpret_cast<const float4*>(row + column);
      q.v[0] = f.x, q.v[1] = f.y, q.v[2] = f.z, q.v[3] = f.w;
    }
  } else {
#pragma unroll
    for (int j = 0; j < QUAD; j++) {
      if (column + j < width) q.v[j] = row[column + j];
    }
  }
  return q;
}

template <bool ALIGNED>
__device__ __forceinline__ void store_quad(Known<ALIGNED>, const Quad& q, float* row, int column, int width) {
  if (ALIGNED) {
    if (column < width) *reinterpret_cast<float4*>(row + column) = make_float4(q.v[0], q.v[1], q.v[2], q.v[3]);
  } else {
#pragma unroll
    for (int j = 0; j < QUAD; j++) {
      if (column + j < width) row[column + j] = q.v[j];
    }
  }
}

// The first column of this thread's quad `k` where one block spans the whole row.
__device__ __forceinline__ int quad_column(int k) { return QUAD * (k * int(blockDim.x) + int(threadIdx.x)); }

// The first column of this thread's quad where blocks in y share a row.
__device__ __forceinline__ int element_column() { return quad_column(blockIdx.y); }

// The consecutive rows of this block: from (inclusive) to (exclusive).
struct RowRange {
  long long from, to;

  __device__ __forceinline__ explicit RowRange(int rows) {
    const unsigned each = (unsigned(rows) + gridDim.x - 1) / gridDim.x;
    from = (long long)blockIdx.x * each;
    to = from + each < rows ? from + each : rows;
  }
};

// Element kernels: load(row, k) and store(row, k) take a row of this block to and from slot k. SLOTS rows are asked for before the
// first is worked on, so that their loads are in flight together.
template <int SLOTS, class Load, class Store>
__device__ __forceinline__ void each_row(int rows, Load load, Store store) {
  const RowRange range(rows);
  long long row = range.from;
#pragma unroll 1
  for (; row + SLOTS <= range.to; row += SLOTS) {
#pragma unroll
    for (int k = 0; k < SLOTS; k++) load(row + k, k);
#pragma unroll
    for (int k = 0; k < SLOTS; k++) store(row + k, k);
  }
#pragma unroll 1
  for (; row < range.to; row++) {
    load(row, 0);
    store(row, 0);
  }
}

// Sums over the block, in every thread, always in the same order. Calls in a row alternate between the two halves of `partial`: a warp
// may still read one while the next call writes the other.
template <class T, int N>
struct BlockSums {
  T (*partial)[ROW_WARPS][N];  // [2, ROW_WARPS, N] in shared memory
  int half = 0;

  __device__ __forceinline__ explicit BlockSums(T (*shared)[ROW_WARPS][N]) : partial(shared) {}

  __device__ __forceinline__ void operator()(T (&sums)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) sums[i] = warp_sum(sums[i]);
    const int warps = blockDim.x / WARP;
    if (warps == 1) return;
    if (threadIdx.x % WARP == 0) {
#pragma unroll
      for (int i = 0; i < N; i++) partial[half][threadIdx.x / WARP][i] = sums[i];
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < N; i++) sums[i] = partial[half][0][i];
#pragma unroll
    for (int w = 1; w < ROW_WARPS; w++) {
      if (w < warps) {
#pragma unroll
        for (int i = 0; i < N; i++) sums[i] += partial[half][w][i];
      }
    }
    half ^= 1;
  }
};

// How many quads of a row a thread holds in registers.
template <int QUADS>
struct Held {
  static constexpr int value = QUADS;
};

// One row spread over the block, thread i with its quads i, i + blockDim.x, ... With HELD > 0 they are that many registers, read once;
// with HELD 0 the row is too wide for that and is read again at each use.
template <int HELD, bool ALIGNED>
struct SpreadRow {
  Quad held[HELD > 0 ? HELD : 1] = {};
  const float* row = nullptr;
  int width = 0;

  __device__ __forceinline__ void load(const float* from, int columns) {
    row = from;
    width = columns;
#pragma unroll
    for (int k = 0; k < HELD; k++) held[k] = load_quad(Known<ALIGNED>(), row, quad_column(k), width);
  }

  __device__ __forceinline__ Quad quad(int k) const {
    return HELD > 0 ? held[HELD > 0 ? k : 0] : load_quad(Known<ALIGNED>(), row, quad_column(k), width);
  }
};

// Calls body(k) for each of this thread's quads of a row: all unrolled, k constant, when the row is held; else AHEAD at a time.
template <int HELD, int AHEAD = 1, class Body>
__device__ __forceinline__ void each_quad(int width, Body body) {
  if (HELD > 0) {
#pragma unroll
    for (int k = 0; k < HELD; k++) body(k);
  } else {
#pragma unroll AHEAD
    for (int k = 0; quad_column(k) < width; k++) body(k);
  }
}

// Runs `body` compiled for the fewest registers that hold a row of `width`; for none when MOST quads a thread, 2 or 4, do not hold it,
// or when it takes guarded accesses, whose addresses need the registers themselves.
template <int MOST = 2, class Body>
__device__ __forceinline__ void spread(int width, bool aligned, Body body) {
  const int quads = (width + QUAD * int(blockDim.x) - 1) / (QUAD * int(blockDim.x));
  if (!aligned) {
    body(Held<0>(), Known<false>());
  } else if (quads <= 1) {
    body(Held<1>(), Known<true>());
  } else if (quads == 2) {
    body(Held<2>(), Known<true>());
  } else if (MOST > 2 && quads <= MOST) {
    body(Held<MOST>(), Known<true>());
  } else {
    body(Held<0>(), Known<true>());
  }
}

// A row spread over a warp, lane l with its quads l, l + 32, ... in registers; where accesses are guarded and their addresses need the
// registers, it is read again at each use.
template <int QUADS, bool ALIGNED>
struct WarpRow {
  enum { HELD = ALIGNED ? QUADS : 0 };
  Quad held[ALIGNED ? QUADS : 1] = {};
  const float* row = nullptr;
  int width = 0;

  static __device__ __forceinline__ int column(int k) { return QUAD * (k * WARP + int(threadIdx.x % WARP)); }

  __device__ __forceinline__ void load(const float* from, int columns) {
    row = from, width = columns;
#pragma unroll
    for (int k = 0; k < HELD; k++) held[k] = load_quad(Known<ALIGNED>(), row, column(k), width);
  }

  __device__ __forceinline__ Quad quad(int k) const {
    return ALIGNED ? held[ALIGNED ? k : 0] : load_quad(Known<ALIGNED>(), row, column(k), width);
  }

  // Calls body(k) for each quad of the lane.
  template <class Body>
  static __device__ __forceinline__ void each(Body body) {
    if (ALIGNED) {
#pragma unroll
      for (int k = 0; k < QUADS; k++) body(k);
    } else {
#pragma unroll 1
      for (int k = 0; k < QUADS; k++) body(k);
    }
  }
};
