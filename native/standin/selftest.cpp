// Proves that the stand-in reports what it promises to report, and only that: each case runs in a process of its own, records a trace,
// and says which error the driver must return, what must be on stderr, and what `replay` must say to the trace.
//
//   selftest OUTDIR      OUTDIR: where libcuda.so.1, libcublas.so.13 and replay were built; traces are written there
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

extern "C" {
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void**, int);
int cuCtxSetCurrent(void*);
int cuCtxSynchronize();
int cuMemAlloc_v2(uint64_t*, size_t);
int cuMemFree_v2(uint64_t);
int cuMemGetInfo_v2(size_t*, size_t*);
int cuMemcpyHtoD_v2(uint64_t, const void*, size_t);
int cuMemcpyDtoH_v2(void*, uint64_t, size_t);
int cuMemcpyDtoD_v2(uint64_t, uint64_t, size_t);
int cuMemsetD32_v2(uint64_t, unsigned, size_t);
int cuModuleLoadData(void**, const void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuFuncSetAttribute(void*, int, int);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuStreamCreate(void**, unsigned);
int cuStreamDestroy_v2(void*);
int cuStreamSynchronize(void*);
int cuArrayDestroy(void*);
int cublasCreate_v2(void**);
int cublasGemmEx(void*, int, int, int, int, int, const void*, const void*, int, int, const void*, int, int, const void*, void*, int, int, int, int);
int cublasGemmStridedBatchedEx(void*, int, int, int, int, int, const void*, const void*, int, int, long long, const void*, int, int, long long,
                               const void*, void*, int, int, long long, int, int, int);
}

namespace {

// A wrong result within a case; no CUresult.
enum { kWrong = -1 };

void* module;

uint64_t device_floats(const std::vector<float>& values) {
  uint64_t address = 0;
  if (cuMemAlloc_v2(&address, 4 * values.size()) != 0) exit(3);
  if (cuMemcpyHtoD_v2(address, values.data(), 4 * values.size()) != 0) exit(3);
  return address;
}

template <class T = float>
std::vector<T> host(uint64_t address, size_t count) {
  std::vector<T> values(count);
  if (cuMemcpyDtoH_v2(values.data(), address, sizeof(T) * count) != 0) exit(3);
  return values;
}

template <class... A>
int launch(const char* name, unsigned grid, unsigned block, unsigned shared, A... arguments) {
  void* function;
  if (int result = cuModuleGetFunction(&function, module, name)) return result;
  void* pointers[] = {&arguments..., nullptr};
  return cuLaunchKernel(function, grid, 1, 1, block, 1, 1, shared, nullptr, pointers, nullptr);
}

// Different in every element and in no simple pattern.
std::vector<float> numbers(size_t count, unsigned seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = float(seed >> 8) / float(1 << 24) - 0.5f;
  }
  return values;
}

float tf32(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  bits = (bits + 0x1000u) & ~0x1fffu;
  memcpy(&x, &bits, 4);
  return x;
}

int correct_sum() {
  std::vector<float> x = numbers(3 * 256, 1);
  uint64_t dx = device_floats(x), dy = device_floats(std::vector<float>(3));
  if (int result = launch("planted_block_sum", 3, 256, 0, dx, dy)) return result;
  std::vector<float> y = host(dy, 3);
  for (int b = 0; b < 3; b++) {
    double sum = 0;
    for (int i = 0; i < 256; i++) sum += double(x[size_t(b * 256 + i)]);
    if (!(std::fabs(sum - double(y[size_t(b)])) < 1e-5)) return kWrong;
  }
  return cuMemFree_v2(dx) + cuMemFree_v2(dy);
}

int correct_shuffles() {
  uint64_t dy = device_floats(std::vector<float>(8 * 32));
  if (int result = launch("planted_shuffles", 1, 32, 0, dy)) return result;
  std::vector<int> y = host<int>(dy, 8 * 32);
  for (int lane = 0; lane < 32; lane++) {
    int expected[8] = {50,
                       (lane / 8 * 8 + (lane + 3) % 8) * 10,
                       (lane ^ 16) * 10 > 310 ? lane * 10 : (lane ^ 16) * 10,
                       (lane % 16 < 3 ? lane : lane - 3) * 10,
                       (lane % 16 > 12 ? lane : lane + 3) * 10,
                       int(0x49249249u),
                       1,
                       (lane ^ 1) * 10};
    for (int k = 0; k < 8; k++) {
      if (y[size_t(k * 32 + lane)] != expected[k]) return kWrong;
    }
  }
  return 0;
}

