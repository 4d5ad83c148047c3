#include "fibers.h"

#include <pthread.h>

#include <cstdio>

#include "shared_memory.h"
#include "stacks.h"
#include "warp.h"
#ifndef __SANITIZE_ADDRESS__
#include "traps.h"
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace {

struct Thread {
  Context at;    // while it waits
  Stack* stack;  // null until it begins
  uint3 index;
};

// All that a running block needs. One launch runs at a time (the device's lock), so there is one.
struct Block {
  Thread threads[kMaxThreads];
  uint32_t lanes[kMaxWarps];    // a bit for each lane that there is
  uint32_t can_run[kMaxWarps];  // a bit for each lane that has not begun or can go on
  uint32_t warps_can_run;       // a bit for each warp with such a lane
  unsigned count, current, at_barrier, ended;
  const Launch* launch;
  Context scheduler;  // run_block, while a thread runs
  Stack* free_stacks[kMaxThreads];
  unsigned free_count;
  Fault fault;
};
Block block;
Stack stacks[kMaxThreads];
bool runs;  // on this thread:
pthread_t running_thread;

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

void all_can_run() {
  for (unsigned w = 0; w * kLanes < block.count; w++) can_run(w, block.lanes[w]);
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

[[noreturn]] void thread_loop();

void take_stack(Thread& thread) {
  thread.stack = block.free_stacks[--block.free_count];
  thread.at = begin_on(*thread.stack, unsigned(thread.stack - stacks), thread_loop);
}

// Goes on with thread number `next`, which can run, and leaves `from`.
void go_on(Context& from, unsigned next) {
  Thread& to = block.threads[next];
  become(next);
  if (to.stack == nullptr) take_stack(to);
  switch_context(from, to.at);
}

// Goes from the current thread, which waits, to another one; returns when the current one can go on.
void wait_here() {
  unsigned self = block.current;
  Thread& from = block.threads[self];
  cannot_run(self);
  unsigned next = next_thread();
  if (next == kNobody) {
    switch_context(from.at, block.scheduler);
  } else {
    go_on(from.at, next);
  }
}

// Body of every stack: runs the current thread, then others that have not begun, and leaves for one that waits on its own stack.
void thread_loop() {
  arrive();
  for (;;) {
    block.launch->kernel->call(block.launch->arguments);
    Stack* stack = block.threads[block.current].stack;
    block.ended++;
    cannot_run(block.current);
    unsigned next = next_thread();
    if (next != kNobody && block.threads[next].stack == nullptr) {
      become(next);
      block.threads[next].stack = stack;
      continue;
    }
    block.free_stacks[block.free_count++] = stack;
    if (next == kNobody) leave_context(block.scheduler);
    become(next);
    leave_context(block.threads[next].at);
  }
}

std::string triple(const char* what, uint3 i) {
  char text[80];
  snprintf(text, sizeof text, "%s (%u,%u,%u)", what, i.x, i.y, i.z);
  return text;
}
std::string position() { return triple("block", blockIdx) + ", " + triple("thread", threadIdx) + ": "; }

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
  for (unsigned i = 0; i < block.count; i++) block.threads[i].stack = nullptr;
  all_can_run();
  block.at_barrier = block.ended = block.current = 0;
  reset_warps(block.count);
  fill_shared_memory(launch.dynamic_shared);

  while (block.ended < block.count && block.fault.code == 0) {
    unsigned next = next_thread();
    if (next == kNobody) {
      block.fault = {719, triple("block", blockIdx) + ": " + divergence()};
      break;
    }
    go_on(block.scheduler, next);
#ifndef __SANITIZE_ADDRESS__
    if (Trap trap = take_trap()) block.fault = {trap.code, position() + trap.what};
#endif
  }
  if (block.fault.code == 0 && shared_memory_overrun(launch.dynamic_shared)) {
    block.fault = {700, triple("block", blockIdx) + ": wrote past the end of its " + std::to_string(launch.dynamic_shared) +
                            " bytes of dynamic shared memory"};
  }
}

}  // namespace

unsigned current_thread() { return block.current; }
unsigned standin_lane() { return block.current % kLanes; }

void standin_block_barrier() {
  if (++block.at_barrier < block.count) {
    wait_here();
    return;
  }
  block.at_barrier = 0;  // the last one: all others wait here, so all can go on
  all_can_run();
}

void wait_at_collective() { wait_here(); }

void release_lanes(unsigned warp, uint32_t lanes) { can_run(warp, lanes); }

void end_launch(int code, const std::string& what) {
  if (block.fault.code == 0) block.fault = {code, position() + what};
  leave_context(block.scheduler);
}

bool kernel_runs_here() { return runs && pthread_equal(running_thread, pthread_self()); }
const void* scheduler_stack_pointer() { return block.scheduler.stack_pointer; }

Fault run_launch(const Launch& launch) {
  block.launch = &launch;
  block.count = launch.block.x * launch.block.y * launch.block.z;
  block.fault = {};
  blockDim = launch.block;
  gridDim = launch.grid;
  for (unsigned i = 0; i < block.count; i++) {
    block.threads[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
  }
  for (unsigned w = 0; w < kMaxWarps; w++) {
    block.can_run[w] = 0;
    block.lanes[w] = block.count >= (w + 1) * kLanes ? ~0u : block.count <= w * kLanes ? 0 : (1u << block.count % kLanes) - 1;
  }
  block.warps_can_run = 0;
  // A launch that a fault ended left stacks in use; none of their frames is returned to.
  for (unsigned i = 0; i < kMaxThreads; i++) block.free_stacks[i] = &stacks[kMaxThreads - 1 - i];
  block.free_count = kMaxThreads;
#ifndef __SANITIZE_ADDRESS__
  Traps traps;
#endif
  running_thread = pthread_self();
  runs = true;
  for (unsigned z = 0; z < gridDim.z && block.fault.code == 0; z++) {
    for (unsigned y = 0; y < gridDim.y && block.fault.code == 0; y++) {
      for (unsigned x = 0; x < gridDim.x && block.fault.code == 0; x++) {
        blockIdx = {x, y, z};
        run_block();
      }
    }
  }
  runs = false;
  return block.fault;
}
