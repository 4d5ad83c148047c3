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

// One block a token: the tables of some consecutive columns of a batch as a batch of their own, start, token_of, and for each of its
// rows where that stands in the whole batch. A token's block of the part begins where the tokens before it end: each block adds up
// theirs, which is T^2 / 2 additions on the device instead of a table from the host.
extern "C" __global__ void __launch_bounds__(128) rows_of_part(
    const int* __restrict__ whole_start,  // [T + 1]
    int tokens,
    int first_column,
    int columns,
    int* __restrict__ start,  // [T + 1]
    int* __restrict__ token_of,  // [R]
    int* __restrict__ row_of) {  // [R]
  __shared__ int partial[128 / WARP];
  const int token = blockIdx.x;
  if (token >= tokens) return;  // the whole block
  auto count = [&](int t) { return max(0, min(columns, whole_start[t + 1] - whole_start[t] - first_column)); };
  int before = 0;
  for (int t = threadIdx.x; t < token; t += blockDim.x) before += count(t);
  before = warp_sum(before);
  if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = before;
  __syncthreads();
  int begin = 0;
  for (int w = 0; w < int(blockDim.x / WARP); w++) begin += partial[w];
  const int alive = count(token);
  if (threadIdx.x == 0) {
    start[token] = begin;
    if (token == tokens - 1) start[tokens] = begin + alive;
  }
  for (int c = threadIdx.x; c < alive; c += blockDim.x) {
    token_of[begin + c] = token;
    row_of[begin + c] = whole_start[token] + first_column + c;
  }
}
REGISTER_KERNEL(rows_of_part)
