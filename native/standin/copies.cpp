// Entry points for memory: allocations, copies and fills. All are done when they return.
#include <cstdlib>
#include <cstring>
#include <map>

#include "device.h"
#include "graphs.h"
#include "memory.h"
#include "recorder.h"

CUresult check_stream(const char* call, void* stream);

namespace {

std::map<char*, size_t> host_allocations;

void* at(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

CUresult to_device(const char* call, CUdeviceptr to, const void* from, size_t bytes) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (from == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult state = check_range(call, to, bytes)) return state;
  memcpy(at(to), from, bytes);
  record_to_device(to, from, bytes);
  return CUDA_SUCCESS;
}

CUresult to_host(const char* call, void* to, CUdeviceptr from, size_t bytes) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (to == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult state = check_range(call, from, bytes)) return state;
  memcpy(to, at(from), bytes);
  record_to_host(from, bytes);
  return CUDA_SUCCESS;
}

CUresult on_device(const char* call, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (CUresult state = check_range(call, to, bytes)) return state;
  if (CUresult state = check_range(call, from, bytes)) return state;
  if (to < from + bytes && from < to + bytes) return report(CUDA_ERROR_INVALID_VALUE, std::string(call) + ": source and destination overlap");
  memcpy(at(to), at(from), bytes);
  record_on_device(to, from, bytes);
  return CUDA_SUCCESS;
}

CUresult fill(const char* call, CUdeviceptr to, uint32_t value, unsigned unit, size_t count) {
  if (count == 0) return CUDA_SUCCESS;
  if (to % unit != 0) return report(CUDA_ERROR_INVALID_VALUE, std::string(call) + ": the address is not a multiple of the unit's size");
  if (CUresult state = check_range(call, to, unit * count)) return state;
  for (size_t i = 0; i < count; i++) memcpy(static_cast<char*>(at(to)) + unit * i, &value, unit);
  record_fill(to, value, unit, count);
  return CUDA_SUCCESS;
}

}  // namespace

bool is_host_allocation(uint64_t address) {
  char* p = static_cast<char*>(at(address));
  auto after = host_allocations.upper_bound(p);
  return after != host_allocations.begin() && p < std::prev(after)->first + std::prev(after)->second;
}

API CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  ON_DEVICE();
  if (address == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  uint64_t fresh = allocate_memory(current_device(), bytes);
  if (fresh == 0) return CUDA_ERROR_OUT_OF_MEMORY;
  *address = fresh;
  record_allocate(fresh, bytes);
  return CUDA_SUCCESS;
}

API CUresult cuMemFree_v2(CUdeviceptr address) {
  ON_DEVICE();
  if (address == 0) return CUDA_SUCCESS;
  std::string what;
  CUresult result = free_memory(address, &what);
  if (result == CUDA_ERROR_INVALID_VALUE) return report(result, "cuMemFree: " + what);
  record_free(address);
  return result == CUDA_SUCCESS ? CUDA_SUCCESS : fail_device(result, "before cuMemFree something " + what);
}

API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  ON_DEVICE();
  *free = memory_limit() - memory_in_use(current_device());
  *total = memory_limit();
  return CUDA_SUCCESS;
}

API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
  ON_DEVICE();
  const Allocation* allocation = find_allocation(address);
  if (allocation == nullptr) return CUDA_ERROR_NOT_FOUND;
  if (base != nullptr) *base = allocation->address;
  if (bytes != nullptr) *bytes = allocation->bytes;
  return CUDA_SUCCESS;
}

API CUresult cuMemHostAlloc(void** host, size_t bytes, unsigned) {
  ON_DEVICE();
  if (host == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  char* fresh = static_cast<char*>(aligned_alloc(4096, (bytes + 4095) / 4096 * 4096));
  if (fresh == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  memset(fresh, 0xff, bytes);
  host_allocations[fresh] = bytes;
  *host = fresh;
  return CUDA_SUCCESS;
}

API CUresult cuMemAllocHost_v2(void** host, size_t bytes) { return cuMemHostAlloc(host, bytes, 0); }

API CUresult cuMemFreeHost(void* host) {
  ON_DEVICE();
  if (host_allocations.erase(static_cast<char*>(host)) == 0) return report(CUDA_ERROR_INVALID_VALUE, "cuMemFreeHost: no host allocation begins at the address");
  free(host);
  return CUDA_SUCCESS;
}

API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  ON_DEVICE();
  return to_device("cuMemcpyHtoD", to, from, bytes);
}

API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  ON_DEVICE();
  return to_host("cuMemcpyDtoH", to, from, bytes);
}

API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  ON_DEVICE();
  return on_device("cuMemcpyDtoD", to, from, bytes);
}

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuMemcpyHtoDAsync", stream)) return state;
  return submit(stream, [=] { return to_device("cuMemcpyHtoDAsync", to, from, bytes); });
}

API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuMemcpyDtoHAsync", stream)) return state;
  return submit(stream, [=] { return to_host("cuMemcpyDtoHAsync", to, from, bytes); });
}

API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuMemcpyDtoDAsync", stream)) return state;
  return submit(stream, [=] { return on_device("cuMemcpyDtoDAsync", to, from, bytes); });
}

API CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  ON_DEVICE();
  return fill("cuMemsetD8", to, value, 1, count);
}

API CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  ON_DEVICE();
  return fill("cuMemsetD32", to, value, 4, count);
}

API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuMemsetD8Async", stream)) return state;
  return submit(stream, [=] { return fill("cuMemsetD8Async", to, value, 1, count); });
}

API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuMemsetD32Async", stream)) return state;
  return submit(stream, [=] { return fill("cuMemsetD32Async", to, value, 4, count); });
}