int correct_mma() {
  std::vector<float> a = numbers(16 * 8, 2), b = numbers(8 * 8, 3), c = numbers(16 * 8, 4);
  uint64_t da = device_floats(a), db = device_floats(b), dc = device_floats(c);
  if (int result = launch("planted_mma", 1, 32, 0, da, db, dc, 1)) return result;
  auto cut = [](float x) {  // the hardware ignores the low 13 bits
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits &= ~0x1fffu;
    memcpy(&x, &bits, 4);
    return double(x);
  };
  std::vector<float> out = host(dc, 16 * 8);
  for (size_t i = 0; i < 16; i++) {
    for (size_t j = 0; j < 8; j++) {
      double sum = double(c[i * 8 + j]);
      for (size_t k = 0; k < 8; k++) sum += cut(a[i * 8 + k]) * cut(b[k * 8 + j]);
      if (!(std::fabs(sum - double(out[i * 8 + j])) < 1e-6)) return kWrong;
    }
  }
  return 0;
}

int fresh_shared() {
  uint64_t dy = device_floats(std::vector<float>(4));
  if (int result = launch("planted_fresh_shared", 4, 1, 4, dy)) return result;
  for (float y : host(dy, 4)) {
    if (y != 1.0f) return kWrong;
  }
  return 0;
}

// Products of every transposition, with leading dimensions, beta and batches, against double precision. C starts as NaN where beta is 0.
int correct_products() {
  void* handle;
  if (cublasCreate_v2(&handle) != 0) return kWrong;
  const int m = 37, n = 21, k = 300, lda = 310, ldb = 305, ldc = 40, batch = 2;
  std::vector<float> a = numbers(size_t(lda) * 310 * batch, 5), b = numbers(size_t(ldb) * 305 * batch, 6), c0 = numbers(size_t(ldc) * n * batch, 7);
  uint64_t da = device_floats(a), db = device_floats(b);
  for (int variant = 0; variant < 16; variant++) {
    int ta = variant & 1, tb = variant >> 1 & 1;
    bool fast = variant & 4;
    float alpha = 0.75f, beta = variant & 8 ? -2.0f : 0.0f;
    uint64_t dc = device_floats(beta == 0.0f ? std::vector<float>(c0.size(), NAN) : c0);
    int status = cublasGemmStridedBatchedEx(handle, ta, tb, m, n, k, &alpha, reinterpret_cast<void*>(da), 0, lda, lda * 310LL,
                                            reinterpret_cast<void*>(db), 0, ldb, ldb * 305LL, &beta, reinterpret_cast<void*>(dc), 0, ldc,
                                            (long long)ldc * n, batch, fast ? 77 : 68, -1);
    if (status != 0) return kWrong;
    std::vector<float> c = host(dc, c0.size());
    for (int q = 0; q < batch; q++) {
      for (int j = 0; j < n; j++) {
        for (int i = 0; i < ldc; i++) {
          size_t at = size_t(q) * ldc * n + size_t(j * ldc + i);
          if (i >= m) {  // between the columns: untouched
            if (beta == 0.0f ? !std::isnan(c[at]) : c[at] != c0[at]) return kWrong;
            continue;
          }
          double sum = 0;
          for (int l = 0; l < k; l++) {
            float x = a[size_t(q) * lda * 310 + size_t(ta ? l + i * lda : i + l * lda)];
            float y = b[size_t(q) * ldb * 305 + size_t(tb ? j + l * ldb : l + j * ldb)];
            sum += fast ? double(tf32(x)) * double(tf32(y)) : double(x) * double(y);
          }
          double expected = 0.75 * sum + (beta == 0.0f ? 0.0 : double(beta) * double(c0[at]));
          if (!(std::fabs(expected - double(c[at])) < 4e-6)) return kWrong;
        }
      }
    }
  }
  float one = 1.0f;
  void *pa = reinterpret_cast<void*>(da), *pb = reinterpret_cast<void*>(db);
  return cublasGemmEx(handle, 0, 0, m, n, k, &one, pa, 0, m - 1, pb, 0, ldb, &one, pa, 0, ldc, 68, -1) == 7 ? 0 : kWrong;
}

int product_outside() {
  void* handle;
  cublasCreate_v2(&handle);
  uint64_t x = device_floats(std::vector<float>(63));
  float one = 1.0f, zero = 0.0f;
  void* p = reinterpret_cast<void*>(x);
  if (cublasGemmEx(handle, 0, 0, 8, 8, 8, &one, p, 0, 8, p, 0, 8, &zero, p, 0, 8, 68, -1) != 13) return kWrong;
  return cuCtxSynchronize();
}

