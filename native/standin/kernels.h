// The kernels that a stand-in has: name, how to call it, and for each argument its size and whether it is a pointer.
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

struct KernelArgument {
  size_t size;
  bool pointer;
};

struct Kernel {
  std::string name;
  void (*call)(void** arguments);  // runs one thread; arguments[i] points at the i-th argument
  std::vector<KernelArgument> arguments;
  int dynamic_shared_limit = 48 * 1024;  // what cuFuncSetAttribute raises
};

void register_kernel(Kernel kernel);
Kernel* find_kernel(const std::string& name);

template <auto kernel>
struct KernelCall;

template <class... A, void (*kernel)(A...)>
struct KernelCall<kernel> {
  template <size_t... i>
  static void unpack(void** arguments, std::index_sequence<i...>) {
    kernel(*static_cast<std::remove_cv_t<std::remove_reference_t<A>>*>(arguments[i])...);
  }
  static void call(void** arguments) { unpack(arguments, std::index_sequence_for<A...>{}); }
  static std::vector<KernelArgument> arguments() { return {{sizeof(A), std::is_pointer_v<A>}...}; }
};

#define REGISTER_KERNEL(name) \
  static const int standin_registered_##name = (register_kernel({#name, KernelCall<name>::call, KernelCall<name>::arguments()}), 0);
