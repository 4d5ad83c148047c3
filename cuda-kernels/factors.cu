// Factors of matrix products in the form that they are multiplied fastest: as bf16, or transposed.
#include "quads.cuh"

namespace {

// A float's upper half, to nearest, ties to even: 8 bits of significand. NaN stays NaN, whatever its upper half was.
__device__ __forceinline__ unsigned bf16_bits(float x) {
  const unsigned bits = __float_as_uint(x);
  const unsigned rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded;
}

}  // namespace

// y = x as bf16. Rows of y begin at multiples of 8 bytes.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) to_bf16(
    const float* __restrict__ x,  // [R, n]
    int x_stride,
    unsigned short* __restrict__ y,  // [R, n], bf16
    int y_stride,                    // a multiple of 4
    int rows,
    int width) {
  constexpr int SLOTS = 4;
  const int column = element_column();
  if (column >= width) return;
  known(width % QUAD == 0 && rows_aligned(x, x_stride), [&](auto aligned) {
    Quad q[SLOTS];
    each_row<SLOTS>(
        rows, [&](long long row, int k) { q[k] = load_quad(aligned, x + row * x_stride, column, width); },
        [&](long long row, int k) {
          unsigned short* const to = y + row * y_stride + column;
          if (decltype(aligned)::value) {
            *reinterpret_cast<uint2*>(to) =
                make_uint2(bf16_bits(q[k].v[0]) | bf16_bits(q[k].v[1]) << 16, bf16_bits(q[k].v[2]) | bf16_bits(q[k].v[3]) << 16);
          } else {
#pragma unroll
            for (int j = 0; j < QUAD; j++) {
              if (column + j < width) to[j] = (unsigned short)bf16_bits(q[k].v[j]);
            }
          }
        });
  });
}
REGISTER_KERNEL(to_bf16)

// y = x'. A block takes a tile of 32 x 32; both matrices are read and written along their rows.
extern "C" __global__ void __launch_bounds__(256) transpose(
    const float* __restrict__ x,  // [m, n]
    int x_stride,
    float* __restrict__ y,  // [n, m]
    int y_stride,
    int rows,  // m
    int width) {  // n
  __shared__ float tile[WARP][WARP + 1];
  const int lane = threadIdx.x % WARP;
  const int top = blockIdx.y * WARP;
  const int left = blockIdx.x * WARP;
  for (int i = threadIdx.x / WARP; i < int(WARP); i += blockDim.x / WARP) {
    if (top + i < rows && left + lane < width) tile[i][lane] = x[(long long)(top + i) * x_stride + left + lane];
  }
  __syncthreads();
  for (int i = threadIdx.x / WARP; i < int(WARP); i += blockDim.x / WARP) {
    if (left + i < width && top + lane < rows) y[(long long)(left + i) * y_stride + top + lane] = tile[lane][i];
  }
}
REGISTER_KERNEL(transpose)
