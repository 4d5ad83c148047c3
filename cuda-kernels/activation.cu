// The MLP's nonlinearity, its first and second derivative, its tangent, which is its adjoint too, and its curvature.
#include "activation.cuh"

namespace {

template <int KIND, bool SLOPE>
__device__ __forceinline__ void activate_rows(
    float* u, int u_stride, const float* bias, float* derivative, int derivative_stride, int rows, int width) {
  constexpr int SLOTS = 2;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(u, u_stride) && rows_aligned(bias, 0) &&
                     (!SLOPE || rows_aligned(derivative, derivative_stride));
  known(whole, [&](auto aligned) {
    const Quad b = load_quad(aligned, bias, column, width);
    Quad value[SLOTS];
    each_row<SLOTS>(
        rows, [&](long long row, int k) { value[k] = load_quad(aligned, u + row * u_stride, column, width); },
        [&](long long row, int k) {
          Quad slope;
#pragma unroll
          for (int j = 0; j < QUAD; j++) value[k].v[j] = activate<KIND, SLOPE>(value[k].v[j] + b.v[j], slope.v[j]);
          store_quad(aligned, value[k], u + row * u_stride, column, width);
          if (SLOPE) store_quad(aligned, slope, derivative + row * derivative_stride, column, width);
        });
  });
}

}  // namespace

// u = act(u + bias), and derivative = act'(u + bias) where it is wanted.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 5) activation(
    int kind,
    float* __restrict__ u,  // [R, F]
    int u_stride,
    const float* __restrict__ bias,  // [F]
    float* __restrict__ derivative,  // [R, F] or null
    int derivative_stride,
    int rows,
    int width) {
  known_activation(kind, [&](auto known_kind) {
    known(derivative != nullptr, [&](auto slope) {
      activate_rows<decltype(known_kind)::value, decltype(slope)::value>(
          u, u_stride, bias, derivative, derivative_stride, rows, width);
    });
  });
}
REGISTER_KERNEL(activation)

// dg = du act'(u) of the row's token; dg may be du. A block's rows mostly share their token, so all but the first take the derivative
// from L1.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) activation_tangent(
    const float* du,  // [R, F]
    int du_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ derivative,  // [T, F]
    int derivative_stride,
    float* dg,  // [R, F]
    int dg_stride,
    int rows,
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(du, du_stride) && rows_aligned(derivative, derivative_stride) &&
                     rows_aligned(dg, dg_stride);
  known(whole, [&](auto aligned) {
    Quad tangent[SLOTS], slope[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          tangent[k] = load_quad(aligned, du + row * du_stride, column, width);
          slope[k] = load_quad(aligned, derivative + (long long)token_of[row] * derivative_stride, column, width);
        },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) tangent[k].v[j] *= slope[k].v[j];
          store_quad(aligned, tangent[k], dg + row * dg_stride, column, width);
        });
  });
}
REGISTER_KERNEL(activation_tangent)

// u = act''(u + bias). One row a token of a run: few rows, so that accesses are guarded whatever the alignment.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) activation_second_derivative(
    int kind,
    float* __restrict__ u,  // [R, F]
    int u_stride,
    const float* __restrict__ bias,  // [F]
    int rows,
    int width) {
  const int column = element_column();
  if (column >= width) return;
  const Known<false> guarded;
  const Quad b = load_quad(guarded, bias, column, width);
  known_activation(kind, [&](auto known_kind) {
    Quad value;
    each_row<1>(
        rows, [&](long long row, int) { value = load_quad(guarded, u + row * u_stride, column, width); },
        [&](long long row, int) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) value.v[j] = second_derivative<decltype(known_kind)::value>(value.v[j] + b.v[j]);
          store_quad(guarded, value, u + row * u_stride, column, width);
        });
  });
}
REGISTER_KERNEL(activation_second_derivative)

// ddg += act''(u) du^2 with the act'' of the row's token.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) activation_curvature(
    const float* __restrict__ du,  // [R, F]
    int du_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ second,  // [T, F]
    int second_stride,
    float* __restrict__ ddg,  // [R, F]
    int ddg_stride,
    int rows,
    int width) {
  constexpr int SLOTS = 2;
  const int column = element_column();
  if (column >= width) return;
  const bool whole = width % QUAD == 0 && rows_aligned(du, du_stride) && rows_aligned(second, second_stride) &&
                     rows_aligned(ddg, ddg_stride);
  known(whole, [&](auto aligned) {
    Quad step[SLOTS], bend[SLOTS], sum[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          step[k] = load_quad(aligned, du + row * du_stride, column, width);
          bend[k] = load_quad(aligned, second + (long long)token_of[row] * second_stride, column, width);
          sum[k] = load_quad(aligned, ddg + row * ddg_stride, column, width);
        },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) sum[k].v[j] += bend[k].v[j] * step[k].v[j] * step[k].v[j];
          store_quad(aligned, sum[k], ddg + row * ddg_stride, column, width);
        });
  });
}
REGISTER_KERNEL(activation_curvature)
