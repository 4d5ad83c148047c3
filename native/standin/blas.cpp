// Stand-in libcublas.so.13: the entry points that our Java layer uses, on the stand-in device. It checks arguments as cuBLAS does;
// libcuda.so.1 checks the memory and computes (products.cpp).
#include <algorithm>
#include <cstdint>
#include <mutex>
#include <set>

#include "gemm.h"

#define API extern "C" __attribute__((visibility("default")))

namespace {

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { OP_N = 0, OP_T = 1, OP_C = 2 };
enum { REAL_32F = 0, REAL_16BF = 14 };          // cudaDataType
enum { COMPUTE_32F = 68, COMPUTE_32F_FAST_TF32 = 77 };
enum { TF32_TENSOR_OP_MATH = 3 };
enum { kVersion = 130000 };

struct Handle {
  void* stream = nullptr;
  int math_mode = 0;
};
std::mutex lock;
std::set<Handle*> handles;

bool valid(void* handle) {
  std::lock_guard<std::mutex> held(lock);
  return handles.count(static_cast<Handle*>(handle)) > 0;
}

// Leading dimensions are at least the rows that are stored.
Status check(int transpose_a, int transpose_b, const Gemm& g) {
  for (int op : {transpose_a, transpose_b}) {
    if (op != OP_N && op != OP_T && op != OP_C) return INVALID_VALUE;
  }
  if (g.m < 0 || g.n < 0 || g.k < 0 || g.batch < 0) return INVALID_VALUE;
  if (g.lda < std::max<int64_t>(1, g.transpose_a ? g.k : g.m)) return INVALID_VALUE;
  if (g.ldb < std::max<int64_t>(1, g.transpose_b ? g.n : g.k)) return INVALID_VALUE;
  if (g.ldc < std::max<int64_t>(1, g.m)) return INVALID_VALUE;
  return SUCCESS;
}

Status multiply(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha, const void* a, int64_t lda,
                int64_t a_stride, const void* b, int64_t ldb, int64_t b_stride, const void* beta, void* c, int64_t ldc, int64_t c_stride,
                int batch, int32_t factors) {
  if (!valid(handle)) return NOT_INITIALIZED;
  if (alpha == nullptr || beta == nullptr) return INVALID_VALUE;
  auto address = [](const void* p) { return reinterpret_cast<uint64_t>(p); };
  Gemm g = {address(a), address(b), address(c), a_stride, b_stride, c_stride, m, n, k, lda, ldb, ldc, transpose_a != OP_N, transpose_b != OP_N,
            batch, factors, *static_cast<const float*>(alpha), *static_cast<const float*>(beta)};
  if (factors == kFloatFactors && static_cast<Handle*>(handle)->math_mode == TF32_TENSOR_OP_MATH) g.factors = kTf32Factors;
  Status status = check(transpose_a, transpose_b, g);
  if (status != SUCCESS || m == 0 || n == 0 || batch == 0) return status;
  return standin_gemm(&g, static_cast<Handle*>(handle)->stream) == 0 ? SUCCESS : EXECUTION_FAILED;
}

// Both factors are float32 or both bf16; results and scalars are float32.
bool supported(int a_type, int b_type, int c_type, int compute) {
  if (a_type != b_type || c_type != REAL_32F) return false;
  if (a_type == REAL_16BF) return compute == COMPUTE_32F;
  return a_type == REAL_32F && (compute == COMPUTE_32F || compute == COMPUTE_32F_FAST_TF32);
}

int32_t factors(int type, int compute) { return type == REAL_16BF ? kBf16Factors : compute == COMPUTE_32F_FAST_TF32 ? kTf32Factors : kFloatFactors; }

}  // namespace

API int cublasCreate_v2(void** handle) {
  if (handle == nullptr) return INVALID_VALUE;
  if (standin_context_state() != 0) return NOT_INITIALIZED;
  std::lock_guard<std::mutex> held(lock);
  *handle = *handles.insert(new Handle).first;
  return SUCCESS;
}

