// The part of CUDA C++ that our kernels use, for a host compiler: with this header g++ compiles the kernel sources into the stand-in
// libcuda.so.1 (driver.cpp), where each CUDA thread is a fiber (fibers.h). Only kernel code includes it, through common.cuh.
#pragma once

#include <cstddef>
#include <cstdint>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

// One block runs at a time, so a block's shared memory can be ordinary static memory. It is refilled with NaN before each block.
#define __shared__ static
#define DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(standin_dynamic_shared)
extern char* standin_dynamic_shared;

#include "cuda_host_types.h"

// Of the fiber that runs.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

#include "cuda_host_math.h"
#include "cuda_host_warp.h"
#include "kernels.h"
