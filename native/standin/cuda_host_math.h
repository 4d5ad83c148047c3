// CUDA's scalar functions that <math.h> does not have. The fast ones (__expf, ...) are the exact ones here: the stand-in has float32's
// rounding but not the device's error bounds of its approximations.
#pragma once

#include <math.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

template <class A, class B>
inline std::common_type_t<A, B> min(A a, B b) {
  using T = std::common_type_t<A, B>;
  return T(b) < T(a) ? T(b) : T(a);
}
template <class A, class B>
inline std::common_type_t<A, B> max(A a, B b) {
  using T = std::common_type_t<A, B>;
  return T(a) < T(b) ? T(b) : T(a);
}
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }

template <class To, class From>
inline To standin_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
inline unsigned __float_as_uint(float x) { return standin_bits<unsigned>(x); }
inline int __float_as_int(float x) { return standin_bits<int>(x); }
inline float __uint_as_float(unsigned x) { return standin_bits<float>(x); }
inline float __int_as_float(int x) { return standin_bits<float>(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(unsigned(x)); }

template <class T>
inline T __ldg(const T* p) {
  return *p;
}

// Fibers do not preempt each other, so plain read-modify-write is atomic.
template <class T>
inline T atomicAdd(T* p, std::common_type_t<T> value) {
  T old = *p;
  *p = old + value;
  return old;
}
template <class T>
inline T atomicMax(T* p, std::common_type_t<T> value) {
  T old = *p;
  *p = max(old, value);
  return old;
}
inline void __threadfence() {}
inline void __threadfence_block() {}
