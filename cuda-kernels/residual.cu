// Additions to the residual stream.
#include "quads.cuh"

// x += bias, in every row.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) add_bias(
    float* __restrict__ x,  // [R, n]
    int x_stride,
    const float* __restrict__ bias,  // [n]
    int rows,
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  known(width % QUAD == 0 && rows_aligned(bias, 0) && rows_aligned(x, x_stride), [&](auto aligned) {
    const Quad b = load_quad(aligned, bias, column, width);
    Quad sum[SLOTS];
    each_row<SLOTS>(
        rows, [&](long long row, int k) { sum[k] = load_quad(aligned, x + row * x_stride, column, width); },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) sum[k].v[j] += b.v[j];
          store_quad(aligned, sum[k], x + row * x_stride, column, width);
        });
  });
}
REGISTER_KERNEL(add_bias)

// sum = x + y + bias; sum may be x. The branch is summed first: the stream is the largest number here, and each addition to it rounds by its size.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) add_branch(
    const float* __restrict__ y,  // [R, n]
    int y_stride,
    const float* __restrict__ bias,  // [n]
    const float* x,  // [R, n]
    int x_stride,
    float* sum,  // [R, n]
    int sum_stride,
    int rows,
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(y, y_stride) && rows_aligned(bias, 0) && rows_aligned(x, x_stride) &&
                     rows_aligned(sum, sum_stride);
  known(whole, [&](auto aligned) {
    const Quad b = load_quad(aligned, bias, column, width);
    Quad branch[SLOTS], stream[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          branch[k] = load_quad(aligned, y + row * y_stride, column, width);
          stream[k] = load_quad(aligned, x + row * x_stride, column, width);
        },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) stream[k].v[j] += branch[k].v[j] + b.v[j];
          store_quad(aligned, stream[k], sum + row * sum_stride, column, width);
        });
  });
}
REGISTER_KERNEL(add_branch)