int write_past_end() {
  uint64_t x = device_floats(std::vector<float>(100));
  int result = launch("planted_write_past_end", 1, 128, 0, x, 100, 1);
  return result != 0 && cuCtxSynchronize() != result ? kWrong : result;  // and it is sticky
}

int read_past_end() {
  uint64_t x = device_floats(std::vector<float>(100)), y = device_floats(std::vector<float>(100));
  if (int result = launch("planted_read_past_end", 1, 128, 0, x, y, 100, 1)) return result;
  return std::isnan(host(y, 100)[99]) ? 0 : kWrong;
}

int in_bounds() {
  uint64_t x = device_floats(std::vector<float>(100)), y = device_floats(std::vector<float>(100));
  int result = launch("planted_write_past_end", 1, 128, 0, x, 100, 0);
  if (result == 0) result = launch("planted_read_past_end", 1, 128, 0, x, y, 100, 0);
  if (result == 0 && host(y, 100)[99] != 99.0f) return kWrong;
  return result;
}

int with_one_float(const char* kernel, unsigned block, unsigned shared, int argument) {
  uint64_t y = device_floats(std::vector<float>(1024));
  return launch(kernel, 1, block, shared, y, argument);
}

int misaligned(int offset) {
  uint64_t x = device_floats(std::vector<float>(16)), y = device_floats(std::vector<float>(16));
  return launch("planted_misaligned", 1, 1, 0, x, offset, y);
}

int freed_argument() {
  uint64_t y = device_floats(std::vector<float>(4));
  cuMemFree_v2(y);
  return launch("planted_null", 1, 1, 0, y);
}

int far_read() {
  uint64_t x = device_floats(std::vector<float>(4)), y = device_floats(std::vector<float>(4));
  return launch("planted_read_past_end", 1, 1, 0, x, y, 1, 1 << 30);
}

int more_dynamic_shared() {
  void* function;
  cuModuleGetFunction(&function, module, "planted_shared");
  if (launch("planted_shared", 1, 1, 64 * 1024, device_floats({0}), 16 * 1024) != 1) return kWrong;
  if (cuFuncSetAttribute(function, 8, 228 * 1024) != 1 || cuFuncSetAttribute(function, 8, 64 * 1024) != 0) return kWrong;
  return launch("planted_shared", 1, 1, 64 * 1024, device_floats({0}), 16 * 1024);
}

int bad_copies_and_frees() {
  uint64_t x = device_floats(std::vector<float>(4));
  float five[5];
  if (cuMemcpyDtoH_v2(five, x, 20) != 1 || cuMemcpyHtoD_v2(x + 16, five, 4) != 1 || cuMemcpyDtoD_v2(x, x + 4, 8) != 1) return kWrong;
  if (cuMemsetD32_v2(x, 0, 5) != 1 || cuMemsetD32_v2(x, 0, 4) != 0) return kWrong;
  if (cuMemFree_v2(x + 4) != 1 || cuMemFree_v2(x) != 0 || cuMemFree_v2(x) != 1) return kWrong;
  void* stream;
  if (cuStreamCreate(&stream, 0) != 0 || cuStreamDestroy_v2(stream) != 0 || cuStreamSynchronize(stream) != 400) return kWrong;
  return cuArrayDestroy(nullptr) == 801 ? 0 : kWrong;
}

int out_of_memory() {
  uint64_t a, b;
  size_t free_before, free_after, total;
  cuMemGetInfo_v2(&free_before, &total);
  if (total != 1000000 || cuMemAlloc_v2(&a, 900000) != 0 || cuMemAlloc_v2(&b, 200000) != 2) return kWrong;
  cuMemFree_v2(a);
  cuMemGetInfo_v2(&free_after, &total);
  return free_before == free_after && cuMemAlloc_v2(&b, 200000) == 0 ? 0 : kWrong;
}

int without_context() {
  cuCtxSetCurrent(nullptr);
  uint64_t a;
  return cuMemAlloc_v2(&a, 4);
}

struct Case {
  const char* name;
  std::function<int()> run;
  int result;            // of the last call
  const char* on_stderr;  // must be there; "" for no line at all; null for any
  int replay;            // exit status; kNoReplay for none
  const char* replayed;  // must be in what replay prints
};
enum { kNoReplay = -2, kAnyFault = -3 };

