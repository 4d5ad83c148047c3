#include "fibers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "shared_memory.h"
#include "warp.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

// Pushes the callee-saved registers, stores the stack pointer in *from and goes on where `to` was stored.
extern "C" void standin_switch(void** from, void* to);
__asm__(
    ".text\n.globl standin_switch\n.hidden standin_switch\n.type standin_switch,@function\n"
    "standin_switch:\n"
    "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  mov %rsp, (%rdi)\n"
    "  mov %rsi, %rsp\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n"
    "  ret\n"
    ".size standin_switch, .-standin_switch\n");

namespace {

#ifdef __SANITIZE_ADDRESS__
enum : size_t { kStackBytes = 256 * 1024 };  // frames are larger with the sanitizer's redzones
#else
enum : size_t { kStackBytes = 64 * 1024 };
#endif
enum : size_t { kGuardBytes = 4096 };

struct Stack {
  char* low = nullptr;  // above the guard page
  char* top = nullptr;  // where frames begin
};

enum class State : uint8_t { fresh, ready, at_barrier, at_collective, ended };

struct Thread {
  void* stack_pointer;  // while it waits
  Stack* stack;
  uint3 index;
  State state;
};

// All that a running block needs. One launch runs at a time (the device's lock), so there is one.
struct Block {
  Thread threads[kMaxThreads];
  uint32_t can_run[kMaxWarps];  // a bit for each lane that is fresh or ready
  uint32_t warps_can_run;       // a bit for each warp with such a lane
  unsigned count, current, at_barrier, ended;
  const Launch* launch;
  void* scheduler;  // stack pointer of run_block
  Stack* free_stacks[kMaxThreads];
  unsigned free_count;
  Fault fault;
  bool running;
};
Block block;
thread_local bool runs_here;

Stack stacks[kMaxThreads];
#ifdef __SANITIZE_ADDRESS__
const void* scheduler_low;
size_t scheduler_bytes;
#endif

void map_stack(unsigned i) {
  void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    fprintf(stderr, "stand-in CUDA: no memory for fiber stacks\n");
    abort();
  }
  mprotect(memory, kGuardBytes, PROT_NONE);
  stacks[i].low = static_cast<char*>(memory) + kGuardBytes;
  // Stacks begin at different cache lines, so that the lanes of a warp do not push each other out of the same cache set.
  stacks[i].top = stacks[i].low + kStackBytes - 192 * (i % kLanes) - 64;
}

[[noreturn]] void thread_loop();

// `dying`: the stack that is left will not be returned to.
void switch_stack(void** from, void* to, const void* low, size_t bytes, [[maybe_unused]] bool dying) {
#ifdef __SANITIZE_ADDRESS__
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(dying ? nullptr : &fake, low, bytes);
  standin_switch(from, to);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
  (void)low, (void)bytes;
  standin_switch(from, to);
#endif
}

void to_scheduler(void** from, bool dying) {
#ifdef __SANITIZE_ADDRESS__
  switch_stack(from, block.scheduler, scheduler_low, scheduler_bytes, dying);
#else
  switch_stack(from, block.scheduler, nullptr, 0, dying);
#endif
}

// A free stack on which thread_loop begins when it is switched to.
Stack* take_stack(void** stack_pointer) {
  Stack* stack = block.free_stacks[--block.free_count];
  if (stack->low == nullptr) map_stack(unsigned(stack - stacks));
  void** sp = reinterpret_cast<void**>(stack->top);
  *--sp = nullptr;  // thread_loop has no caller; keeps the stack 16-byte aligned as after a call
  *--sp = reinterpret_cast<void*>(thread_loop);
  sp -= 6;
  memset(sp, 0, 6 * sizeof *sp);
  *stack_pointer = sp;
  return stack;
}

enum : unsigned { kNobody = ~0u };

// The next thread that can run: of the current warp, else of the next one; kNobody if there is none.
unsigned next_thread() {
  unsigned warp = block.current / kLanes, lane = block.current % kLanes;
  uint32_t lanes = block.can_run[warp];
  if (lanes == 0) {
    if (block.warps_can_run == 0) return kNobody;
    uint32_t later = block.warps_can_run & ~((2u << warp) - 1);
    warp = unsigned(__builtin_ctz(later ? later : block.warps_can_run));
    lanes = block.can_run[warp];
    return warp * kLanes + unsigned(__builtin_ctz(lanes));
  }
  uint32_t later = lanes & ~((2u << lane) - 1);
  return warp * kLanes + unsigned(__builtin_ctz(later ? later : lanes));
}

void can_run(unsigned warp, uint32_t lanes) {
  block.can_run[warp] |= lanes;
  block.warps_can_run |= 1u << warp;
}

void cannot_run(unsigned thread) {
  unsigned warp = thread / kLanes;
  block.can_run[warp] &= ~(1u << thread % kLanes);
  if (block.can_run[warp] == 0) block.warps_can_run &= ~(1u << warp);
}

void become(unsigned thread) {
  block.current = thread;
  threadIdx = block.threads[thread].index;
}

// Goes from the current thread, which waits, to another one; returns when the current one can go on.
void wait_here(State state) {
  unsigned self = block.current;
  Thread& from = block.threads[self];
  from.state = state;
  cannot_run(self);
  unsigned next = next_thread();
  if (next == kNobody) {
    to_scheduler(&from.stack_pointer, false);
  } else {
    Thread& to = block.threads[next];
    become(next);
    if (to.state == State::fresh) to.stack = take_stack(&to.stack_pointer);
    to.state = State::ready;
    switch_stack(&from.stack_pointer, to.stack_pointer, to.stack->low, kStackBytes, false);
  }
}

