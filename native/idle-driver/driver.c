// A libcuda.so.1 that does nothing and says that it did: all that is left of a computation's time is the host's. It gives out addresses
// that nothing may touch, and counts what it was asked for. What JCuda binds to besides (../standin/unsupported.cpp) returns 801.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))

typedef uint64_t CUdeviceptr;

// What is counted; HostCounts.java has the same order.
enum { LAUNCHES, PRODUCTS, UPLOADS, DOWNLOADS, DEVICE_COPIES, WAITS, ALLOCATIONS, BYTES_UP, BYTES_DOWN, GRAPHS, KINDS };
static int64_t counts[KINDS];
static __thread void* current;

static int count(int kind, int64_t n) {
  __atomic_add_fetch(&counts[kind], n, __ATOMIC_RELAXED);
  return 0;
}

// For the libcublas.so.13 beside this.
API void idle_product(void) { count(PRODUCTS, 1); }

// A native method needs no more of JNI than this.
API int64_t Java_dev_greenfield_benchmarks_HostCounts_count(void* env, void* type, int32_t kind) {
  (void)env, (void)type;
  return kind < 0 || kind >= KINDS ? -1 : __atomic_load_n(&counts[kind], __ATOMIC_RELAXED);
}

// The device: an H100 as far as planners look.
API int cuInit(unsigned flags) { return (void)flags, 0; }
API int cuDriverGetVersion(int* version) { return *version = 13000, 0; }
API int cuDeviceGetCount(int* n) { return *n = 1, 0; }
API int cuDeviceGet(int* device, int number) { return (void)number, *device = 0, 0; }
API int cuDeviceGetName(char* name, int length, int device) { return (void)device, strncpy(name, "Idle driver, no GPU", (size_t)length), 0; }
API int cuDeviceTotalMem_v2(size_t* bytes, int device) { return (void)device, *bytes = (size_t)80 << 30, 0; }
API int cuDeviceGetAttribute(int* value, int attribute, int device) {
  (void)device;
  switch (attribute) {
    case 16: return *value = 132, 0;     // MULTIPROCESSOR_COUNT
    case 38: return *value = 50 << 20, 0;  // L2_CACHE_SIZE
    case 75: return *value = 9, 0;       // COMPUTE_CAPABILITY_MAJOR
    case 76: return *value = 0, 0;       // COMPUTE_CAPABILITY_MINOR
    case 97: return *value = 232448, 0;  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    default: return *value = 0, 0;
  }
}

API int cuDevicePrimaryCtxRetain(void** context, int device) { return (void)device, *context = &counts, 0; }
API int cuDevicePrimaryCtxRelease_v2(int device) { return (void)device, 0; }
API int cuCtxSetCurrent(void* context) { return current = context, 0; }
API int cuCtxGetCurrent(void** context) { return *context = current, 0; }
API int cuCtxSynchronize(void) { return count(WAITS, 1); }
API int cuGetErrorName(int code, const char** name) { return *name = code == 0 ? "CUDA_SUCCESS" : "CUDA_ERROR_NOT_SUPPORTED", 0; }
API int cuGetErrorString(int code, const char** text) { return *text = code == 0 ? "no error" : "the idle driver has no such call", 0; }

API int cuModuleLoadDataEx(void** module, const void* image, unsigned n, int* options, void** values) {
  return (void)image, (void)n, (void)options, (void)values, *module = &counts, 0;
}
API int cuModuleLoadData(void** module, const void* image) { return cuModuleLoadDataEx(module, image, 0, NULL, NULL); }
API int cuModuleUnload(void* module) { return (void)module, 0; }
API int cuModuleGetFunction(void** function, void* module, const char* name) { return (void)module, (void)name, *function = &counts, 0; }
API int cuFuncSetAttribute(void* function, int attribute, int value) { return (void)function, (void)attribute, (void)value, 0; }
API int cuFuncGetAttribute(int* value, int attribute, void* function) { return (void)attribute, (void)function, *value = 0, 0; }

