// The pointwise nonlinearity of the MLP, its first and second derivative, its tangent, which is its adjoint too, and its curvature.
#include "quads.cuh"

namespace {

// The ordinals of dev.greenfield.model.Activation.
enum { GELU_NEW = 0, GELU = 1, RELU = 2 };

// u/2 (1 + tanh(z)) = u sigmoid(2z) with z = sqrt(2/pi) (u + 0.044715 u^3). From e = exp(-2|z|), which cannot overflow, the sigmoid and
// its derivative keep their digits in both tails, where 1 + tanh and 1 - tanh^2 would cancel.
template <bool SLOPE>
__device__ __forceinline__ float gelu_new(float u, float& slope) {
  const float c = 0.79788456080286536f;  // sqrt(2/pi)
  const float cubic = 0.044715f;
  const float z = c * (u + cubic * u * u * u);
  const float e = expf(-2 * fabsf(z));
  const float near = 1 / (1 + e);  // the sigmoid of |2z|
  const float sigmoid = z < 0 ? e * near : near;
  if (SLOPE) slope = sigmoid + 2 * u * (e * near * near) * (c * (1 + 3 * cubic * u * u));
  return u * sigmoid;
}

// u Phi(u), with the normal distribution's Phi(u) = erfc(-u / sqrt(2)) / 2, whose lower tail keeps its digits.
template <bool SLOPE>
__device__ __forceinline__ float gelu(float u, float& slope) {
  const float distribution = 0.5f * erfcf(-0.70710678118654752f * u);
  if (SLOPE) slope = distribution + u * (0.39894228040143268f * expf(-0.5f * u * u));  // Phi + u Phi'
  return u * distribution;
}

// s (z' + u (z''/2 - tanh(z) z'^2)) with s = 1 - tanh(z)^2 = 4 e / (1 + e)^2, in the terms of gelu_new.
__device__ __forceinline__ float gelu_new_second(float u) {
  const float c = 0.79788456080286536f;  // sqrt(2/pi)
  const float cubic = 0.044715f;
  const float z = c * (u + cubic * u * u * u);
  const float e = expf(-2 * fabsf(z));
  const float near = 1 / (1 + e);
  const float tanh = copysignf((1 - e) * near, z);
  const float slope = c * (1 + 3 * cubic * u * u);
  const float half = 3 * cubic * c * u;
  return 4 * e * near * near * (slope + u * (half - tanh * slope * slope));
}

// (2 - u^2) times the normal density.
__device__ __forceinline__ float gelu_second(float u) { return 0.39894228040143268f * expf(-0.5f * u * u) * (2 - u * u); }

__device__ __forceinline__ float second_derivative(int kind, float u) {
  return kind == GELU_NEW ? gelu_new_second(u) : kind == GELU ? gelu_second(u) : 0;
}

// max(u, 0), where NaN stays NaN.
template <bool SLOPE>
__device__ __forceinline__ float relu(float u, float& slope) {
  if (SLOPE) slope = u > 0 ? 1 : 0;
  return u <= 0 ? 0 : u;
}

template <int KIND, bool SLOPE>
__device__ __forceinline__ float activate(float u, float& slope) {
  return KIND == GELU_NEW ? gelu_new<SLOPE>(u, slope) : KIND == GELU ? gelu<SLOPE>(u, slope) : relu<SLOPE>(u, slope);
}

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

template <int KIND>
__device__ __forceinline__ void activate_rows(
    float* u, int u_stride, const float* bias, float* derivative, int derivative_stride, int rows, int width) {
  if (derivative == nullptr) {
    activate_rows<KIND, false>(u, u_stride, bias, derivative, derivative_stride, rows, width);
  } else {
    activate_rows<KIND, true>(u, u_stride, bias, derivative, derivative_stride, rows, width);
  }
}

}  // namespace

// u = act(u + bias), and derivative = act'(u + bias) where it is wanted.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) activation(
    int kind,
    float* __restrict__ u,  // [R, F]
    int u_stride,
    const float* __restrict__ bias,  // [F]
    float* __restrict__ derivative,  // [R, F] or null
    int derivative_stride,
    int rows,
    int width) {
  switch (kind) {
    case GELU_NEW: activate_rows<GELU_NEW>(u, u_stride, bias, derivative, derivative_stride, rows, width); break;
    case GELU: activate_rows<GELU>(u, u_stride, bias, derivative, derivative_stride, rows, width); break;
    case RELU: activate_rows<RELU>(u, u_stride, bias, derivative, derivative_stride, rows, width); break;
  }
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

// u = act''(u + bias). One row a token of a run: few rows, so that the kind need not be known when this is compiled.
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
  Quad value;
  each_row<1>(
      rows, [&](long long row, int) { value = load_quad(guarded, u + row * u_stride, column, width); },
      [&](long long row, int) {
#pragma unroll
        for (int j = 0; j < QUAD; j++) value.v[j] = second_derivative(kind, value.v[j] + b.v[j]);
        store_quad(guarded, value, u + row * u_stride, column, width);
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
