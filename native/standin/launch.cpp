// Entry points for modules, functions and launches.
#include <set>
#include <string>
#include <vector>

#include "device.h"
#include "fibers.h"
#include "graphs.h"
#include "memory.h"
#include "recorder.h"
#include "shared_memory.h"

CUresult check_stream(const char* call, void* stream);
bool is_host_allocation(uint64_t address);

namespace {

// A module's image is not looked into: its kernels are those that this library was built with.
std::set<char*> modules;

std::string shape(dim3 d) { return std::to_string(d.x) + " x " + std::to_string(d.y) + " x " + std::to_string(d.z); }

std::string wrong_shape(const Kernel& kernel, dim3 grid, dim3 block, unsigned shared) {
  auto within = [](unsigned n, unsigned limit) { return n >= 1 && n <= limit; };
  if (!within(grid.x, 2147483647u) || !within(grid.y, 65535) || !within(grid.z, 65535)) {
    return "a grid of " + shape(grid) + "; every side must be at least 1, y and z at most 65535";
  }
  if (!within(block.x, 1024) || !within(block.y, 1024) || !within(block.z, 64) || uint64_t(block.x) * block.y * block.z > kMaxThreads) {
    return "a block of " + shape(block) + " threads; at most 1024, 64 in z, and every side at least 1";
  }
  if (shared > unsigned(kernel.dynamic_shared_limit)) {
    return std::to_string(shared) + " bytes of dynamic shared memory; the kernel's limit is " + std::to_string(kernel.dynamic_shared_limit) +
           ", raised by cuFuncSetAttribute MAX_DYNAMIC_SHARED_SIZE_BYTES to at most " + std::to_string(kMaxSharedBytes);
  }
  return "";
}

// A pointer argument must be null or point into (or at the end of) an allocation: else it is freed memory or no pointer at all.
std::string wrong_argument(const Kernel& kernel, void** arguments) {
  for (size_t i = 0; i < kernel.arguments.size(); i++) {
    if (arguments[i] == nullptr) return "argument " + std::to_string(i) + " is missing";
    if (!kernel.arguments[i].pointer) continue;
    uint64_t address = *static_cast<uint64_t*>(arguments[i]);
    if (address != 0 && find_allocation(address) == nullptr && !is_host_allocation(address)) {
      return "pointer argument " + std::to_string(i) + " points into no allocation";
    }
    const Allocation* allocation = find_allocation(address);
    if (allocation != nullptr && allocation->device != current_device()) {
      return "pointer argument " + std::to_string(i) + " points into the memory of device " + std::to_string(allocation->device);
    }
  }
  return "";
}

// A launch whose shape was checked, on memory as it is now.
CUresult launch(const Kernel& kernel, dim3 grid, dim3 block, unsigned shared, void** arguments) {
  std::string wrong = wrong_argument(kernel, arguments);
  if (!wrong.empty()) return fail_device(CUDA_ERROR_ILLEGAL_ADDRESS, "kernel " + kernel.name + ": " + wrong);
  if (queue_failed()) return CUDA_SUCCESS;
  if (fault_planted(kernel.name)) return fail_in_queue(CUDA_ERROR_LAUNCH_FAILED, "kernel " + kernel.name + ": a planted fault");
  Launch launch = {&kernel, grid, block, shared, arguments};
  record_launch(launch);
  Fault fault = run_launch(launch);
  if (fault.code != 0) return fail_in_queue(fault.code, "kernel " + kernel.name + ", " + fault.what);
  std::string damage = damaged_redzones();
  if (!damage.empty()) return fail_in_queue(CUDA_ERROR_ILLEGAL_ADDRESS, "kernel " + kernel.name + " " + damage);
  return CUDA_SUCCESS;
}

// The values of a launch's arguments, which the caller may change once they were captured.
std::vector<std::string> values_of(const Kernel& kernel, void** arguments) {
  std::vector<std::string> values;
  for (size_t i = 0; i < kernel.arguments.size(); i++) values.emplace_back(static_cast<char*>(arguments[i]), kernel.arguments[i].size);
  return values;
}

}  // namespace

