// A libcublas.so.13 that counts products and does none; see driver.c.
#include <stddef.h>

#define API __attribute__((visibility("default")))

void idle_product(void);  // of the libcuda.so.1 beside this

static int product(void) { return idle_product(), 0; }

API int cublasCreate_v2(void** handle) { return *handle = &product, 0; }
API int cublasDestroy_v2(void* handle) { return (void)handle, 0; }
API int cublasSetStream_v2(void* handle, void* stream) { return (void)handle, (void)stream, 0; }
API int cublasSetWorkspace_v2(void* handle, void* workspace, size_t bytes) { return (void)handle, (void)workspace, (void)bytes, 0; }
API int cublasSetMathMode(void* handle, int mode) { return (void)handle, (void)mode, 0; }
API int cublasSetPointerMode_v2(void* handle, int mode) { return (void)handle, (void)mode, 0; }
API int cublasGetVersion_v2(void* handle, int* version) { return (void)handle, *version = 130000, 0; }
API const char* cublasGetStatusName(int status) { return status == 0 ? "CUBLAS_STATUS_SUCCESS" : "CUBLAS_STATUS_NOT_SUPPORTED"; }

// The arguments are not looked at, so that these need not name them.
API int cublasSgemm_v2() { return product(); }
API int cublasSgemmStridedBatched() { return product(); }
API int cublasGemmEx() { return product(); }
API int cublasGemmStridedBatchedEx() { return product(); }
API int cublasGemmBatchedEx() { return product(); }