API int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned bx, unsigned by, unsigned bz, unsigned shared, void* stream,
                       void** arguments, void** extra) {
  (void)function, (void)x, (void)y, (void)z, (void)bx, (void)by, (void)bz, (void)shared, (void)stream, (void)arguments, (void)extra;
  return count(LAUNCHES, 1);
}

// Memory: addresses of none, 512 bytes apart from each other as a driver's are.
API int cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  static CUdeviceptr next = (CUdeviceptr)1 << 40;
  *address = __atomic_fetch_add(&next, (bytes + 511) / 512 * 512, __ATOMIC_RELAXED);
  return count(ALLOCATIONS, 1);
}
// Freeing waits for the device.
API int cuMemFree_v2(CUdeviceptr address) { return (void)address, count(WAITS, 1); }
API int cuMemGetInfo_v2(size_t* free, size_t* total) { return *free = *total = (size_t)80 << 30, 0; }
API int cuMemHostAlloc(void** host, size_t bytes, unsigned flags) {
  (void)flags;
  *host = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*host == NULL) return 2;
  memset(*host, 0, bytes);  // the pages are there before anyone looks at the clock
  return 0;
}
API int cuMemAllocHost_v2(void** host, size_t bytes) { return cuMemHostAlloc(host, bytes, 0); }
API int cuMemFreeHost(void* host) { return free(host), 0; }

// What is downloaded reads as zeros at its beginning: tests for numbers that are not finite look at a few, and a device's copies cost the
// host nothing.
static int down(void* to, size_t bytes) {
  memset(to, 0, bytes < 4096 ? bytes : 4096);
  count(BYTES_DOWN, (int64_t)bytes);
  return count(DOWNLOADS, 1);
}
API int cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, void* stream) {
  (void)to, (void)from, (void)stream;
  count(BYTES_UP, (int64_t)bytes);
  return count(UPLOADS, 1);
}
API int cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) { return count(WAITS, 1), cuMemcpyHtoDAsync_v2(to, from, bytes, NULL); }
API int cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, void* stream) { return (void)from, (void)stream, down(to, bytes); }
API int cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) { return (void)from, count(WAITS, 1), down(to, bytes); }
API int cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void* stream) {
  return (void)to, (void)from, (void)bytes, (void)stream, count(DEVICE_COPIES, 1);
}
API int cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, void* stream) {
  return (void)to, (void)value, (void)n, (void)stream, count(DEVICE_COPIES, 1);
}
API int cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, void* stream) {
  return (void)to, (void)value, (void)n, (void)stream, count(DEVICE_COPIES, 1);
}

API int cuStreamCreate(void** stream, unsigned flags) { return (void)flags, *stream = &counts, 0; }
API int cuStreamDestroy_v2(void* stream) { return (void)stream, 0; }
API int cuStreamSynchronize(void* stream) { return (void)stream, count(WAITS, 1); }
// A graph that is launched does nothing; what was captured for it was counted then.
API int cuStreamBeginCapture_v2(void* stream, int mode) { return (void)stream, (void)mode, 0; }
API int cuStreamEndCapture(void* stream, void** graph) { return (void)stream, *graph = &counts, 0; }
API int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long flags) {
  return (void)graph, (void)flags, *executable = &counts, 0;
}
API int cuGraphLaunch(void* executable, void* stream) { return (void)executable, (void)stream, count(GRAPHS, 1); }
API int cuGraphDestroy(void* graph) { return (void)graph, 0; }
API int cuGraphExecDestroy(void* executable) { return (void)executable, 0; }
API int cuStreamQuery(void* stream) { return (void)stream, 0; }
API int cuEventCreate(void** event, unsigned flags) { return (void)flags, *event = &counts, 0; }
API int cuEventDestroy_v2(void* event) { return (void)event, 0; }
API int cuEventRecord(void* event, void* stream) { return (void)event, (void)stream, 0; }
API int cuEventQuery(void* event) { return (void)event, 0; }
API int cuEventSynchronize(void* event) { return (void)event, count(WAITS, 1); }
API int cuEventElapsedTime(float* milliseconds, void* from, void* to) { return (void)from, (void)to, *milliseconds = 0, 0; }
