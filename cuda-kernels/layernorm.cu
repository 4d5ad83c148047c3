// LayerNorm without gain and bias (they are folded into the next matrix), its tangent and its curvature. The Jacobian
// r (I - 1 1'/D - n n'/D) is symmetric, so the tangent is the adjoint too. One block a row at a time. Where a table of rows is given, the
// rows of one side are those that it names of a larger matrix: attention takes a batch in parts, and a part's rows lie apart.
#include "quads.cuh"

namespace {

// Columns of a row that a warp holds, 8 quads a lane.
enum { WIDEST_OF_WARP = 1024 };

// Where row i of a launch is in a matrix: at the row that a table names, or at i.
__device__ __forceinline__ long long row_at(const int* table, long long i) { return table == nullptr ? i : table[i]; }

template <int HELD, bool ALIGNED>
__device__ __forceinline__ void normalize_rows(
    const float* x, int x_stride, const int* x_row_of, float* normalized, int normalized_stride, float* inverse_std, int rows, int width, float epsilon,
    BlockSums<float, 1>& block_sum, BlockSums<float, 2>& block_sums) {
  const Known<ALIGNED> aligned;
  const RowRange range(rows);
  for (long long i = range.from; i < range.to; i++) {
    SpreadRow<HELD, ALIGNED> row;
    row.load(x + row_at(x_row_of, i) * x_stride, width);

    float sum[1] = {0};
    each_quad<HELD>(width, [&](int k) {
      const Quad q = row.quad(k);
      sum[0] += (q.v[0] + q.v[1]) + (q.v[2] + q.v[3]);
    });
    block_sum(sum);
    const float rough_mean = sum[0] / width;

    // The rough mean of a row with a large common offset is off by that offset's rounding. The second pass measures by how much, on
    // centred values, which are small.
    float moments[2] = {0, 0};
    each_quad<HELD>(width, [&](int k) {
      const Quad q = row.quad(k);
#pragma unroll
      for (int j = 0; j < QUAD; j++) {
        const float centred = quad_column(k) + j < width ? q.v[j] - rough_mean : 0;
        moments[0] += centred;
        moments[1] += centred * centred;
      }
    });
    block_sums(moments);
    const float rest = moments[0] / width;
    const float variance = fmaxf(moments[1] / width - rest * rest, 0);
    const float inverse = 1 / sqrtf(variance + epsilon);

    each_quad<HELD>(width, [&](int k) {
      Quad q = row.quad(k);
#pragma unroll
      for (int j = 0; j < QUAD; j++) q.v[j] = (q.v[j] - rough_mean - rest) * inverse;
      store_quad(aligned, q, normalized + i * normalized_stride, quad_column(k), width);
    });
    if (inverse_std != nullptr && threadIdx.x == 0) inverse_std[i] = inverse;
  }
}

template <int HELD, bool ALIGNED>
__device__ __forceinline__ void normalize_tangents(
    const float* dx, int dx_stride, const int* dx_row_of, const int* token_of, const float* normalized, int normalized_stride,
    const float* inverse_std, float* dy, int dy_stride, const int* dy_row_of, int rows, int width, bool accumulate,
    BlockSums<float, 2>& block_sums) {
  const Known<ALIGNED> aligned;
  const RowRange range(rows);
  SpreadRow<HELD, ALIGNED> n;
  float inverse = 0;
  int held_token = -1;
  for (long long i = range.from; i < range.to; i++) {
    SpreadRow<HELD, ALIGNED> tangent, old;
    tangent.load(dx + row_at(dx_row_of, i) * dx_stride, width);
    const int to = int(row_at(dy_row_of, i));
    if (accumulate) old.load(dy + (long long)to * dy_stride, width);
    const int token = token_of[i];
    if (token != held_token) {
      n.load(normalized + (long long)token * normalized_stride, width);
      inverse = inverse_std[token];
      held_token = token;
    }

    float sums[2] = {0, 0};  // of dx, and of n dx
    each_quad<HELD>(width, [&](int k) {
      const Quad d = tangent.quad(k), along = n.quad(k);
      sums[0] += (d.v[0] + d.v[1]) + (d.v[2] + d.v[3]);
#pragma unroll
      for (int j = 0; j < QUAD; j++) sums[1] += d.v[j] * along.v[j];
    });
    block_sums(sums);
    const float mean = sums[0] / width;
    const float mean_along = sums[1] / width;

    each_quad<HELD>(width, [&](int k) {
      Quad d = tangent.quad(k);
      const Quad along = n.quad(k);
#pragma unroll
      for (int j = 0; j < QUAD; j++) d.v[j] = inverse * (d.v[j] - mean - along.v[j] * mean_along);
      if (accumulate) {
        const Quad before = old.quad(k);
#pragma unroll
        for (int j = 0; j < QUAD; j++) d.v[j] += before.v[j];
      }
      store_quad(aligned, d, dy + (long long)to * dy_stride, quad_column(k), width);
    });
  }
}

// The same with a warp a row, for rows that a warp's registers hold: no warp waits for another, and more loads are under way. Each
// warp takes consecutive rows; n of their token is read again from the cache where it is used.
template <bool ALIGNED>
__device__ __forceinline__ void normalize_tangents_by_warps(
    const float* dx, int dx_stride, const int* dx_row_of, const int* token_of, const float* normalized, int normalized_stride,
    const float* inverse_std, float* dy, int dy_stride, const int* dy_row_of, int rows, int width, bool accumulate) {
  using Row = WarpRow<WIDEST_OF_WARP / (WARP * QUAD), ALIGNED>;
  const Known<ALIGNED> aligned;
  const unsigned warps = blockDim.x / WARP, all = gridDim.x * warps;
  const unsigned each = (unsigned(rows) + all - 1) / all;
  const long long from = (long long)(blockIdx.x * warps + threadIdx.x / WARP) * each;
  const long long to = from + each < rows ? from + each : rows;
#pragma unroll 1
  for (long long i = from; i < to; i++) {
    const int token = token_of[i];
    float* out = dy + row_at(dy_row_of, i) * dy_stride;
    const float* along = normalized + (long long)token * normalized_stride;
    Row d;
    d.load(dx + row_at(dx_row_of, i) * dx_stride, width);

    float sum = 0, sum_along = 0;  // of dx, and of n dx
    Row::each([&](int k) {
      const Quad q = d.quad(k), n = load_quad(aligned, along, Row::column(k), width);
      sum += (q.v[0] + q.v[1]) + (q.v[2] + q.v[3]);
#pragma unroll
      for (int j = 0; j < QUAD; j++) sum_along += q.v[j] * n.v[j];
    });
    const float mean = warp_sum(sum) / width, mean_along = warp_sum(sum_along) / width, inverse = inverse_std[token];

    along = anew(along);
    Row::each([&](int k) {
      Quad q = d.quad(k);
      const Quad n = load_quad(aligned, along, Row::column(k), width);
#pragma unroll
      for (int j = 0; j < QUAD; j++) q.v[j] = inverse * (q.v[j] - mean - n.v[j] * mean_along);
      if (accumulate) {
        const Quad before = load_quad(aligned, out, Row::column(k), width);
#pragma unroll
        for (int j = 0; j < QUAD; j++) q.v[j] += before.v[j];
      }
      store_quad(aligned, q, out, Row::column(k), width);
    });
  }
}

template <int HELD, bool ALIGNED>
__device__ __forceinline__ void bend_rows(
    const float* dx, int dx_stride, const int* token_of, const float* normalized, int normalized_stride, const float* inverse_std,
    float* ddy, int ddy_stride, int rows, int width, BlockSums<float, 2>& block_sums, BlockSums<float, 1>& block_sum) {
  const Known<ALIGNED> aligned;
  const RowRange range(rows);
  for (long long i = range.from; i < range.to; i++) {
    const long long token = token_of[i];
    SpreadRow<HELD, ALIGNED> tangent, n;
    tangent.load(dx + i * dx_stride, width);
    n.load(normalized + token * normalized_stride, width);
    const float square = inverse_std[token] * inverse_std[token];

    float sums[2] = {0, 0};
    each_quad<HELD>(width, [&](int k) {
      const Quad d = tangent.quad(k), along = n.quad(k);
      sums[0] += (d.v[0] + d.v[1]) + (d.v[2] + d.v[3]);
#pragma unroll
      for (int j = 0; j < QUAD; j++) sums[1] += d.v[j] * along.v[j];
    });
    block_sums(sums);
    const float mean = sums[0] / width;
    const float mean_along = sums[1] / width;

    float squares[1] = {0};
    each_quad<HELD>(width, [&](int k) {
      const Quad d = tangent.quad(k);
#pragma unroll
      for (int j = 0; j < QUAD; j++) {
        const float centred = quad_column(k) + j < width ? d.v[j] - mean : 0;
        squares[0] += centred * centred;
      }
    });
    block_sum(squares);
    const float rest = squares[0] / width - mean_along * mean_along;

    each_quad<HELD>(width, [&](int k) {
      const Quad d = tangent.quad(k), along = n.quad(k);
      Quad sum = load_quad(aligned, ddy + i * ddy_stride, quad_column(k), width);
#pragma unroll
      for (int j = 0; j < QUAD; j++) {
        const float across = d.v[j] - mean - along.v[j] * mean_along;
        sum.v[j] += square * (-2 * mean_along * across - along.v[j] * rest);
      }
      store_quad(aligned, sum, ddy + i * ddy_stride, quad_column(k), width);
    });
  }
}

}  // namespace

