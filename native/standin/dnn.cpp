// Stand-in libcudnn.so.9: softmax, its derivative and the addition of tensors, which is what the unfused attention of the GPU suite
// takes from cuDNN. Dense float tensors; softmax over the second dimension.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gemm.h"

#define API extern "C" __attribute__((visibility("default")))

namespace {

enum Status { SUCCESS = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000 };
enum { FORMAT_NCHW = 0, DATA_FLOAT = 0, SOFTMAX_ACCURATE = 1, MODE_CHANNEL = 1 };

struct Tensor {
  int n = 0, c = 0, h = 0, w = 0;

  int64_t size() const { return int64_t(n) * c * h * w; }
  int64_t inner() const { return int64_t(h) * w; }
};

const Tensor& tensor(const void* descriptor) { return *static_cast<const Tensor*>(descriptor); }
float scalar(const void* value) { return *static_cast<const float*>(value); }

bool inside(const char* call, const void* data, const Tensor& shape) {
  return standin_check_range(call, reinterpret_cast<uint64_t>(data), sizeof(float) * shape.size()) == 0;
}

// Calls f(element, to be reached in steps of `inner`) for each vector that a softmax runs over.
template <class F>
void for_each_vector(const Tensor& shape, F f) {
  for (int64_t n = 0; n < shape.n; n++) {
    for (int64_t e = 0; e < shape.inner(); e++) f(n * shape.c * shape.inner() + e);
  }
}

}  // namespace

API size_t cudnnGetVersion() { return 91000; }
API const char* cudnnGetErrorString(int status) {
  switch (status) {
    case SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
    case NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    default: return "CUDNN_STATUS_EXECUTION_FAILED";
  }
}
API int cudnnCreate(void** handle) { return *handle = new char, SUCCESS; }
API int cudnnDestroy(void* handle) { return delete static_cast<char*>(handle), SUCCESS; }
API int cudnnSetStream(void*, void*) { return SUCCESS; }
API int cudnnCreateTensorDescriptor(void** descriptor) { return *descriptor = new Tensor, SUCCESS; }
API int cudnnDestroyTensorDescriptor(void* descriptor) { return delete static_cast<Tensor*>(descriptor), SUCCESS; }

API int cudnnSetTensor4dDescriptor(void* descriptor, int format, int type, int n, int c, int h, int w) {
  if (format != FORMAT_NCHW || type != DATA_FLOAT) return NOT_SUPPORTED;
  if (n < 1 || c < 1 || h < 1 || w < 1) return BAD_PARAM;
  *static_cast<Tensor*>(descriptor) = {n, c, h, w};
  return SUCCESS;
}

// c = alpha a + beta c, a's dimensions of length 1 repeated.
API int cudnnAddTensor(void*, const void* alpha, const void* a_shape, const float* a, const void* beta, const void* c_shape, float* c) {
  const Tensor &from = tensor(a_shape), &to = tensor(c_shape);
  for (auto [have, want] : {std::pair(from.n, to.n), std::pair(from.c, to.c), std::pair(from.h, to.h), std::pair(from.w, to.w)}) {
    if (have != want && have != 1) return BAD_PARAM;
  }
  if (!inside("cudnnAddTensor", a, from) || !inside("cudnnAddTensor", c, to)) return EXECUTION_FAILED;
  int64_t at = 0;
  for (int n = 0; n < to.n; n++)
    for (int k = 0; k < to.c; k++)
      for (int h = 0; h < to.h; h++)
        for (int w = 0; w < to.w; w++, at++) {
          int64_t source = ((int64_t(n % from.n) * from.c + k % from.c) * from.h + h % from.h) * from.w + w % from.w;
          c[at] = scalar(alpha) * a[source] + (scalar(beta) == 0 ? 0 : scalar(beta) * c[at]);
        }
  return SUCCESS;
}

API int cudnnSoftmaxForward(void*, int algorithm, int mode, const void* alpha, const void* x_shape, const float* x, const void* beta,
                            const void* y_shape, float* y) {
  if (algorithm != SOFTMAX_ACCURATE || mode != MODE_CHANNEL || scalar(alpha) != 1 || scalar(beta) != 0) return NOT_SUPPORTED;
  const Tensor& shape = tensor(x_shape);
  if (shape.size() != tensor(y_shape).size()) return BAD_PARAM;
  if (!inside("cudnnSoftmaxForward", x, shape) || !inside("cudnnSoftmaxForward", y, shape)) return EXECUTION_FAILED;
  for_each_vector(shape, [&](int64_t at) {
    float highest = -INFINITY;
    double sum = 0;
    for (int k = 0; k < shape.c; k++) highest = std::max(highest, x[at + k * shape.inner()]);
    for (int k = 0; k < shape.c; k++) sum += std::exp(double(x[at + k * shape.inner()]) - highest);
    for (int k = 0; k < shape.c; k++) {
      y[at + k * shape.inner()] = float(std::exp(double(x[at + k * shape.inner()]) - highest) / sum);
    }
  });
  return SUCCESS;
}

// dx = y (dy - sum of y dy).
API int cudnnSoftmaxBackward(void*, int algorithm, int mode, const void* alpha, const void* y_shape, const float* y, const void* dy_shape,
                             const float* dy, const void* beta, const void* dx_shape, float* dx) {
  if (algorithm != SOFTMAX_ACCURATE || mode != MODE_CHANNEL || scalar(alpha) != 1 || scalar(beta) != 0) return NOT_SUPPORTED;
  const Tensor& shape = tensor(y_shape);
  if (shape.size() != tensor(dy_shape).size() || shape.size() != tensor(dx_shape).size()) return BAD_PARAM;
  for (const float* data : {y, dy, static_cast<const float*>(dx)}) {
    if (!inside("cudnnSoftmaxBackward", data, shape)) return EXECUTION_FAILED;
  }
  for_each_vector(shape, [&](int64_t at) {
    double mean = 0;
    for (int k = 0; k < shape.c; k++) mean += double(y[at + k * shape.inner()]) * dy[at + k * shape.inner()];
    for (int k = 0; k < shape.c; k++) {
      int64_t e = at + k * shape.inner();
      dx[e] = float(y[e] * (dy[e] - mean));
    }
  });
  return SUCCESS;
}
