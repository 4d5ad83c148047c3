// Runs a trace (trace.h) again with kernels that were compiled with the address and undefined-behaviour sanitizers. Every device
// allocation is one of exactly the recorded size, so a kernel that reads or writes past it, by a single float, is reported at its
// source line. What the recorded process copied to the host must come out again bit by bit: the arithmetic is the same in both builds.
//
//   replay TRACE        status 0: same results; 1: other results or a fault; 2: the trace cannot be read
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "fibers.h"
#include "gemm.h"
#include "shared_memory.h"
#include "trace.h"

namespace {

FILE* trace;
uint64_t events, launches, products, compared;
std::string running = "nothing";  // what a report is about

[[noreturn]] void stop(int status, const std::string& what) {
  fprintf(stderr, "replay: event %" PRIu64 ": %s\n", events, what.c_str());
  exit(status);
}

void get_bytes(void* to, size_t count) {
  if (fread(to, 1, count, trace) != count) stop(2, "the trace ends within an event; was it still being written?");
}

template <class T>
T get() {
  T value;
  get_bytes(&value, sizeof value);
  return value;
}

std::vector<char> get_vector(size_t count) {
  std::vector<char> bytes(count);
  get_bytes(bytes.data(), count);
  return bytes;
}

// Recorded address of each live allocation -> here.
struct Block {
  char* memory;
  uint64_t bytes;
};
std::map<uint64_t, Block> blocks;

void allocate(uint64_t address, uint64_t bytes) {
  void* memory;
  if (posix_memalign(&memory, 256, bytes) != 0) stop(2, "no memory for " + std::to_string(bytes) + " bytes");
  memset(memory, 0xff, bytes);
  blocks[address] = {static_cast<char*>(memory), bytes};
}

void free_block(uint64_t address) {
  auto found = blocks.find(address);
  if (found == blocks.end()) stop(2, "frees what was not allocated");
  free(found->second.memory);
  blocks.erase(found);
}

// The recorded pointer here; null stays null.
char* translate(uint64_t address) {
  if (address == 0) return nullptr;
  auto after = blocks.upper_bound(address);
  if (after == blocks.begin()) stop(2, "a pointer lies in no allocation");
  auto& [begin, block] = *std::prev(after);
  if (address - begin > block.bytes) stop(2, "a pointer lies in no allocation");
  return block.memory + (address - begin);
}

void compare(const char* here, const std::vector<char>& recorded) {
  if (memcmp(here, recorded.data(), recorded.size()) == 0) {
    compared++;
    return;
  }
  size_t i = 0;
  while (here[i] == recorded[i]) i++;
  i = i / 4 * 4;
  char text[200] = "";
  if (i + 4 <= recorded.size()) {
    float was, is;
    memcpy(&was, &recorded[i], 4);
    memcpy(&is, here + i, 4);
    snprintf(text, sizeof text, "copy of %zu bytes to the host differs from byte %zu on (as floats: recorded %.9g, now %.9g)", recorded.size(), i, double(was), double(is));
  } else {
    snprintf(text, sizeof text, "copy of %zu bytes to the host differs from byte %zu on", recorded.size(), i);
  }
  stop(1, std::string(text) + "; last was " + running + ", which may read what was never written");
}

void launch() {
  std::vector<char> name = get_vector(get<uint32_t>());
  std::string kernel_name(name.begin(), name.end());
  const Kernel* kernel = find_kernel(kernel_name);
  if (kernel == nullptr) stop(2, "no kernel is called " + kernel_name + "; replay with the kernels that were recorded");
  unsigned d[6];
  for (unsigned& side : d) side = get<uint32_t>();
  unsigned shared = get<uint32_t>(), count = get<uint32_t>();
  if (count != kernel->arguments.size()) stop(2, kernel_name + " has other arguments than were recorded");
  std::vector<std::vector<char>> values(count);
  std::vector<void*> arguments(count);
  for (unsigned i = 0; i < count; i++) {
    uint32_t size = get<uint32_t>(), pointer = get<uint32_t>();
    if (size != kernel->arguments[i].size || bool(pointer) != kernel->arguments[i].pointer) {
      stop(2, kernel_name + ": argument " + std::to_string(i) + " has another type than was recorded");
    }
    values[i] = get_vector(size);
    if (pointer) {
      uint64_t address;
      memcpy(&address, values[i].data(), sizeof address);
      char* here = translate(address);
      memcpy(values[i].data(), &here, sizeof here);
    }
    arguments[i] = values[i].data();
  }
  launches++;
  running = "launch " + std::to_string(launches) + ", kernel " + kernel_name;
  Launch launch = {kernel, dim3(d[0], d[1], d[2]), dim3(d[3], d[4], d[5]), shared, arguments.data()};
  Fault fault = run_launch(launch);
  if (fault.code != 0) stop(1, "kernel " + kernel_name + ", " + fault.what);
}

void multiply() {
  Gemm gemm = get<Gemm>();
  for (uint64_t* address : {&gemm.a, &gemm.b, &gemm.c}) *address = reinterpret_cast<uint64_t>(translate(*address));
  products++;
  running = "matrix product " + std::to_string(products);
  compute_gemm(gemm);
}

void replay_event(Event event) {
  switch (event) {
    case Event::begin:
      if (get<uint32_t>() != kTraceMagic) stop(2, "not a trace, or one of another version");
      for (auto& entry : blocks) free(entry.second.memory);
      blocks.clear();
      return;
    case Event::allocate: {
      uint64_t address = get<uint64_t>();
      return allocate(address, get<uint64_t>());
    }
    case Event::free: return free_block(get<uint64_t>());
    case Event::to_device: {
      char* to = translate(get<uint64_t>());
      return get_bytes(to, get<uint64_t>());
    }
    case Event::to_host: {
      char* from = translate(get<uint64_t>());
      return compare(from, get_vector(get<uint64_t>()));
    }
    case Event::on_device: {
      char* to = translate(get<uint64_t>());
      char* from = translate(get<uint64_t>());
      memcpy(to, from, get<uint64_t>());
      return;
    }
    case Event::fill: {
      char* to = translate(get<uint64_t>());
      uint32_t value = get<uint32_t>(), unit = get<uint32_t>();
      uint64_t count = get<uint64_t>();
      for (uint64_t i = 0; i < count; i++) memcpy(to + i * unit, &value, unit);
      return;
    }
    case Event::launch: return launch();
    case Event::gemm: return multiply();
  }
  stop(2, "unknown event; not a trace, or a damaged one");
}

}  // namespace

// Kernels of one process are many: name the one that a sanitizer's report is about.
extern "C" const char* __asan_default_options() { return "detect_leaks=0:detect_stack_use_after_return=0:allocator_may_return_null=1"; }
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }

int main(int count, char** words) {
  if (count != 2 || (trace = fopen(words[1], "rb")) == nullptr) {
    fprintf(stderr, "replay: %s; usage: replay TRACE\n", count == 2 ? "cannot read the trace" : "found no name of a trace");
    return 2;
  }
  __sanitizer_set_death_callback([] { fprintf(stderr, "replay: event %" PRIu64 ", %s\n", events, running.c_str()); });
  for (int kind; (kind = fgetc(trace)) != EOF; events++) replay_event(Event(kind));
  if (events == 0) stop(2, "the trace is empty");
  printf("replay: %" PRIu64 " events, %" PRIu64 " launches, %" PRIu64 " matrix products; %" PRIu64 " copies to the host, all as recorded\n", events, launches,
         products, compared);
  return 0;
}
