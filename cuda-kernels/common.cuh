// What every kernel file needs, for both compilers: nvcc makes the fatbin that ships, and a host compiler, through
// native/standin/cuda_host.h, makes the stand-in on which the kernels are tested where there is no GPU.
#pragma once

#ifdef __CUDACC__
#include <cstdint>

// Dynamic shared memory as an array of `type`, 16-byte aligned. All kernels share one symbol: its type must be the same everywhere.
extern __shared__ float4 dynamic_shared[];
#define DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(dynamic_shared)

// Makes a kernel known to the host stand-in by name and argument types; nvcc needs no such list.
#define REGISTER_KERNEL(name)
#else
#include "cuda_host.h"
#endif

enum { WARP = 32, FULL_WARP = 0xffffffffu };

// x, in a way that the compiler cannot see through. What follows from it inside a loop is computed there, where registers are too few to
// hold it from one turn to the next; and of a pointer the compiler keeps the value, not the sum that it came from.
__device__ __forceinline__ int anew(int x) {
#ifdef __CUDACC__
  asm volatile("" : "+r"(x));
#endif
  return x;
}
__device__ __forceinline__ const float* anew(const float* x) {
#ifdef __CUDACC__
  asm volatile("" : "+l"(x));
#endif
  return x;
}

// Sum over the warp, in every lane.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int offset = WARP / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(FULL_WARP, value, offset);
  return value;
}
