// Rows entering a batch and leaving it: sources at rows that it has (inject and its kin), columns that it gains (grow), rows of a part
// of it (take).
#include "quads.cuh"

// Row index[i] of x becomes keep times itself plus row i of sources. With keep 0 the row is replaced without being read: it need not
// hold numbers. No index occurs twice.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) inject(
    float* __restrict__ x,  // [R, D]
    int x_stride,
    const int* __restrict__ index,  // [n]
    const float* __restrict__ sources,  // [n, D]
    int sources_stride,
    float keep,
    int rows,  // n
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  known(width % QUAD == 0 && rows_aligned(sources, sources_stride) && rows_aligned(x, x_stride), [&](auto aligned) {
    float* target[SLOTS];
    Quad kept[SLOTS], source[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          target[k] = x + (long long)index[row] * x_stride;
          source[k] = load_quad(aligned, sources + row * sources_stride, column, width);
          if (keep != 0) kept[k] = load_quad(aligned, target[k], column, width);
        },
        [&](long long, int k) {
          if (keep != 0) {
#pragma unroll
            for (int j = 0; j < QUAD; j++) source[k].v[j] += keep * kept[k].v[j];
          }
          store_quad(aligned, source[k], target[k], column, width);
        });
  });
}
REGISTER_KERNEL(inject)

// Adds 1 to element component[i] of row index[i] of x. No pair occurs twice.
extern "C" __global__ void inject_units(
    float* __restrict__ x,  // [R, D]
    int x_stride,
    const int* __restrict__ index,  // [n]
    const int* __restrict__ component,  // [n]
    int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) x[(long long)index[i] * x_stride + component[i]] += 1.0f;
}
REGISTER_KERNEL(inject_units)

// Adds 1 to row index[i] of x where bit j of its bits is set, -1 where it is not. No index occurs twice.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) inject_signs(
    float* __restrict__ x,  // [R, D]
    int x_stride,
    const int* __restrict__ index,  // [n]
    const unsigned* __restrict__ bits,  // [n, words], the lowest bit first
    int words,
    int rows,  // n
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  known(width % QUAD == 0 && rows_aligned(x, x_stride), [&](auto aligned) {
    float* target[SLOTS];
    Quad sum[SLOTS];
    unsigned signs[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          target[k] = x + (long long)index[row] * x_stride;
          signs[k] = bits[row * words + column / 32] >> column % 32;  // a quad's bits lie in one word
          sum[k] = load_quad(aligned, target[k], column, width);
        },
        [&](long long, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) sum[k].v[j] += (signs[k] >> j & 1) != 0 ? 1.0f : -1.0f;
          store_quad(aligned, sum[k], target[k], column, width);
        });
  });
}
REGISTER_KERNEL(inject_signs)

// Copies a batch into a larger one. Column c of the new batch takes the rows of column origin[c] of the old one; where that is -1, and
// at tokens at which the old column was not alive, its rows are those of `base`, or zero.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) grow(
    const float* __restrict__ from,  // [R', D]
    int from_stride,
    const int* __restrict__ from_start,  // [T + 1]
    const int* __restrict__ from_first,  // [C']
    const int* __restrict__ from_last,  // [C']
    const int* __restrict__ origin,  // [C]
    const float* __restrict__ base,  // [T, D], or null for zeros
    int base_stride,
    float* __restrict__ to,  // [R, D]
    int to_stride,
    const int* __restrict__ to_start,  // [T + 1]
    const int* __restrict__ to_token_of,  // [R]
    int rows,  // R
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(from, from_stride) && rows_aligned(to, to_stride) &&
                     (base == nullptr || rows_aligned(base, base_stride));
  known(whole, [&](auto aligned) {
    Quad copy[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          const int token = to_token_of[row];
          const int old = origin[row - to_start[token]];
          // No early outs: these look-ups are then in flight together.
          const int first = old < 0 ? token + 1 : from_first[old];
          const int last = old < 0 ? -1 : from_last[old];
          const bool alive = (first <= token) & (token <= last);
          const long long old_at = ((long long)from_start[token] + old) * from_stride;
          const long long base_at = (long long)token * base_stride;
          const float* source = alive ? from : base;
          copy[k] = Quad();
          if (source != nullptr) copy[k] = load_quad(aligned, source + (alive ? old_at : base_at), column, width);
        },
        [&](long long row, int k) { store_quad(aligned, copy[k], to + row * to_stride, column, width); });
  });
}
REGISTER_KERNEL(grow)

// Row i of y becomes the row of x that a table names, or row i.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) take(
    const float* __restrict__ x,  // [R, D]
    int x_stride,
    const int* __restrict__ row_of,  // [n], or null for row i
    float* __restrict__ y,  // [n, D]
    int y_stride,
    int rows,  // n
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  known(width % QUAD == 0 && rows_aligned(x, x_stride) && rows_aligned(y, y_stride), [&](auto aligned) {
    Quad copy[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          const long long at = row_of == nullptr ? row : row_of[row];
          copy[k] = load_quad(aligned, x + at * x_stride, column, width);
        },
        [&](long long row, int k) { store_quad(aligned, copy[k], y + row * y_stride, column, width); });
  });
}
REGISTER_KERNEL(take)
