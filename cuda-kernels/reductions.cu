// One number a row, summed in double precision: the rows are many and long, and differences of these sums are read. One block a row
// at a time.
#include "quads.cuh"

namespace {

// sums[i] = the sum over row i's elements of x times other, where other(i) is a row of the same width.
template <bool ALIGNED, class Other>
__device__ __forceinline__ void dot_rows(
    const float* x, int x_stride, double* sums, int rows, int width, BlockSums<double, 1>& block_sum, Other other) {
  const Known<ALIGNED> aligned;
  const RowRange range(rows);
  for (long long i = range.from; i < range.to; i++) {
    const float* row = x + i * x_stride;
    const float* target = other(i);
    double sum[1] = {0};
    each_quad<0, 4>(width, [&](int k) {
      const Quad a = load_quad(aligned, row, quad_column(k), width);
      const Quad b = load_quad(aligned, target, quad_column(k), width);
#pragma unroll
      for (int j = 0; j < QUAD; j++) sum[0] += double(a.v[j]) * b.v[j];
    });
    block_sum(sum);
    if (threadIdx.x == 0) sums[i] = sum[0];
  }
}

}  // namespace

// The sum of squares of each row.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) squared_norms(
    const float* __restrict__ x,  // [R, n]
    int x_stride,
    double* __restrict__ sums,  // [R]
    int rows,
    int width) {
  __shared__ double partial[2][ROW_WARPS][1];
  BlockSums<double, 1> block_sum(partial);
  known(width % QUAD == 0 && rows_aligned(x, x_stride), [&](auto aligned) {
    dot_rows<decltype(aligned)::value>(x, x_stride, sums, rows, width, block_sum, [&](long long i) { return x + i * x_stride; });
  });
}
REGISTER_KERNEL(squared_norms)

// Moments of the squared norms of a group's rows at a token: their sum and, for two moments, the sum of their squares. Block (g, t); a
// warp takes every eighth row, and the warps' sums are added in their order.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) squared_norm_moments(
    const float* __restrict__ x,  // [R, n]
    int x_stride,
    const int* __restrict__ start,  // [T + 1]
    const int* __restrict__ groups,  // [G + 1]
    int moments,
    double* __restrict__ sums,  // [moments, G, T]
    int width) {
  __shared__ double partial[ROW_WARPS][2];
  const int group = blockIdx.x, token = blockIdx.y, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  const int alive = start[token + 1] - start[token];
  const int to = groups[group + 1] < alive ? groups[group + 1] : alive;
  double sum = 0, squares = 0;
  known(width % QUAD == 0 && rows_aligned(x, x_stride), [&](auto aligned) {
    for (int c = groups[group] + warp; c < to; c += warps) {
      const float* row = x + ((long long)start[token] + c) * x_stride;
      double square = 0;
#pragma unroll 4
      for (int column = QUAD * lane; column < width; column += QUAD * WARP) {
        const Quad q = load_quad(aligned, row, column, width);
#pragma unroll
        for (int j = 0; j < QUAD; j++) square += double(q.v[j]) * q.v[j];
      }
      square = warp_sum(square);
      sum += square;
      squares += square * square;
    }
  });
  if (lane == 0) {
    partial[warp][0] = sum;
    partial[warp][1] = squares;
  }
  __syncthreads();
  if (int(threadIdx.x) < moments) {
    double all = 0;
    for (int w = 0; w < warps; w++) all += partial[w][threadIdx.x];
    sums[((long long)threadIdx.x * gridDim.x + group) * gridDim.y + token] = all;
  }
}
REGISTER_KERNEL(squared_norm_moments)

// The product of each row with the row of targets that belongs to its token, or with row 0.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) dots(
    const float* __restrict__ x,  // [R, n]
    int x_stride,
    const int* __restrict__ token_of,  // [R], or null for row 0
    const float* __restrict__ targets,  // [T, n]
    int targets_stride,
    double* __restrict__ sums,  // [R]
    int rows,
    int width) {
  __shared__ double partial[2][ROW_WARPS][1];
  BlockSums<double, 1> block_sum(partial);
  known(width % QUAD == 0 && rows_aligned(x, x_stride) && rows_aligned(targets, targets_stride), [&](auto aligned) {
    dot_rows<decltype(aligned)::value>(x, x_stride, sums, rows, width, block_sum, [&](long long i) {
      return targets + (token_of == nullptr ? 0 : (long long)token_of[i] * targets_stride);
    });
  });
}
REGISTER_KERNEL(dots)
