// Products on tensor cores. One m16n8k8 product is C [16,8] += A [16,8] B [8,8], spread over a warp: with g = lane / 4 and t = lane % 4,
//   A: (g,t) (g+8,t) (g,t+4) (g+8,t+4)    B: (t,g) (t+4,g)    C: (g,2t) (g,2t+1) (g+8,2t) (g+8,2t+1).
// The hardware multiplies tf32 numbers, which are floats whose low 13 bits it ignores, and adds up in float32.
//
// Tf32 rounds each operand once. Fp32 is "3xTF32": an operand is the sum of two tf32 numbers, high + low, and
// a b = low_a high_b + high_a low_b + high_a high_b; what is left out is 2^-22 of the product. The hardware's additions do not round
// to nearest, so Fp32 starts each pair of products from zero, the small terms first, and adds the result to C by an ordinary addition.
#pragma once
#include "common.cuh"

struct Tf32 {
  enum { PARTS = 1 };
};
struct Fp32 {
  enum { PARTS = 2 };
};

// N operands of one lane, as the hardware takes them: their high parts, then for Fp32 their low parts.
template <class Precision, int N>
struct Fragment {
  uint32_t part[Precision::PARTS][N];
};

enum { TF32_BITS = 0xffffe000u };

// What the hardware's cut of the low 13 bits turns into a rounding of x: adding half a unit of what is kept, on average over the
// mantissas, leaves an error of at most 0.7 units and none on average. One multiplication, which keeps NaNs and infinities, where
// rounding to nearest takes three instructions.
__device__ __forceinline__ float rounding_tf32(float x) { return x * (1 + 0.6931f / 2048); }

__device__ __forceinline__ void set(Fragment<Tf32, 2>& f, int i, float x) { f.part[0][i] = __float_as_uint(rounding_tf32(x)); }
__device__ __forceinline__ void set(Fragment<Tf32, 4>& f, int i, float x) { f.part[0][i] = __float_as_uint(rounding_tf32(x)); }

// The low part of a NaN is a NaN, so the high part may lose it.
template <int N>
__device__ __forceinline__ void set(Fragment<Fp32, N>& f, int i, float x) {
  uint32_t high = (__float_as_uint(x) + 0x1000u) & TF32_BITS;
  f.part[0][i] = high;
  f.part[1][i] = __float_as_uint(x - __uint_as_float(high));
}

// What a tile in shared memory keeps of a number, and an operand made of it: for Tf32 the rounding is done once for all its readers.
template <class Precision>
__device__ __forceinline__ float kept(float x) {
  return Precision::PARTS == 1 ? rounding_tf32(x) : x;
}

template <class Precision, bool KEPT>
__device__ __forceinline__ Fragment<Precision, 4> left(float a0, float a1, float a2, float a3) {
  Fragment<Precision, 4> f;
  if (KEPT && Precision::PARTS == 1) {
    f.part[0][0] = __float_as_uint(a0), f.part[0][1] = __float_as_uint(a1);
    f.part[0][2] = __float_as_uint(a2), f.part[0][3] = __float_as_uint(a3);
  } else {
    set(f, 0, a0), set(f, 1, a1), set(f, 2, a2), set(f, 3, a3);
  }
  return f;
}

template <class Precision, bool KEPT>
__device__ __forceinline__ Fragment<Precision, 2> right(float b0, float b1) {
  Fragment<Precision, 2> f;
  if (KEPT && Precision::PARTS == 1) {
    f.part[0][0] = __float_as_uint(b0), f.part[0][1] = __float_as_uint(b1);
  } else {
    set(f, 0, b0), set(f, 1, b1);
  }
  return f;
}

// The statements are volatile, so that the compiler neither moves them into a branch that a part of the warp takes nor makes one of two.
__device__ __forceinline__ void mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef __CUDACC__
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  standin_mma_tf32(c, a, b);
#endif
}

// c = a b.
__device__ __forceinline__ void first_mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef __CUDACC__
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %10, %10, %10};"
      : "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(0.0f));
#else
  c[0] = c[1] = c[2] = c[3] = 0;
  standin_mma_tf32(c, a, b);
#endif
}

// c += a0 b0 + a1 b1. SWAPPED takes the small terms in the order in which the product of the operands' transposes has them: B' A' swapped
// has the very bits of A B.
template <bool SWAPPED = false>
__device__ __forceinline__ void multiply_add(
    float (&c)[4],
    const Fragment<Tf32, 4>& a0,
    const Fragment<Tf32, 2>& b0,
    const Fragment<Tf32, 4>& a1,
    const Fragment<Tf32, 2>& b1) {
  mma(c, a0.part[0], b0.part[0]);
  mma(c, a1.part[0], b1.part[0]);
}

template <bool SWAPPED = false>
__device__ __forceinline__ void multiply_add(
    float (&c)[4],
    const Fragment<Fp32, 4>& a0,
    const Fragment<Fp32, 2>& b0,
    const Fragment<Fp32, 4>& a1,
    const Fragment<Fp32, 2>& b1) {
  float sum[4];
  constexpr int FIRST = SWAPPED ? 0 : 1, SECOND = 1 - FIRST;
  first_mma(sum, a0.part[FIRST], b0.part[SECOND]);
  mma(sum, a0.part[SECOND], b0.part[FIRST]);
  mma(sum, a1.part[FIRST], b1.part[SECOND]);
  mma(sum, a1.part[SECOND], b1.part[FIRST]);
  mma(sum, a0.part[0], b0.part[0]);
  mma(sum, a1.part[0], b1.part[0]);
  for (int i = 0; i < 4; i++) c[i] += sum[i];
}