// Body of every stack: runs the current thread, then others that have not begun, and leaves for one that waits on its own stack.
[[noreturn]] void thread_loop() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  for (;;) {
    block.launch->kernel->call(block.launch->arguments);
    unsigned self = block.current;
    Stack* stack = block.threads[self].stack;
    block.threads[self].state = State::ended;
    block.ended++;
    cannot_run(self);
    unsigned next = next_thread();
    if (next != kNobody && block.threads[next].state == State::fresh) {
      become(next);
      block.threads[next].stack = stack;
      block.threads[next].state = State::ready;
      continue;
    }
    block.free_stacks[block.free_count++] = stack;
    void* nowhere;
    if (next == kNobody) {
      to_scheduler(&nowhere, true);
    } else {
      become(next);
      switch_stack(&nowhere, block.threads[next].stack_pointer, block.threads[next].stack->low, kStackBytes, true);
    }
    __builtin_unreachable();
  }
}

std::string triple(const char* what, unsigned x, unsigned y, unsigned z) {
  char text[80];
  snprintf(text, sizeof text, "%s (%u,%u,%u)", what, x, y, z);
  return text;
}

// Nobody can go on and not all have ended: counts who waits where.
std::string divergence() {
  std::string text = "nobody can go on: of " + std::to_string(block.count) + " threads " + std::to_string(block.at_barrier) +
                     " wait at __syncthreads, ";
  text += describe_waiting_lanes();
  text += std::to_string(block.ended) + " ended";
  if (block.at_barrier > 0 && block.at_barrier + block.ended == block.count) {
    text += "; every thread of a block must reach __syncthreads, so none may return before it";
  } else {
    text += "; every thread of a block must reach the same __syncthreads, and every lane that a collective's mask names must reach it";
  }
  return text;
}

void run_block() {
  const Launch& launch = *block.launch;
  unsigned warps = (block.count + kLanes - 1) / kLanes;
  block.warps_can_run = warps == 32 ? ~0u : (1u << warps) - 1;
  for (unsigned w = 0; w < warps; w++) {
    unsigned lanes = block.count - w * kLanes;
    block.can_run[w] = lanes >= kLanes ? ~0u : (1u << lanes) - 1;
  }
  for (unsigned i = 0; i < block.count; i++) block.threads[i].state = State::fresh;
  block.at_barrier = block.ended = 0;
  reset_warps(block.count);
  fill_shared_memory(launch.dynamic_shared);

  while (block.ended < block.count && block.fault.code == 0) {
    block.current = 0;
    unsigned next = block.can_run[0] & 1 ? 0 : next_thread();
    if (next == kNobody) {
      block.fault = {719, triple("block", blockIdx.x, blockIdx.y, blockIdx.z) + ": " + divergence()};
      break;
    }
    Thread& to = block.threads[next];
    become(next);
    if (to.state == State::fresh) to.stack = take_stack(&to.stack_pointer);
    to.state = State::ready;
#ifdef __SANITIZE_ADDRESS__
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, to.stack->low, kStackBytes);
    standin_switch(&block.scheduler, to.stack_pointer);
    __sanitizer_finish_switch_fiber(fake, &scheduler_low, &scheduler_bytes);
#else
    switch_stack(&block.scheduler, to.stack_pointer, nullptr, 0, false);
#endif
  }
  if (block.fault.code == 0 && shared_memory_overrun(launch.dynamic_shared)) {
    block.fault = {700, triple("block", blockIdx.x, blockIdx.y, blockIdx.z) + ": wrote past the end of its " +
                            std::to_string(launch.dynamic_shared) + " bytes of dynamic shared memory"};
  }
}

}  // namespace

unsigned current_thread() { return block.current; }
unsigned standin_lane() { return block.current % kLanes; }

void standin_block_barrier() {
  if (++block.at_barrier < block.count) {
    wait_here(State::at_barrier);
    return;
  }
  // The last one: all others wait here, so all can go on.
  block.at_barrier = 0;
  for (unsigned i = 0; i < block.count; i++) {
    if (i != block.current) {
      block.threads[i].state = State::ready;
      can_run(i / kLanes, 1u << i % kLanes);
    }
  }
}

void wait_at_collective() { wait_here(State::at_collective); }

void release_lanes(unsigned warp, uint32_t lanes) {
  can_run(warp, lanes);
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) block.threads[warp * kLanes + unsigned(__builtin_ctz(rest))].state = State::ready;
}

bool end_launch(int code, const std::string& what) {
  if (!runs_here) return false;
  if (block.fault.code == 0) {
    block.fault = {code, triple("block", blockIdx.x, blockIdx.y, blockIdx.z) + ", " +
                             triple("thread", threadIdx.x, threadIdx.y, threadIdx.z) + ": " + what};
  }
  void* nowhere;
  to_scheduler(&nowhere, true);
  return true;
}

Fault run_launch(const Launch& launch) {
  block.launch = &launch;
  block.count = launch.block.x * launch.block.y * launch.block.z;
  block.fault = {};
  blockDim = launch.block;
  gridDim = launch.grid;
  for (unsigned i = 0; i < block.count; i++) {
    block.threads[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
  }
  // A launch that a fault ended left stacks in use; none of their frames is returned to.
  for (unsigned i = 0; i < kMaxThreads; i++) block.free_stacks[i] = &stacks[kMaxThreads - 1 - i];
  block.free_count = kMaxThreads;
  runs_here = true;
  for (unsigned z = 0; z < gridDim.z && block.fault.code == 0; z++) {
    for (unsigned y = 0; y < gridDim.y && block.fault.code == 0; y++) {
      for (unsigned x = 0; x < gridDim.x && block.fault.code == 0; x++) {
        blockIdx = {x, y, z};
        run_block();
      }
    }
  }
  runs_here = false;
  return block.fault;
}
