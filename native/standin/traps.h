// Ends a launch whose kernel touches memory that is not mapped, overflows its fiber's stack or divides an integer by zero, in place of
// the process. Only while a launch runs, and only for the thread that runs it; other threads' signals go to the handlers of before (a
// JVM's need them).
#pragma once

#include <csignal>

#include <string>

class Traps {
 public:
  Traps();
  ~Traps();

 private:
  stack_t stack_before;
};

// What was trapped since the last call; false if nothing.
struct Trap {
  int code;
  std::string what;
  explicit operator bool() const { return code != 0; }
};
Trap take_trap();
