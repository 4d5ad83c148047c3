// The pointwise nonlinearities of MLPs with their first and second derivatives, element by element.
#pragma once

#include "quads.cuh"

namespace {

// As dev.greenfield.backend.cuda.CudaNonlinear counts them.
enum { GELU_NEW = 0, GELU = 1, RELU = 2, SILU = 3 };

template <int KIND>
struct Kind {
  static constexpr int value = KIND;
};

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

// max(u, 0), where NaN stays NaN.
template <bool SLOPE>
__device__ __forceinline__ float relu(float u, float& slope) {
  if (SLOPE) slope = u > 0 ? 1 : 0;
  return u <= 0 ? 0 : u;
}

// u sigmoid(u). With e = exp(-|u|) the sigmoid's derivative is e / (1 + e)^2.
template <bool SLOPE>
__device__ __forceinline__ float silu(float u, float& slope) {
  const float e = expf(-fabsf(u));
  const float near = 1 / (1 + e);  // the sigmoid of |u|
  const float sigmoid = u < 0 ? e * near : near;
  if (SLOPE) slope = sigmoid + u * (e * near * near);
  return u * sigmoid;
}

// s' (2 - u tanh(u/2)) with the sigmoid's derivative s'.
__device__ __forceinline__ float silu_second(float u) {
  const float e = expf(-fabsf(u));
  const float near = 1 / (1 + e);
  return e * near * near * (2 - fabsf(u) * ((1 - e) * near));
}

template <int KIND, bool SLOPE>
__device__ __forceinline__ float activate(float u, float& slope) {
  switch (KIND) {
    case GELU_NEW: return gelu_new<SLOPE>(u, slope);
    case GELU: return gelu<SLOPE>(u, slope);
    case RELU: return relu<SLOPE>(u, slope);
    default: return silu<SLOPE>(u, slope);
  }
}

template <int KIND>
__device__ __forceinline__ float second_derivative(float u) {
  switch (KIND) {
    case GELU_NEW: return gelu_new_second(u);
    case GELU: return gelu_second(u);
    case RELU: return 0;
    default: return silu_second(u);
  }
}

// Runs `body` compiled for the kind that an activation has.
template <class Body>
__device__ __forceinline__ void known_activation(int kind, Body body) {
  switch (kind) {
    case GELU_NEW: body(Kind<GELU_NEW>()); break;
    case GELU: body(Kind<GELU>()); break;
    case RELU: body(Kind<RELU>()); break;
    case SILU: body(Kind<SILU>()); break;
  }
}

}  // namespace
