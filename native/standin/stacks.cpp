#include "stacks.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

// Saves the callee-saved registers and the stack pointer, in *from, and goes on where `to` was saved. standin_resume is its second
// half alone, for traps.cpp.
extern "C" void standin_switch(void** from, void* to);
__asm__(
    ".text\n"
    ".globl standin_switch, standin_resume\n.hidden standin_switch, standin_resume\n"
    ".type standin_switch,@function\n.type standin_resume,@function\n"
    "standin_switch:\n"
    "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  mov %rsp, (%rdi)\n"
    "  mov %rsi, %rsp\n"
    "standin_resume:\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n"
    "  ret\n"
    ".size standin_switch, .-standin_switch\n");

namespace {

#ifdef __SANITIZE_ADDRESS__
enum : size_t { kStackBytes = 512 * 1024 };  // frames are larger with the sanitizer's redzones
#else
enum : size_t { kStackBytes = 64 * 1024 };
#endif
enum : size_t { kGuardBytes = 4096 };

void map_stack(Stack& stack, unsigned i) {
  void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
    fprintf(stderr, "stand-in CUDA: no memory for the stack of a fiber\n");
    abort();
  }
  stack.low = static_cast<char*>(memory) + kGuardBytes;
  // Frames begin at different cache lines, so that the lanes of a warp do not push each other out of the same cache set.
  stack.top = stack.low + kStackBytes - 192 * (i % 32) - 64;
}

#ifdef __SANITIZE_ADDRESS__
Context* left;  // the context that was left last: its stack's bounds become known on arrival
#endif

}  // namespace

Context begin_on(Stack& stack, unsigned i, void (*entry)()) {
  if (stack.low == nullptr) map_stack(stack, i);
  void** sp = reinterpret_cast<void**>(stack.top);
  *--sp = nullptr;  // entry has no caller; and its stack is aligned as after a call
  *--sp = reinterpret_cast<void*>(entry);
  for (int registers = 0; registers < 6; registers++) *--sp = nullptr;
#ifdef __SANITIZE_ADDRESS__
  return {sp, stack.low, kStackBytes};
#else
  return {sp};
#endif
}

#ifdef __SANITIZE_ADDRESS__
void arrive() {
  const void* low;
  size_t bytes;
  __sanitizer_finish_switch_fiber(nullptr, &low, &bytes);
  if (left != nullptr) left->low = low, left->bytes = bytes;
}

void switch_context(Context& from, const Context& to) {
  left = &from;
  void* fake_stack;
  __sanitizer_start_switch_fiber(&fake_stack, to.low, to.bytes);
  standin_switch(&from.stack_pointer, to.stack_pointer);
  const void* low;
  size_t bytes;
  __sanitizer_finish_switch_fiber(fake_stack, &low, &bytes);
  if (left != nullptr) left->low = low, left->bytes = bytes;
}

void leave_context(const Context& to) {
  left = nullptr;
  __sanitizer_start_switch_fiber(nullptr, to.low, to.bytes);
  void* nowhere;
  standin_switch(&nowhere, to.stack_pointer);
  __builtin_unreachable();
}
#else
void arrive() {}

void switch_context(Context& from, const Context& to) { standin_switch(&from.stack_pointer, to.stack_pointer); }

void leave_context(const Context& to) {
  void* nowhere;
  standin_switch(&nowhere, to.stack_pointer);
  __builtin_unreachable();
}
#endif
