// Stacks for fibers, and going from one to another.
#pragma once

#include <cstddef>

struct Stack {
  char* low = nullptr;  // above a guard page; null until it is first used
  char* top = nullptr;  // where frames begin
};

// Where something waits.
struct Context {
  void* stack_pointer;
#ifdef __SANITIZE_ADDRESS__
  const void* low;  // of its stack
  size_t bytes;
#endif
};

// A context in which `entry` begins on stack number `i`. `entry` calls arrive() first and never returns.
Context begin_on(Stack& stack, unsigned i, void (*entry)());
void arrive();

// Goes to `to`; returns when something goes to `from`.
void switch_context(Context& from, const Context& to);

// Goes to `to`, and the stack it is called on is not returned to.
[[noreturn]] void leave_context(const Context& to);
