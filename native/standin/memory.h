// Stand-in device memory. A device address is a host address; each allocation lies between redzones filled with 0xff, of which every
// float is NaN, and fresh memory is filled with the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct Allocation {
  uint64_t address;
  size_t bytes;
  char* base;  // of the block with its redzones
  int device;  // whose memory it is
};

uint64_t memory_limit();  // of each device: GREENFIELD_STANDIN_MEMORY bytes, 4 GiB where unset
uint64_t memory_in_use(int device);

// 0 if it would exceed the device's limit.
uint64_t allocate_memory(int device, size_t bytes);

// CUDA_SUCCESS, CUDA_ERROR_INVALID_VALUE for an address that is no allocation, CUDA_ERROR_ILLEGAL_ADDRESS for a damaged redzone.
int free_memory(uint64_t address, std::string* what);

// The allocation that holds `address`, its end included; null if there is none.
const Allocation* find_allocation(uint64_t address);

// Do `bytes` bytes at `address` lie inside one allocation?
bool inside_allocation(uint64_t address, size_t bytes);

// Empty if the redzones around one allocation, or all, are intact; else what was found.
std::string damaged_redzone(const Allocation& allocation);
std::string damaged_redzones();
