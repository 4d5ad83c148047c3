// Where the rows of a ragged batch belong.
#include "common.cuh"

// One block a token: the rows of its block of the batch, start[t]..start[t + 1], get its number.
extern "C" __global__ void __launch_bounds__(128) token_of_rows(
    const int* __restrict__ start,  // [T + 1]
    int tokens,
    int* __restrict__ token_of) {  // [R]
  const int token = blockIdx.x;
  if (token >= tokens) return;
  const long long end = start[token + 1];
  for (long long row = start[token] + (long long)threadIdx.x; row < end; row += blockDim.x) token_of[row] = token;
}
REGISTER_KERNEL(token_of_rows)
