#include "memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "device.h"

namespace {

enum : size_t { kAlignment = 256, kRedzone = 2048 };

std::map<uint64_t, Allocation>& allocations() {
  static std::map<uint64_t, Allocation> all;
  return all;
}
uint64_t in_use[kMostDevices];

// The first byte of [from, to) that is not 0xff, or null.
const char* first_damaged(const char* from, const char* to) {
  for (; from + 8 <= to; from += 8) {
    uint64_t word;
    memcpy(&word, from, 8);
    if (word != ~uint64_t(0)) break;
  }
  for (; from < to; from++) {
    if (*from != char(0xff)) return from;
  }
  return nullptr;
}

// Freed blocks from a megabyte on are kept, by their size, for the next allocation: for a program that opens a backend again and again
// the system's clearing of new pages took longer than the kernels. Nobody can read or write them meanwhile.
enum : size_t { kWorthKeeping = size_t(1) << 20, kMostKept = size_t(256) << 20 };
std::multimap<size_t, char*> kept;
size_t kept_bytes;

char* take_block(size_t total) {
  if (total < kWorthKeeping) return static_cast<char*>(aligned_alloc(kAlignment, total));
  auto found = kept.find(total);
  if (found != kept.end()) {
    char* base = found->second;
    kept.erase(found);
    kept_bytes -= total;
    if (mprotect(base, total, PROT_READ | PROT_WRITE) == 0) return base;
    munmap(base, total);
  }
  void* fresh = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return fresh == MAP_FAILED ? nullptr : static_cast<char*>(fresh);
}

void give_block(char* base, size_t total) {
  if (total < kWorthKeeping) return free(base);
  if (kept_bytes + total > kMostKept || mprotect(base, total, PROT_NONE) != 0) {
    munmap(base, total);
    return;
  }
  kept.emplace(total, base);
  kept_bytes += total;
}

size_t padded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t whole(size_t bytes) { return kRedzone + padded(bytes) + kRedzone; }

}  // namespace

uint64_t memory_limit() {
  static const uint64_t limit = [] {
    const char* text = getenv("GREENFIELD_STANDIN_MEMORY");
    return text != nullptr && *text != '\0' ? strtoull(text, nullptr, 10) : uint64_t(4) << 30;
  }();
  return limit;
}

uint64_t memory_in_use(int device) { return in_use[device]; }

uint64_t allocate_memory(int device, size_t bytes) {
  if (bytes > memory_limit() || padded(bytes) > memory_limit() - in_use[device]) return 0;
  size_t total = whole(bytes);
  char* base = take_block(total);
  if (base == nullptr) return 0;
  memset(base, 0xff, total);
  uint64_t address = reinterpret_cast<uint64_t>(base) + kRedzone;
  allocations()[address] = {address, bytes, base, device};
  in_use[device] += padded(bytes);
  return address;
}

int free_memory(uint64_t address, std::string* what) {
  auto found = allocations().find(address);
  if (found == allocations().end()) {
    *what = "no allocation begins at the address to free";
    return 1;
  }
  *what = damaged_redzone(found->second);
  in_use[found->second.device] -= padded(found->second.bytes);
  give_block(found->second.base, whole(found->second.bytes));
  allocations().erase(found);
  return what->empty() ? 0 : 700;
}

const Allocation* find_allocation(uint64_t address) {
  auto after = allocations().upper_bound(address);
  if (after == allocations().begin()) return nullptr;
  const Allocation& allocation = std::prev(after)->second;
  return address - allocation.address <= allocation.bytes ? &allocation : nullptr;
}

bool inside_allocation(uint64_t address, size_t bytes) {
  const Allocation* allocation = find_allocation(address);
  return allocation != nullptr && bytes <= allocation->bytes - (address - allocation->address);
}

std::string damaged_redzone(const Allocation& allocation) {
  const char* begin = allocation.base + kRedzone;
  const char* end = begin + allocation.bytes;
  char text[160];
  if (const char* at = first_damaged(allocation.base, begin)) {
    snprintf(text, sizeof text, "wrote %zd bytes before the allocation of %zu bytes at 0x%llx", begin - at, allocation.bytes,
             static_cast<unsigned long long>(allocation.address));
    return text;
  }
  if (const char* at = first_damaged(end, begin + padded(allocation.bytes) + kRedzone)) {
    snprintf(text, sizeof text, "wrote at byte %zd of the allocation of %zu bytes at 0x%llx", at - begin, allocation.bytes,
             static_cast<unsigned long long>(allocation.address));
    return text;
  }
  return "";
}

std::string damaged_redzones() {
  for (const auto& entry : allocations()) {
    std::string damage = damaged_redzone(entry.second);
    if (!damage.empty()) return damage;
  }
  return "";
}
