// The trace that recorder.cpp writes and replay.cpp reads: a sequence of events, each its kind (1 byte) and its fields, little-endian
// and without padding. Addresses are those of the process that recorded; a replay translates them.
//
//   begin       magic (u32)                              a process begins: nothing is allocated
//   allocate    address (u64), bytes (u64)
//   free        address
//   to_device   to, bytes, the bytes
//   to_host     from, bytes, the bytes that the host got
//   on_device   to, from, bytes
//   fill        to, value (u32), unit (u32), count (u64)
//   launch      name length (u32), name, grid (3 u32), block (3 u32), dynamic shared bytes (u32), arguments (u32),
//               then for each argument: size (u32), is it a pointer (u32), its bytes
//   gemm        a Gemm (gemm.h)
#pragma once

#include <cstdint>

enum class Event : uint8_t { begin, allocate, free, to_device, to_host, on_device, fill, launch, gemm };

constexpr uint32_t kTraceMagic = 0x31544647;  // "GFT1"
