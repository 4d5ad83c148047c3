// Small copies between the device and page-locked memory of the host, which the device reads and writes by its own address. Between
// kernels a copy engine takes longer to begin and to hand back than a small copy lasts.
#include "common.cuh"

// to = from, either of which may be the host's.
extern "C" __global__ void __launch_bounds__(256) copy_words(
    const unsigned* __restrict__ from,  // [n]
    unsigned* __restrict__ to,          // [n]
    int words) {
  const bool aligned = (reinterpret_cast<unsigned long long>(from) | reinterpret_cast<unsigned long long>(to)) % 16 == 0;
  const int whole = aligned ? words / 4 : 0;  // in words of 16 bytes
  const int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
  for (int i = thread; i < whole; i += threads) reinterpret_cast<uint4*>(to)[i] = reinterpret_cast<const uint4*>(from)[i];
  for (int i = 4 * whole + thread; i < words; i += threads) to[i] = from[i];
}
REGISTER_KERNEL(copy_words)