API int cublasDestroy_v2(void* handle) {
  if (!valid(handle)) return NOT_INITIALIZED;
  std::lock_guard<std::mutex> held(lock);
  handles.erase(static_cast<Handle*>(handle));
  delete static_cast<Handle*>(handle);
  return SUCCESS;
}

API int cublasSetStream_v2(void* handle, void* stream) {
  if (!valid(handle)) return NOT_INITIALIZED;
  static_cast<Handle*>(handle)->stream = stream;
  return SUCCESS;
}

API int cublasGetStream_v2(void* handle, void** stream) {
  if (!valid(handle)) return NOT_INITIALIZED;
  *stream = static_cast<Handle*>(handle)->stream;
  return SUCCESS;
}

API int cublasSetWorkspace_v2(void* handle, void* workspace, size_t bytes) {
  if (!valid(handle)) return NOT_INITIALIZED;
  if (bytes > 0 && reinterpret_cast<uint64_t>(workspace) % 256 != 0) return INVALID_VALUE;
  return standin_check_range("cublasSetWorkspace", reinterpret_cast<uint64_t>(workspace), bytes) == 0 ? SUCCESS : INVALID_VALUE;
}

API int cublasSetMathMode(void* handle, int mode) {
  if (!valid(handle)) return NOT_INITIALIZED;
  if (mode < 0 || mode > TF32_TENSOR_OP_MATH) return INVALID_VALUE;
  static_cast<Handle*>(handle)->math_mode = mode;
  return SUCCESS;
}

API int cublasGetMathMode(void* handle, int* mode) {
  if (!valid(handle)) return NOT_INITIALIZED;
  *mode = static_cast<Handle*>(handle)->math_mode;
  return SUCCESS;
}

// Scalars lie in host memory here.
API int cublasSetPointerMode_v2(void* handle, int mode) {
  if (!valid(handle)) return NOT_INITIALIZED;
  return mode == 0 ? SUCCESS : NOT_SUPPORTED;
}

API int cublasGetVersion_v2(void*, int* version) {
  *version = kVersion;
  return SUCCESS;
}

API int cublasGetProperty(int property, int* value) {
  switch (property) {
    case 0: *value = kVersion / 10000; return SUCCESS;
    case 1: *value = kVersion / 100 % 100; return SUCCESS;
    case 2: *value = kVersion % 100; return SUCCESS;
    default: return INVALID_VALUE;
  }
}

API const char* cublasGetStatusName(int status) {
  switch (status) {
    case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "unknown status";
  }
}

API const char* cublasGetStatusString(int status) {
  switch (status) {
    case SUCCESS: return "success";
    case NOT_INITIALIZED: return "the library was not initialized";
    case INVALID_VALUE: return "an unsupported value or parameter was passed to the function";
    case EXECUTION_FAILED: return "the GPU program failed to execute";
    case NOT_SUPPORTED: return "the functionality requested is not supported";
    default: return "unknown status";
  }
}

API int cublasSgemm_v2(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const float* alpha, const float* a, int lda,
                       const float* b, int ldb, const float* beta, float* c, int ldc) {
  return multiply(handle, transpose_a, transpose_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1, kFloatFactors);
}

API int cublasGemmEx(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda,
                     const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc, int compute, int) {
  if (!supported(a_type, b_type, c_type, compute)) return NOT_SUPPORTED;
  return multiply(handle, transpose_a, transpose_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1, factors(a_type, compute));
}

API int cublasGemmStridedBatchedEx(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha, const void* a,
                                   int a_type, int lda, long long a_stride, const void* b, int b_type, int ldb, long long b_stride,
                                   const void* beta, void* c, int c_type, int ldc, long long c_stride, int batch, int compute, int) {
  if (!supported(a_type, b_type, c_type, compute)) return NOT_SUPPORTED;
  return multiply(handle, transpose_a, transpose_b, m, n, k, alpha, a, lda, a_stride, b, ldb, b_stride, beta, c, ldc, c_stride, batch,
                  factors(a_type, compute));
}
