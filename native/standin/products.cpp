// What libcuda.so.1 offers to the stand-in cuBLAS: products on its memory, checked and recorded as a launch is.
#include "device.h"
#include "gemm.h"
#include "graphs.h"
#include "memory.h"
#include "recorder.h"

CUresult check_stream(const char* call, void* stream);

namespace {

// Do all `batch` column-major matrices of `rows` x `columns` lie inside an allocation? An empty matrix does.
CUresult check_matrices(const char* name, uint64_t address, int64_t rows, int64_t columns, int64_t ld, int64_t stride, int64_t batch,
                        size_t bytes) {
  if (rows == 0 || columns == 0) return CUDA_SUCCESS;
  if (address % bytes != 0) return report(CUDA_ERROR_INVALID_VALUE, std::string("gemm: ") + name + " is not aligned as its elements");
  int64_t elements = (columns - 1) * ld + rows;
  int64_t first = stride < 0 ? (batch - 1) * stride : 0, last = stride < 0 ? 0 : (batch - 1) * stride;
  return check_range((std::string("gemm, matrix ") + name).c_str(), address + uint64_t(first * int64_t(bytes)), size_t(last - first + elements) * bytes);
}

// On memory as it is now.
CUresult multiply(const Gemm& g) {
  CUresult state = check_matrices("A", g.a, g.transpose_a ? g.k : g.m, g.transpose_a ? g.m : g.k, g.lda, g.a_stride, g.batch, factor_bytes(g));
  if (state == CUDA_SUCCESS) state = check_matrices("B", g.b, g.transpose_b ? g.n : g.k, g.transpose_b ? g.k : g.n, g.ldb, g.b_stride, g.batch, factor_bytes(g));
  if (state == CUDA_SUCCESS) state = check_matrices("C", g.c, g.m, g.n, g.ldc, g.c_stride, g.batch, sizeof(float));
  if (state != CUDA_SUCCESS) return fail_device(CUDA_ERROR_ILLEGAL_ADDRESS, "gemm: a matrix lies outside its allocation");
  if (queue_failed()) return CUDA_SUCCESS;
  if (fault_planted("gemm")) return fail_in_queue(CUDA_ERROR_LAUNCH_FAILED, "gemm: a planted fault");
  record_gemm(g);
  compute_gemm(g);
  return CUDA_SUCCESS;
}

}  // namespace

API CUresult standin_context_state() {
  ON_DEVICE();
  return CUDA_SUCCESS;
}

API CUresult standin_check_range(const char* call, uint64_t address, size_t bytes) {
  ON_DEVICE();
  return bytes == 0 ? CUDA_SUCCESS : check_range(call, address, bytes);
}

API CUresult standin_gemm(const Gemm* gemm, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("gemm", stream)) return state;
  return submit(stream, [g = *gemm] { return multiply(g); });
}
