#include "recorder.h"

#include <cstdio>
#include <cstdlib>

#include "trace.h"

namespace {

FILE* open_trace() {
  const char* name = getenv("GREENFIELD_STANDIN_RECORD");
  if (name == nullptr || *name == '\0') return nullptr;
  FILE* file = fopen(name, "ab");
  if (file == nullptr) {
    fprintf(stderr, "stand-in CUDA: cannot write the trace %s; set GREENFIELD_STANDIN_RECORD to a file that can be written\n", name);
    abort();
  }
  return file;
}

// One event; it reaches the file when it goes out of scope. Does nothing where nothing is recorded.
class Record {
 public:
  explicit Record(Event event) {
    static FILE* const trace = [] {
      FILE* opened = open_trace();
      if (opened != nullptr) {
        fputc(int(Event::begin), opened);
        fwrite(&kTraceMagic, sizeof kTraceMagic, 1, opened);
      }
      return opened;
    }();
    file = trace;
    if (file != nullptr) fputc(int(event), file);
  }
  ~Record() {
    if (file == nullptr) return;
    if (fflush(file) != 0 || ferror(file)) {
      fprintf(stderr, "stand-in CUDA: writing the trace failed; is the disk full?\n");
      abort();
    }
  }
  template <class T>
  Record& put(T value) {
    return put_bytes(&value, sizeof value);
  }
  Record& put_bytes(const void* bytes, size_t count) {
    if (file != nullptr) fwrite(bytes, 1, count, file);
    return *this;
  }

 private:
  FILE* file;
};

}  // namespace

void record_allocate(uint64_t address, size_t bytes) { Record(Event::allocate).put(address).put(uint64_t(bytes)); }
void record_free(uint64_t address) { Record(Event::free).put(address); }

void record_to_device(uint64_t to, const void* from, size_t bytes) {
  Record(Event::to_device).put(to).put(uint64_t(bytes)).put_bytes(from, bytes);
}

void record_to_host(uint64_t from, size_t bytes) {
  Record(Event::to_host).put(from).put(uint64_t(bytes)).put_bytes(reinterpret_cast<const void*>(from), bytes);
}

void record_on_device(uint64_t to, uint64_t from, size_t bytes) { Record(Event::on_device).put(to).put(from).put(uint64_t(bytes)); }

void record_fill(uint64_t to, uint32_t value, unsigned unit, size_t count) {
  Record(Event::fill).put(to).put(value).put(uint32_t(unit)).put(uint64_t(count));
}

void record_launch(const Launch& launch) {
  Record record(Event::launch);
  const Kernel& kernel = *launch.kernel;
  record.put(uint32_t(kernel.name.size())).put_bytes(kernel.name.data(), kernel.name.size());
  for (const dim3& d : {launch.grid, launch.block}) record.put(d.x).put(d.y).put(d.z);
  record.put(uint32_t(launch.dynamic_shared)).put(uint32_t(kernel.arguments.size()));
  for (size_t i = 0; i < kernel.arguments.size(); i++) {
    const KernelArgument& argument = kernel.arguments[i];
    record.put(uint32_t(argument.size)).put(uint32_t(argument.pointer)).put_bytes(launch.arguments[i], argument.size);
  }
}

void record_gemm(const Gemm& gemm) { Record(Event::gemm).put(gemm); }
