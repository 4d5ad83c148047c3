// Runs one block of a kernel: a fiber for each of its threads, on the calling thread.
//
// A fiber runs until it waits at a barrier or a collective or ends; then the next one of its warp that can go on runs, or else one of
// the next warp. A thread gets a stack when it first runs and keeps it while it waits; when it ends, the next thread that has not
// begun runs on the same stack, so a kernel without barriers switches no stacks at all.
#pragma once

#include <cstdint>
#include <string>

#include "cuda_host_types.h"
#include "kernels.h"

enum { kLanes = 32, kMaxThreads = 1024, kMaxWarps = kMaxThreads / kLanes };

struct Launch {
  const Kernel* kernel;
  dim3 grid, block;
  unsigned dynamic_shared;
  void** arguments;
};

// A mistake that ended a launch. `code` is a CUresult, 0 for none; `what` says what was found in which block.
struct Fault {
  int code = 0;
  std::string what;
};

// Runs all blocks of a launch, one after the other. Not reentrant: the caller holds the device's lock.
Fault run_launch(const Launch& launch);

// Ends the launch that runs with a fault found within a kernel, on the fiber that calls it.
[[noreturn]] void end_launch(int code, const std::string& what);

// For traps.cpp: does a kernel run on this thread, and where does the scheduler wait meanwhile?
bool kernel_runs_here();
const void* scheduler_stack_pointer();

// For the collectives (warp.cpp): the thread that runs, by its linear index; waiting until release_lanes names the caller's lane.
unsigned current_thread();
void wait_at_collective();
void release_lanes(unsigned warp, uint32_t lanes);
