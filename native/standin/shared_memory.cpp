#include "shared_memory.h"

#include <cstdlib>
#include <cstring>

char* standin_dynamic_shared;

// build.sh links these two around the kernels, so that they enclose every __shared__ array.
extern char standin_shared_begin[], standin_shared_end[];

namespace {

// Not memset: a sanitizer would take it for an overrun of the first array.
void fill_static_shared() {
  void* to = standin_shared_begin;
  size_t count = size_t(standin_shared_end - standin_shared_begin);
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0xff) : "memory");
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
// Exactly as many bytes as the launch asks for, so that the sanitizer sees an overrun; it has redzones between static arrays anyway.
void fill_shared_memory(size_t dynamic_bytes) {
  static size_t bytes = 0;
  if (dynamic_bytes != bytes) {
    free(standin_dynamic_shared);
    standin_dynamic_shared = nullptr;
    if (dynamic_bytes > 0 && posix_memalign(reinterpret_cast<void**>(&standin_dynamic_shared), 128, dynamic_bytes) != 0) abort();
    bytes = dynamic_bytes;
  }
  if (bytes > 0) memset(standin_dynamic_shared, 0xff, bytes);
  fill_static_shared();
}

bool shared_memory_overrun(size_t) { return false; }
#else
namespace {
enum : size_t { kRedzone = 1024 };
alignas(128) char dynamic_shared[kMaxSharedBytes + kRedzone];
}  // namespace

void fill_shared_memory(size_t dynamic_bytes) {
  standin_dynamic_shared = dynamic_shared;
  memset(dynamic_shared, 0xff, dynamic_bytes + kRedzone);
  fill_static_shared();
}

bool shared_memory_overrun(size_t dynamic_bytes) {
  for (size_t i = 0; i < kRedzone; i++) {
    if (dynamic_shared[dynamic_bytes + i] != char(0xff)) return true;
  }
  return false;
}
#endif
