// The kernels are compiled with -fsanitize=null,alignment, of which g++ makes a call of this function where a pointer is null or not a
// multiple of its type's alignment. It ends the launch as a device does; the sanitizers' own library is not linked.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "fibers.h"

namespace {
// What g++ passes (libsanitizer, ubsan_handlers.h).
struct SourceLocation {
  const char* file;
  uint32_t line, column;
};
struct TypeDescriptor {
  uint16_t kind, info;
  char name[1];
};
struct TypeMismatch {
  SourceLocation location;
  const TypeDescriptor* type;
  unsigned char log_alignment, check;
};
}  // namespace

extern "C" void __ubsan_handle_type_mismatch_v1(TypeMismatch* mismatch, uintptr_t pointer) {
  std::string where = std::string(mismatch->location.file) + ":" + std::to_string(mismatch->location.line);
  std::string type = mismatch->type->name;
  if (!kernel_runs_here()) {
    fprintf(stderr, "stand-in CUDA: misaligned or null pointer outside a launch at %s\n", where.c_str());
    abort();
  }
  if (pointer == 0) end_launch(700, "null pointer to " + type + " used at " + where);
  end_launch(716, "address of a " + type + " is not a multiple of " + std::to_string(1 << mismatch->log_alignment) + " bytes at " + where);
}
