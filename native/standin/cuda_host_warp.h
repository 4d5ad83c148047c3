// What threads of a block do together: barriers, shuffles, votes and the tensor-core product. Each thread deposits its operands and
// waits; the last one to arrive computes for its whole warp, so one wait is enough (fibers.cpp, warp.cpp).
#pragma once

#include "cuda_host_math.h"

enum class StandinCollective : uint8_t { syncwarp, shuffle, vote, mma };

// Waits until every lane in `mask` has arrived at the same collective, then returns what the lane gets: operand of lane `source` for
// a shuffle, the lanes whose operand is not zero for a vote.
uint64_t standin_warp_collective(StandinCollective what, unsigned mask, uint64_t operand, unsigned source);

void standin_block_barrier();
unsigned standin_lane();

inline void __syncthreads() { standin_block_barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { standin_warp_collective(StandinCollective::syncwarp, mask, 0, 0); }

template <class T>
inline T standin_shuffle(unsigned mask, T value, unsigned source) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t operand = 0;
  memcpy(&operand, &value, sizeof value);
  operand = standin_warp_collective(StandinCollective::shuffle, mask, operand, source);
  memcpy(&value, &operand, sizeof value);
  return value;
}

// In segments of `width` lanes; a source outside the segment means the lane's own value, as CUDA defines it.
template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  unsigned lane = standin_lane();
  return standin_shuffle(mask, value, (lane & ~unsigned(width - 1)) | (unsigned(source) & unsigned(width - 1)));
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32) {
  unsigned lane = standin_lane(), source = lane ^ unsigned(lane_mask);
  // Lanes of an earlier segment can be read, those of a later one cannot.
  return standin_shuffle(mask, value, source > (lane | unsigned(width - 1)) ? lane : source);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  unsigned lane = standin_lane(), last = lane | unsigned(width - 1);
  return standin_shuffle(mask, value, lane + delta > last ? lane : lane + delta);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  unsigned lane = standin_lane(), first = lane & ~unsigned(width - 1);
  return standin_shuffle(mask, value, lane < first + delta ? lane : lane - delta);
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return unsigned(standin_warp_collective(StandinCollective::vote, mask, predicate != 0, 0));
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }

// PTX mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32: C [16,8] += A [16,8] B [8,8], spread over the warp. Lane 4 g + t holds
// a = A(g,t) A(g+8,t) A(g,t+4) A(g+8,t+4); b = B(t,g) B(t+4,g); c = C(g,2t) C(g,2t+1) C(g+8,2t) C(g+8,2t+1). Operands are bit
// patterns of floats of which the hardware uses the top 19 bits. Sums are float32, k ascending; the device's order and rounding of a
// sum are not documented and differ.
void standin_mma_collective(float c[4], const uint32_t a[4], const uint32_t b[2]);

inline void standin_mma_tf32(float c[4], const uint32_t a[4], const uint32_t b[2]) {
#ifdef __SANITIZE_ADDRESS__
  // The sanitizer looks at kernels only: the ends of the fragments are read here.
  static_cast<void>(*static_cast<volatile float*>(c + 3));
  static_cast<void>(*static_cast<const volatile uint32_t*>(a + 3));
  static_cast<void>(*static_cast<const volatile uint32_t*>(b + 1));
#endif
  standin_mma_collective(c, a, b);
}

// PTX cvt.rna.tf32.f32: to 10 mantissa bits, to nearest, ties away from zero; the low 13 bits of the result are 0.
inline uint32_t standin_cvt_rna_tf32(float x) {
  uint32_t bits = standin_bits<uint32_t>(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits & 0x007fffffu ? 0x7fffffffu & ~0x1fffu : bits;
  return (bits + 0x1000u) & ~0x1fffu;
}
