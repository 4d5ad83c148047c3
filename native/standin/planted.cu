// Kernels for the stand-in's self-test: faults that it must report, and correct ones that it must not. Never part of the fatbin.
#include "common.cuh"

extern "C" {

// Writes x[i] = i for i < n + past: one float past the end of x [n] if past is 1.
__global__ void planted_write_past_end(float* x, int n, int past) {
  int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n + past) x[i] = float(i);
}

// y[i] = x[i + past] for y [n], x [n].
__global__ void planted_read_past_end(const float* x, float* y, int n, int past) {
  int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) y[i] = x[i + past];
}

// Only threads below `reach` reach the barrier; y [blockDim].
__global__ void planted_divergent_barrier(float* y, int reach) {
  if (int(threadIdx.x) >= reach) return;
  __syncthreads();
  y[threadIdx.x] = 1.0f;
}

// The lanes of a warp meet with only `reach` of them at the shuffle; y [blockDim].
__global__ void planted_divergent_shuffle(float* y, int reach) {
  if (int(threadIdx.x) < reach) y[threadIdx.x] = warp_sum(1.0f);
}

// Reads x + offset as a float4; y [4].
__global__ void planted_misaligned(const float* x, int offset, float* y) {
  *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(x + offset);
}

// Writes `n` floats of dynamic shared memory; y [1].
__global__ void planted_shared(float* y, int n) {
  DYNAMIC_SHARED(float, s);
  for (int i = 0; i < n; i++) s[i] = 1.0f;
  *y = s[0];
}

// Writes element `i` of a static shared array of 4; y [1].
__global__ void planted_static_shared(float* y, int i) {
  __shared__ float s[4];
  s[i] = 1.0f;
  *y = s[0];
}

// Recurses `depth` times; y [1].
__device__ float planted_recursion(int depth) {
  volatile float held[64];
  held[depth % 64] = 1.0f;
  return depth == 0 ? 0.0f : planted_recursion(depth - 1) + held[depth % 64];
}
__global__ void planted_deep_stack(float* y, int depth) { *y = planted_recursion(depth); }

// y [1] = dividend / divisor as integers.
__global__ void planted_division(float* y, int dividend, int divisor) { *y = float(dividend / divisor); }

// Lanes below `split` vote where the others shuffle; y [blockDim].
__global__ void planted_mixed_collectives(float* y, int split) {
  y[threadIdx.x] = int(threadIdx.x) < split ? float(__any_sync(FULL_WARP, 1)) : __shfl_sync(FULL_WARP, 1.0f, 0);
}

// Dereferences null.
__global__ void planted_null(float* y) { *y = 1.0f; }

// y [blocks] = 1 where the block finds its static and its dynamic shared memory (1 float) without the marks of the block before it.
__global__ void planted_fresh_shared(float* y) {
  __shared__ float mark[4];
  DYNAMIC_SHARED(float, s);
  y[blockIdx.x] = mark[3] == 7.0f || s[0] == 7.0f ? 0.0f : 1.0f;
  mark[3] = s[0] = 7.0f;
}

// Sums x [blockDim * gridDim] over each block into y [gridDim]: shuffles, shared memory, a barrier.
__global__ void planted_block_sum(const float* x, float* y) {
  __shared__ float of_warp[32];
  float sum = warp_sum(x[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x % WARP == 0) of_warp[threadIdx.x / WARP] = sum;
  __syncthreads();
  sum = warp_sum(threadIdx.x < blockDim.x / WARP ? of_warp[threadIdx.x % WARP] : 0.0f);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

// What each kind of shuffle and vote gives each lane; y [8, 32].
__global__ void planted_shuffles(int* y) {
  int lane = int(threadIdx.x);
  y[lane] = __shfl_sync(FULL_WARP, lane * 10, 5);
  y[32 + lane] = __shfl_sync(FULL_WARP, lane * 10, lane + 3, 8);
  y[64 + lane] = __shfl_xor_sync(FULL_WARP, lane * 10, 16);
  y[96 + lane] = __shfl_up_sync(FULL_WARP, lane * 10, 3, 16);
  y[128 + lane] = __shfl_down_sync(FULL_WARP, lane * 10, 3, 16);
  y[160 + lane] = int(__ballot_sync(FULL_WARP, lane % 3 == 0));
  y[192 + lane] = __any_sync(FULL_WARP, lane == 31) + 2 * __all_sync(FULL_WARP, lane < 31);
  unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
  y[224 + lane] = __shfl_xor_sync(half, lane * 10, 1);
}

// `count` switches of every fiber: as many shuffles, whose sum keeps them alive; y [blockDim].
__global__ void planted_many_shuffles(float* y, int count) {
  float value = 1.0f;
  for (int i = 0; i < count; i++) value = __shfl_xor_sync(FULL_WARP, value, 1);
  y[threadIdx.x] = value;
}

// C [16,8] += A [16,8] B [8,8], `count` times, by the tensor-core stand-in, row-major; one warp.
__global__ void planted_mma(const float* A, const float* B, float* C, int count) {
  int g = int(threadIdx.x) / 4, t = int(threadIdx.x) % 4;
  uint32_t a[4] = {__float_as_uint(A[g * 8 + t]), __float_as_uint(A[(g + 8) * 8 + t]), __float_as_uint(A[g * 8 + t + 4]),
                   __float_as_uint(A[(g + 8) * 8 + t + 4])};
  uint32_t b[2] = {__float_as_uint(B[t * 8 + g]), __float_as_uint(B[(t + 4) * 8 + g])};
  float c[4] = {C[g * 8 + 2 * t], C[g * 8 + 2 * t + 1], C[(g + 8) * 8 + 2 * t], C[(g + 8) * 8 + 2 * t + 1]};
  for (int i = 0; i < count; i++) standin_mma_tf32(c, a, b);
  C[g * 8 + 2 * t] = c[0], C[g * 8 + 2 * t + 1] = c[1], C[(g + 8) * 8 + 2 * t] = c[2], C[(g + 8) * 8 + 2 * t + 1] = c[3];
}

}  // extern "C"

REGISTER_KERNEL(planted_write_past_end)
REGISTER_KERNEL(planted_read_past_end)
REGISTER_KERNEL(planted_divergent_barrier)
REGISTER_KERNEL(planted_divergent_shuffle)
REGISTER_KERNEL(planted_misaligned)
REGISTER_KERNEL(planted_shared)
REGISTER_KERNEL(planted_static_shared)
REGISTER_KERNEL(planted_deep_stack)
REGISTER_KERNEL(planted_division)
REGISTER_KERNEL(planted_mixed_collectives)
REGISTER_KERNEL(planted_null)
REGISTER_KERNEL(planted_fresh_shared)
REGISTER_KERNEL(planted_block_sum)
REGISTER_KERNEL(planted_shuffles)
REGISTER_KERNEL(planted_many_shuffles)
REGISTER_KERNEL(planted_mma)