// normalized = (x - mean) / sqrt(variance + epsilon) of each row; it may be x itself.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 5) layer_norm(
    const float* x,  // [R, D], or more rows
    int x_stride,
    const int* __restrict__ x_row_of,  // [R], or null for row i
    float* normalized,  // [R, D]
    int normalized_stride,
    float* inverse_std,  // [R] or null
    int rows,
    int width,
    float epsilon) {
  __shared__ float partial_sum[2][ROW_WARPS][1];
  __shared__ float partial_moments[2][ROW_WARPS][2];
  BlockSums<float, 1> block_sum(partial_sum);
  BlockSums<float, 2> block_sums(partial_moments);
  const bool whole = width % QUAD == 0 && rows_aligned(x, x_stride) && rows_aligned(normalized, normalized_stride);
  spread(width, whole, [&](auto held, auto aligned) {
    normalize_rows<decltype(held)::value, decltype(aligned)::value>(
        x, x_stride, x_row_of, normalized, normalized_stride, inverse_std, rows, width, epsilon, block_sum, block_sums);
  });
}
REGISTER_KERNEL(layer_norm)

// dy = r (dx - mean(dx) - n mean(n dx)), or that added to dy, with the n and r of the row's token. dy may be dx itself unless it is
// added to. Rows that share a token with the row before keep its n in registers.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 3) layer_norm_tangent(
    const float* dx,  // [R, D], or more rows
    int dx_stride,
    const int* __restrict__ dx_row_of,  // [R], or null for row i
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ normalized,  // [T, D]
    int normalized_stride,
    const float* __restrict__ inverse_std,  // [T]
    float* dy,  // [R, D], or more rows
    int dy_stride,
    const int* __restrict__ dy_row_of,  // [R], or null for row i; no row occurs twice
    int rows,
    int width,
    int accumulate) {
  __shared__ float partial[2][ROW_WARPS][2];
  BlockSums<float, 2> block_sums(partial);
  const bool whole = width % QUAD == 0 && rows_aligned(dx, dx_stride) && rows_aligned(normalized, normalized_stride) &&
                     rows_aligned(dy, dy_stride);
  if (width <= WIDEST_OF_WARP) {
    known(whole, [&](auto aligned) {
      normalize_tangents_by_warps<decltype(aligned)::value>(
          dx, dx_stride, dx_row_of, token_of, normalized, normalized_stride, inverse_std, dy, dy_stride, dy_row_of, rows, width,
          accumulate != 0);
    });
    return;
  }
  spread(width, whole, [&](auto held, auto aligned) {
    normalize_tangents<decltype(held)::value, decltype(aligned)::value>(
        dx, dx_stride, dx_row_of, token_of, normalized, normalized_stride, inverse_std, dy, dy_stride, dy_row_of, rows, width,
        accumulate != 0, block_sums);
  });
}
REGISTER_KERNEL(layer_norm_tangent)

// ddy += -2 r^2 a (c - n a) - r^2 n (mean(c^2) - a^2) with c = dx - mean(dx), a = mean(n dx), and the n and r of the row's token.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 4) layer_norm_curvature(
    const float* dx,  // [R, D]
    int dx_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ normalized,  // [T, D]
    int normalized_stride,
    const float* __restrict__ inverse_std,  // [T]
    float* ddy,  // [R, D]
    int ddy_stride,
    int rows,
    int width) {
  __shared__ float partial_sums[2][ROW_WARPS][2];
  __shared__ float partial_squares[2][ROW_WARPS][1];
  BlockSums<float, 2> block_sums(partial_sums);
  BlockSums<float, 1> block_sum(partial_squares);
  const bool whole = width % QUAD == 0 && rows_aligned(dx, dx_stride) && rows_aligned(normalized, normalized_stride) &&
                     rows_aligned(ddy, ddy_stride);
  spread(width, whole, [&](auto held, auto aligned) {
    bend_rows<decltype(held)::value, decltype(aligned)::value>(
        dx, dx_stride, token_of, normalized, normalized_stride, inverse_std, ddy, ddy_stride, rows, width, block_sums, block_sum);
  });
}
REGISTER_KERNEL(layer_norm_curvature)
