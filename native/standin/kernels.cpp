#include "kernels.h"

#include <map>

namespace {
std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> all;  // made on first use: kernels register before main
  return all;
}
}  // namespace

void register_kernel(Kernel kernel) {
  std::string name = kernel.name;
  kernels()[name] = std::move(kernel);
}

Kernel* find_kernel(const std::string& name) {
  auto found = kernels().find(name);
  return found == kernels().end() ? nullptr : &found->second;
}
