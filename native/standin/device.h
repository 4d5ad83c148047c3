// State of the stand-in device that the entry points share: the lock, the sticky error, reports on stderr.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#define API extern "C" __attribute__((visibility("default")))

typedef int CUresult;
typedef uint64_t CUdeviceptr;
enum : CUresult {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_SUPPORTED = 801,
};

// Held by every entry point: one thing happens on the device at a time.
std::mutex& device_lock();

// What a call that needs the calling thread's context returns before it does anything: an error, or CUDA_SUCCESS.
CUresult context_state();

// As many as GREENFIELD_STANDIN_DEVICES says, 1 where unset. What belongs to one cannot be used in the context of another.
enum { kMostDevices = 8 };

// The device of the calling thread's context; 0 where it has none.
int current_device();

// One line on stderr; returns `code`.
CUresult report(CUresult code, const std::string& what);

// As report, and every later call that needs the device returns `code` too, as after a fault on a device.
CUresult fail_device(CUresult code, const std::string& what);

// As fail_device, for what fails while the device works on its queue. With GREENFIELD_STANDIN_LATE_FAULTS set it comes out as on a device:
// the call that queued the work succeeds, what is queued behind it is not run, and the next call that waits for the device fails.
CUresult fail_in_queue(CUresult code, const std::string& what);

// Does GREENFIELD_STANDIN_FAULT name this kernel, or `gemm`? It is then to fail.
bool fault_planted(const std::string& name);

// Has something in the queue failed that nobody was told of?
bool queue_failed();

// What a call that waits for the device returns.
CUresult drain_queue();

// Begins an entry point that needs the device.
#define ON_DEVICE()                                       \
  std::lock_guard<std::mutex> held(device_lock());        \
  if (CUresult state = context_state()) return state

// Checks a range that a copy or fill would touch.
CUresult check_range(const char* call, CUdeviceptr address, size_t bytes);