API CUresult cuModuleLoadData(void** module, const void* image) {
  ON_DEVICE();
  if (module == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
  char* handle = new char;
  modules.insert(handle);
  *module = handle;
  return CUDA_SUCCESS;
}

API CUresult cuModuleLoadDataEx(void** module, const void* image, unsigned, int*, void**) { return cuModuleLoadData(module, image); }

API CUresult cuModuleUnload(void* module) {
  ON_DEVICE();
  char* handle = static_cast<char*>(module);
  if (modules.erase(handle) == 0) return report(CUDA_ERROR_INVALID_HANDLE, "cuModuleUnload: not a module, or unloaded before");
  delete handle;
  return CUDA_SUCCESS;
}

API CUresult cuModuleGetFunction(void** function, void* module, const char* name) {
  ON_DEVICE();
  if (modules.count(static_cast<char*>(module)) == 0) return CUDA_ERROR_INVALID_HANDLE;
  Kernel* kernel = find_kernel(name);
  if (kernel == nullptr) return report(CUDA_ERROR_NOT_FOUND, std::string("no kernel is called ") + name + "; does its file say REGISTER_KERNEL?");
  *function = kernel;
  return CUDA_SUCCESS;
}

API CUresult cuFuncSetAttribute(void* function, int attribute, int value) {
  ON_DEVICE();
  if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  Kernel& kernel = *static_cast<Kernel*>(function);
  switch (attribute) {
    case 8:  // MAX_DYNAMIC_SHARED_SIZE_BYTES
      if (value < 0 || size_t(value) > kMaxSharedBytes) {
        return report(CUDA_ERROR_INVALID_VALUE, kernel.name + ": " + std::to_string(value) + " bytes of dynamic shared memory; a block has at most " +
                                                    std::to_string(kMaxSharedBytes));
      }
      kernel.dynamic_shared_limit = value;
      return CUDA_SUCCESS;
    case 9:  // PREFERRED_SHARED_MEMORY_CARVEOUT
      return value >= -1 && value <= 100 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

API CUresult cuFuncGetAttribute(int* value, int attribute, void* function) {
  ON_DEVICE();
  if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  switch (attribute) {
    case 0: *value = kMaxThreads; return CUDA_SUCCESS;                                        // MAX_THREADS_PER_BLOCK
    case 6: *value = 90; return CUDA_SUCCESS;                                                 // BINARY_VERSION
    case 8: *value = static_cast<Kernel*>(function)->dynamic_shared_limit; return CUDA_SUCCESS;  // MAX_DYNAMIC_SHARED_SIZE_BYTES
    default: return report(CUDA_ERROR_NOT_SUPPORTED, "cuFuncGetAttribute: attribute " + std::to_string(attribute) + " is known only to a compiled kernel");
  }
}

API CUresult cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                            unsigned block_z, unsigned shared, void* stream, void** arguments, void** extra) {
  ON_DEVICE();
  if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const Kernel& kernel = *static_cast<Kernel*>(function);
  if (CUresult state = check_stream("cuLaunchKernel", stream)) return state;
  if (extra != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
  dim3 grid(grid_x, grid_y, grid_z), block(block_x, block_y, block_z);
  std::string wrong = wrong_shape(kernel, grid, block, shared);
  if (!wrong.empty()) return report(CUDA_ERROR_INVALID_VALUE, "kernel " + kernel.name + ": " + wrong);
  if (arguments == nullptr && !kernel.arguments.empty()) return report(CUDA_ERROR_INVALID_VALUE, "kernel " + kernel.name + ": no arguments");
  if (!captures(stream)) return launch(kernel, grid, block, shared, arguments);
  return submit(stream, [&kernel, grid, block, shared, values = values_of(kernel, arguments)]() mutable {
    std::vector<void*> pointers;
    for (std::string& value : values) pointers.push_back(value.data());
    return launch(kernel, grid, block, shared, pointers.data());
  });
}