const Case kCases[] = {
    {"sums with shuffles and barriers", correct_sum, 0, "", 0, "all as recorded"},
    {"every shuffle and vote", correct_shuffles, 0, "", 0, "all as recorded"},
    {"tensor-core product", correct_mma, 0, "", 0, "all as recorded"},
    {"shared memory is fresh in each block", fresh_shared, 0, "", 0, "all as recorded"},
    {"matrix products", correct_products, 0, "", 0, "all as recorded"},
    {"to the last element and no further", in_bounds, 0, "", 0, "all as recorded"},
    {"aligned float4", [] { return misaligned(4); }, 0, "", 0, "all as recorded"},
    {"more dynamic shared memory", more_dynamic_shared, 0, nullptr, 0, "all as recorded"},
    {"write past the end", write_past_end, 700, "planted_write_past_end wrote at byte 400 of the allocation of 400 bytes", kAnyFault,
     "planted.cu:@planted_write_past_end"},
    {"read past the end", read_past_end, 0, "", kAnyFault, "planted.cu:@planted_read_past_end"},
    {"divergent barrier", [] { return with_one_float("planted_divergent_barrier", 64, 0, 40); }, 719,
     "planted_divergent_barrier, block (0,0,0): nobody can go on: of 64 threads 40 wait at __syncthreads, 24 ended", 1, "24 ended"},
    {"whole warps missing at a barrier", [] { return with_one_float("planted_divergent_barrier", 64, 0, 32); }, 719, "32 wait at __syncthreads, 32 ended", 1,
     "32 ended"},
    {"divergent shuffle", [] { return with_one_float("planted_divergent_shuffle", 64, 0, 40); }, 719, "8 at a shuffle, 56 ended", 1, "8 at a shuffle"},
    {"shuffle in a block of half a warp", [] { return with_one_float("planted_divergent_shuffle", 16, 0, 16); }, 719, "16 at a shuffle", 1, "16 at a shuffle"},
    {"misaligned float4", [] { return misaligned(1); }, 716, "planted.cu:@planted_misaligned", kAnyFault, "planted.cu:@planted_misaligned"},
    {"null pointer", [] { return launch("planted_null", 1, 1, 0, uint64_t(0)); }, 700, "planted.cu:@planted_null", kAnyFault, "planted.cu:@planted_null"},
    {"freed memory as an argument", freed_argument, 700, "pointer argument 0 points into no allocation", kNoReplay, ""},
    {"read far outside", far_read, 700, "which is in no memory", kAnyFault, "planted.cu:@planted_read_past_end"},
    {"past dynamic shared memory", [] { return with_one_float("planted_shared", 1, 16, 5); }, 700, "past the end of its 16 bytes of dynamic shared", kAnyFault,
     "planted.cu:@planted_shared"},
    {"past static shared memory", [] { return with_one_float("planted_static_shared", 1, 0, 4); }, 0, "", kAnyFault, "planted.cu:@planted_static_shared"},
    {"some recursion", [] { return with_one_float("planted_deep_stack", 1, 0, 50); }, 0, "", 0, "all as recorded"},
    {"overflow of a fiber's stack", [] { return with_one_float("planted_deep_stack", 1, 0, 1 << 20); }, 700, "its stack overflowed", kNoReplay, ""},
    {"integer division by zero", [] { return launch("planted_division", 1, 1, 0, device_floats({0}), 7, 0); }, 719, "divided an integer by zero", kAnyFault,
     "planted.cu:@planted_division"},
    {"lanes at different collectives", [] { return with_one_float("planted_mixed_collectives", 32, 0, 7); }, 719, "meet at different collectives", 1,
     "meet at different collectives"},
    {"matrix product outside its allocation", product_outside, 700, "gemm, matrix A", kNoReplay, ""},
    {"missing kernel", [] { return launch("no_such_kernel", 1, 1, 0); }, 500, "no_such_kernel", kNoReplay, ""},
    {"too many threads", [] { return with_one_float("planted_shared", 1025, 16, 1); }, 1, "1025 x 1 x 1", kNoReplay, ""},
    {"too much dynamic shared memory", [] { return with_one_float("planted_shared", 1, 49153, 1); }, 1, "49153 bytes of dynamic shared memory", kNoReplay, ""},
    {"copies and frees that are wrong", bad_copies_and_frees, 0, nullptr, 0, "all as recorded"},
    {"out of memory", out_of_memory, 0, "", kNoReplay, ""},
    {"no current context", without_context, 201, "", kNoReplay, ""},
};

