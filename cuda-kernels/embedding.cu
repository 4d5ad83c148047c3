// x = words[index] + positions: the residual stream that enters the first block.
#include "quads.cuh"

extern "C" __global__ void __launch_bounds__(ROW_THREADS) embed(
    const float* __restrict__ words,  // [n, D]
    int words_stride,
    const int* __restrict__ index,  // [T]
    const float* __restrict__ positions,  // [T, D]
    int positions_stride,
    float* __restrict__ x,  // [T, D]
    int x_stride,
    int rows,  // T
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(words, words_stride) && rows_aligned(positions, positions_stride) &&
                     rows_aligned(x, x_stride);
  known(whole, [&](auto aligned) {
    Quad word[SLOTS], position[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          word[k] = load_quad(aligned, words + (long long)index[row] * words_stride, column, width);
          position[k] = load_quad(aligned, positions + row * positions_stride, column, width);
        },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) word[k].v[j] += position[k].v[j];
          store_quad(aligned, word[k], x + row * x_stride, column, width);
        });
  });
}
REGISTER_KERNEL(embed)
