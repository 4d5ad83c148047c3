#include "traps.h"

#include <ucontext.h>

#include <cstdint>
#include <cstdio>

#include "fibers.h"

extern "C" void standin_resume();  // stacks.cpp

namespace {

enum { kSignals = 3 };
const int kTrapped[kSignals] = {SIGSEGV, SIGBUS, SIGFPE};
struct sigaction before[kSignals];
alignas(16) char handler_stack[64 * 1024];  // one launch at a time

volatile sig_atomic_t trapped_signal;
void* volatile trapped_address;

void handle(int signal, siginfo_t* info, void* context) {
  if (kernel_runs_here()) {
    trapped_signal = signal;
    trapped_address = info->si_addr;
    // Goes on in the scheduler as if the fiber had switched to it; the fiber is never returned to.
    auto* machine = static_cast<ucontext_t*>(context);
    machine->uc_mcontext.gregs[REG_RSP] = greg_t(reinterpret_cast<intptr_t>(scheduler_stack_pointer()));
    machine->uc_mcontext.gregs[REG_RIP] = greg_t(reinterpret_cast<intptr_t>(standin_resume));
    return;
  }
  for (int i = 0; i < kSignals; i++) {
    if (kTrapped[i] != signal) continue;
    if (before[i].sa_flags & SA_SIGINFO) return before[i].sa_sigaction(signal, info, context);
    if (before[i].sa_handler == SIG_IGN) return;
    if (before[i].sa_handler != SIG_DFL) return before[i].sa_handler(signal);
  }
  struct sigaction ends_process = {};
  ends_process.sa_handler = SIG_DFL;
  sigaction(signal, &ends_process, nullptr);
}

}  // namespace

Traps::Traps() {
  stack_t stack = {};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, &stack_before);
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (int i = 0; i < kSignals; i++) {
    sigaction(kTrapped[i], nullptr, &before[i]);  // filled before the handler that reads it is there
    sigaction(kTrapped[i], &action, nullptr);
  }
}

Traps::~Traps() {
  for (int i = 0; i < kSignals; i++) sigaction(kTrapped[i], &before[i], nullptr);
  sigaltstack(&stack_before, nullptr);
}

Trap take_trap() {
  int signal = trapped_signal;
  trapped_signal = 0;
  if (signal == 0) return {0, ""};
  if (signal == SIGFPE) return {719, "divided an integer by zero"};
  char text[100];
  snprintf(text, sizeof text, "touched address 0x%llx, which is in no memory (or its stack overflowed)",
           static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(trapped_address)));
  return {700, text};
}
