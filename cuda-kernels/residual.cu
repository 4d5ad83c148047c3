// Additions to the residual stream, and columns that are scaled on the way.
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

// sum = x + y + bias; sum may be x. The branch is summed first: the stream is the largest number here, and each addition to it rounds by
// its size. Where a table of rows is given, row i of y goes to the row that it names of x and of sum.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) add_branch(
    const float* __restrict__ y,  // [R, n]
    int y_stride,
    const float* __restrict__ bias,  // [n], or null for none
    const float* x,  // [R, n], or more rows
    int x_stride,
    float* sum,  // as x
    int sum_stride,
    const int* __restrict__ row_of,  // [R], or null for row i; no row occurs twice
    int rows,
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(y, y_stride) && rows_aligned(bias, 0) && rows_aligned(x, x_stride) &&
                     rows_aligned(sum, sum_stride);  // a null bias is aligned
  known(whole, [&](auto aligned) {
    const Quad b = bias == nullptr ? Quad() : load_quad(aligned, bias, column, width);
    long long at[SLOTS];
    Quad branch[SLOTS], stream[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          at[k] = row_of == nullptr ? row : row_of[row];
          branch[k] = load_quad(aligned, y + row * y_stride, column, width);
          stream[k] = load_quad(aligned, x + at[k] * x_stride, column, width);
        },
        [&](long long, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) stream[k].v[j] += branch[k].v[j] + b.v[j];
          store_quad(aligned, stream[k], sum + at[k] * sum_stride, column, width);
        });
  });
}
REGISTER_KERNEL(add_branch)

// y = x diag(factors); y may be x.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) scale_columns(
    const float* x,  // [R, n]
    int x_stride,
    const float* __restrict__ factors,  // [n], or null for ones
    float* y,  // [R, n]
    int y_stride,
    int rows,
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(x, x_stride) && rows_aligned(factors, 0) && rows_aligned(y, y_stride);
  known(whole, [&](auto aligned) {
    Quad by = {{1, 1, 1, 1}}, value[SLOTS];
    if (factors != nullptr) by = load_quad(aligned, factors, column, width);
    each_row<SLOTS>(
        rows, [&](long long row, int k) { value[k] = load_quad(aligned, x + row * x_stride, column, width); },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) value[k].v[j] *= by.v[j];
          store_quad(aligned, value[k], y + row * y_stride, column, width);
        });
  });
}
REGISTER_KERNEL(scale_columns)
