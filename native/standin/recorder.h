// With GREENFIELD_STANDIN_RECORD=FILE, appends what is done on the device to FILE (format: trace.h), so that `replay` can do the same
// under sanitizers. Without it these do nothing. The caller holds the device's lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fibers.h"
#include "gemm.h"

void record_allocate(uint64_t address, size_t bytes);
void record_free(uint64_t address);
void record_to_device(uint64_t to, const void* from, size_t bytes);
void record_to_host(uint64_t from, size_t bytes);
void record_on_device(uint64_t to, uint64_t from, size_t bytes);
void record_fill(uint64_t to, uint32_t value, unsigned unit, size_t count);

// These two are written before the work is done: a launch that kills the process is the trace's last event.
void record_launch(const Launch& launch);
void record_gemm(const Gemm& gemm);