std::string slurp(const std::string& name) {
  std::ifstream file(name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// "planted.cu:@KERNEL": is there a "planted.cu:LINE" whose line lies in that kernel of the source?
bool mentions(const std::string& text, const std::string& wanted, const std::string& source) {
  size_t at = wanted.find("planted.cu:@");
  if (at == std::string::npos) return text.find(wanted) != std::string::npos;
  std::istringstream lines(slurp(source));
  std::string line, kernel = wanted.substr(at + strlen("planted.cu:@")), inside;
  for (int number = 1; std::getline(lines, line); number++) {
    size_t name = line.find("__global__ void ");
    if (name != std::string::npos) inside = line.substr(name + 16, line.find('(') - name - 16);
    if (inside != kernel) continue;
    size_t found = text.find("planted.cu:" + std::to_string(number));
    size_t after = found + 11 + std::to_string(number).size();
    if (found != std::string::npos && (after >= text.size() || !isdigit(text[after]))) return true;
  }
  return false;
}

// Runs `body` in a process of its own with stderr (and stdout) in a file; its exit status as waitpid gives it.
int in_process(const std::string& output, const std::function<void()>& body) {
  fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(file, 1);
    dup2(file, 2);
    body();
    _exit(3);
  }
  int status;
  waitpid(child, &status, 0);
  return status;
}

std::string check(const Case& c, const std::string& out, const std::string& source) {
  std::string trace = out + "/selftest.trace", output = out + "/selftest.output", result_name = out + "/selftest.result";
  unlink(trace.c_str());
  int status = in_process(output, [&] {
    setenv("GREENFIELD_STANDIN_RECORD", trace.c_str(), 1);
    setenv("GREENFIELD_STANDIN_MEMORY", strcmp(c.name, "out of memory") == 0 ? "1000000" : "", 1);
    void* context;
    if (cuInit(0) != 0 || cuDevicePrimaryCtxRetain(&context, 0) != 0 || cuCtxSetCurrent(context) != 0 || cuModuleLoadData(&module, "") != 0) _exit(3);
    std::ofstream(result_name) << c.run();
    _exit(0);
  });
  std::string text = slurp(output);
  if (status != 0) return "its process ended with status " + std::to_string(status) + ": " + text;
  int result = std::stoi(slurp(result_name));
  if (result != c.result) return "found " + std::to_string(result) + ", expected " + std::to_string(c.result) + ": " + text;
  if (c.on_stderr != nullptr && (*c.on_stderr == '\0' ? !text.empty() : !mentions(text, c.on_stderr, source))) {
    return "expected \"" + std::string(c.on_stderr) + "\" on stderr, found: " + text;
  }
  if (c.replay == kNoReplay) return "";

  status = in_process(output, [&] { execl((out + "/replay").c_str(), "replay", trace.c_str(), nullptr); });
  text = slurp(output);
  bool as_expected = WIFEXITED(status) && (c.replay == kAnyFault ? WEXITSTATUS(status) != 0 : WEXITSTATUS(status) == c.replay);
  if (!as_expected || !mentions(text, c.replayed, source)) {
    return "its replay ended with status " + std::to_string(status) + ", expected \"" + c.replayed + "\", found: " + text;
  }
  return "";
}

// A trace whose last copy to the host was altered must not replay.
std::string check_that_replay_compares(const std::string& out) {
  std::string trace = out + "/selftest.trace", output = out + "/selftest.output";
  const Case& sums = kCases[0];
  std::string first = check(sums, out, "");
  if (!first.empty()) return first;
  std::string bytes = slurp(trace);
  bytes[bytes.size() - 2 * 9 - 1] ^= 1;  // two frees of 9 bytes follow the copy
  std::ofstream(trace, std::ios::binary) << bytes;
  int status = in_process(output, [&] { execl((out + "/replay").c_str(), "replay", trace.c_str(), nullptr); });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && slurp(output).find("differs from byte 8") != std::string::npos) return "";
  return "an altered trace replayed: " + slurp(output);
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    fprintf(stderr, "usage: selftest OUTDIR planted.cu\n");
    return 2;
  }
  int failures = 0, cases = 0;
  auto tell = [&](const char* name, const std::string& failure) {
    cases++;
    if (failure.empty()) return;
    failures++;
    fprintf(stderr, "stand-in self-test: %s: %s\n", name, failure.c_str());
  };
  for (const Case& c : kCases) tell(c.name, check(c, words[1], words[2]));
  tell("a replay with other results", check_that_replay_compares(words[1]));
  printf("stand-in self-test: %d cases, %d failed\n", cases, failures);
  return failures == 0 ? 0 : 1;
}
