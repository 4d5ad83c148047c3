// Entry points for the driver, its devices and their primary contexts.
#include "device.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "memory.h"

namespace {

bool initialized;
struct Device {
  unsigned retained = 0;  // how often its primary context was retained
  CUresult sticky = CUDA_SUCCESS;
  CUresult late = CUDA_SUCCESS;  // a fault that comes out when someone waits
};
Device devices[kMostDevices];  // the address of each is its context's handle
thread_local Device* current;  // context

int device_count() {
  static const int count = [] {
    const char* text = getenv("GREENFIELD_STANDIN_DEVICES");
    int asked = text != nullptr ? atoi(text) : 1;
    return asked < 1 ? 1 : asked > kMostDevices ? int(kMostDevices) : asked;
  }();
  return count;
}

// What an H100 says, since kernels and planners are tuned to such a device.
const std::map<int, int>& attributes() {
  static const std::map<int, int> all = {
      {1, 1024},        // MAX_THREADS_PER_BLOCK
      {2, 1024},        // MAX_BLOCK_DIM_X
      {3, 1024},        // MAX_BLOCK_DIM_Y
      {4, 64},          // MAX_BLOCK_DIM_Z
      {5, 2147483647},  // MAX_GRID_DIM_X
      {6, 65535},       // MAX_GRID_DIM_Y
      {7, 65535},       // MAX_GRID_DIM_Z
      {8, 49152},       // MAX_SHARED_MEMORY_PER_BLOCK
      {9, 65536},       // TOTAL_CONSTANT_MEMORY
      {10, 32},         // WARP_SIZE
      {11, 2147483647}, // MAX_PITCH
      {12, 65536},      // MAX_REGISTERS_PER_BLOCK
      {13, 1980000},    // CLOCK_RATE, kHz
      {15, 1},          // GPU_OVERLAP
      {16, 132},        // MULTIPROCESSOR_COUNT
      {17, 0},          // KERNEL_EXEC_TIMEOUT
      {18, 0},          // INTEGRATED
      {19, 1},          // CAN_MAP_HOST_MEMORY
      {20, 0},          // COMPUTE_MODE
      {31, 1},          // CONCURRENT_KERNELS
      {32, 1},          // ECC_ENABLED
      {33, 0},          // PCI_BUS_ID
      {34, 0},          // PCI_DEVICE_ID
      {35, 0},          // TCC_DRIVER
      {36, 2619000},    // MEMORY_CLOCK_RATE, kHz
      {37, 5120},       // GLOBAL_MEMORY_BUS_WIDTH
      {38, 52428800},   // L2_CACHE_SIZE
      {39, 2048},       // MAX_THREADS_PER_MULTIPROCESSOR
      {40, 3},          // ASYNC_ENGINE_COUNT
      {41, 1},          // UNIFIED_ADDRESSING
      {50, 0},          // PCI_DOMAIN_ID
      {75, 9},          // COMPUTE_CAPABILITY_MAJOR
      {76, 0},          // COMPUTE_CAPABILITY_MINOR
      {81, 233472},     // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
      {82, 65536},      // MAX_REGISTERS_PER_MULTIPROCESSOR
      {83, 0},          // MANAGED_MEMORY
      {90, 1},          // COMPUTE_PREEMPTION_SUPPORTED
      {95, 0},          // COOPERATIVE_LAUNCH
      {97, 232448},     // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
      {106, 32},        // MAX_BLOCKS_PER_MULTIPROCESSOR
      {111, 1024},      // RESERVED_SHARED_MEMORY_PER_BLOCK
      {115, 0},         // MEMORY_POOLS_SUPPORTED
  };
  return all;
}

CUresult check_device(int device) {
  if (!initialized) return CUDA_ERROR_NOT_INITIALIZED;
  return device >= 0 && device < device_count() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

struct ErrorText {
  CUresult code;
  const char *name, *text;
};
const ErrorText kErrors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {CUDA_ERROR_MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
};

}  // namespace

std::mutex& device_lock() {
  static std::mutex lock;
  return lock;
}

CUresult context_state() {
  if (!initialized) return CUDA_ERROR_NOT_INITIALIZED;
  if (current == nullptr || current->retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
  return current->sticky;
}

int current_device() { return current == nullptr ? 0 : int(current - devices); }

CUresult report(CUresult code, const std::string& what) {
  fprintf(stderr, "stand-in CUDA: %s (error %d)\n", what.c_str(), code);
  return code;
}

CUresult fail_device(CUresult code, const std::string& what) {
  devices[current_device()].sticky = code;
  return report(code, what);
}

CUresult fail_in_queue(CUresult code, const std::string& what) {
  if (getenv("GREENFIELD_STANDIN_LATE_FAULTS") == nullptr) return fail_device(code, what);
  devices[current_device()].late = report(code, what);
  return CUDA_SUCCESS;
}

bool fault_planted(const std::string& name) {
  const char* planted = getenv("GREENFIELD_STANDIN_FAULT");
  return planted != nullptr && name == planted;
}

bool queue_failed() { return devices[current_device()].late != CUDA_SUCCESS; }

CUresult drain_queue() {
  Device& device = devices[current_device()];
  if (device.late != CUDA_SUCCESS) device.sticky = device.late;
  return device.sticky;
}

CUresult check_range(const char* call, CUdeviceptr address, size_t bytes) {
  const Allocation* allocation = find_allocation(address);
  if (allocation == nullptr || !inside_allocation(address, bytes)) {
    return report(CUDA_ERROR_INVALID_VALUE, std::string(call) + ": " + std::to_string(bytes) + " bytes at the given address are not inside one allocation");
  }
  if (allocation->device != current_device()) {
    return report(CUDA_ERROR_INVALID_VALUE, std::string(call) + ": the memory is device " + std::to_string(allocation->device) + "'s, the context device " +
                                                std::to_string(current_device()) + "'s");
  }
  std::string damage = damaged_redzone(*allocation);
  return damage.empty() ? CUDA_SUCCESS : fail_device(CUDA_ERROR_ILLEGAL_ADDRESS, std::string("before ") + call + " something " + damage);
}

API CUresult cuInit(unsigned flags) {
  std::lock_guard<std::mutex> lock(device_lock());
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  initialized = true;
  return CUDA_SUCCESS;
}

API CUresult cuDriverGetVersion(int* version) {
  if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *version = 13000;
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGetCount(int* count) {
  if (!initialized) return CUDA_ERROR_NOT_INITIALIZED;
  *count = device_count();
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGet(int* device, int ordinal) {
  if (CUresult state = check_device(ordinal)) return state;
  *device = ordinal;
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGetName(char* name, int length, int device) {
  if (CUresult state = check_device(device)) return state;
  if (length < 1) return CUDA_ERROR_INVALID_VALUE;
  snprintf(name, size_t(length), "Host stand-in, no GPU");
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGetUuid(char uuid[16], int device) {
  if (CUresult state = check_device(device)) return state;
  memcpy(uuid, "host-standin-gpu", 16);
  uuid[15] = char('u' + device);
  return CUDA_SUCCESS;
}

API CUresult cuDeviceTotalMem_v2(size_t* bytes, int device) {
  if (CUresult state = check_device(device)) return state;
  *bytes = memory_limit();
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (CUresult state = check_device(device)) return state;
  auto found = attributes().find(attribute);
  if (found == attributes().end()) {
    return report(CUDA_ERROR_INVALID_VALUE, "cuDeviceGetAttribute: attribute " + std::to_string(attribute) + " has no value here");
  }
  *value = found->second;
  return CUDA_SUCCESS;
}

API CUresult cuDevicePrimaryCtxRetain(void** context, int device) {
  std::lock_guard<std::mutex> lock(device_lock());
  if (CUresult state = check_device(device)) return state;
  devices[device].retained++;
  *context = &devices[device];
  return devices[device].sticky;
}

API CUresult cuDevicePrimaryCtxRelease_v2(int device) {
  std::lock_guard<std::mutex> lock(device_lock());
  if (CUresult state = check_device(device)) return state;
  if (devices[device].retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
  devices[device].retained--;
  return CUDA_SUCCESS;
}

API CUresult cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  std::lock_guard<std::mutex> lock(device_lock());
  if (CUresult state = check_device(device)) return state;
  *flags = 0;
  *active = devices[device].retained > 0;
  return CUDA_SUCCESS;
}

API CUresult cuCtxSetCurrent(void* context) {
  std::lock_guard<std::mutex> lock(device_lock());
  if (!initialized) return CUDA_ERROR_NOT_INITIALIZED;
  Device* known = nullptr;
  for (Device& device : devices) {
    if (context == &device && device.retained > 0) known = &device;
  }
  if (context != nullptr && known == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  current = known;
  return CUDA_SUCCESS;
}

API CUresult cuCtxGetCurrent(void** context) {
  if (!initialized) return CUDA_ERROR_NOT_INITIALIZED;
  *context = current;
  return CUDA_SUCCESS;
}

API CUresult cuCtxGetDevice(int* device) {
  ON_DEVICE();
  *device = current_device();
  return CUDA_SUCCESS;
}

API CUresult cuCtxSynchronize() {
  ON_DEVICE();
  return drain_queue();
}

API CUresult cuGetErrorName(CUresult code, const char** name) {
  for (const ErrorText& error : kErrors) {
    if (error.code == code) return *name = error.name, CUDA_SUCCESS;
  }
  *name = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}

API CUresult cuGetErrorString(CUresult code, const char** text) {
  for (const ErrorText& error : kErrors) {
    if (error.code == code) return *text = error.text, CUDA_SUCCESS;
  }
  *text = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}
