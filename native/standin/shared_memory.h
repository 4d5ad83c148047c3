// Shared memory of the block that runs. Before each block it is filled with NaN, so that a kernel which reads what it has not written
// gives NaN.
#pragma once

#include <cstddef>

enum : size_t { kMaxSharedBytes = 227 * 1024 };

extern char* standin_dynamic_shared;

void fill_shared_memory(size_t dynamic_bytes);

// Did the block write past its dynamic shared memory?
bool shared_memory_overrun(size_t dynamic_bytes);
