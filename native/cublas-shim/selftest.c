// Checks libcublas.so.12 in one of three situations: selftest SITUATION LIBRARY [CUBLAS13] < cublas12.syms
//
//   every    CUBLAS13 exports every entry, returning 1000 + its line in the list: each name must reach its own
//   some     CUBLAS13 is stub13.c: arguments must arrive untouched, what it lacks must be refused
//   none     there is no libcublas.so.13
//
// CUBLAS13 is loaded first, by its path, as an application does; the library under test must find it by its name.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stub13.h"

static int failures;

static void expect(int ok, const char *what, const char *name) {
  if (ok) return;
  failures++;
  fprintf(stderr, "%s: %s\n", name, what);
}

static void *load(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return library;
}

static int returns_no_status(const char *name) {
  return strcmp(name, "cublasGetCudartVersion") == 0 || strcmp(name, "cublasGetStatusName") == 0 ||
         strcmp(name, "cublasGetStatusString") == 0;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  const char *situation = arguments[1];
  void *cublas13 = count > 3 ? load(arguments[3]) : NULL;
  void *cublas12 = load(arguments[2]);
  int every = strcmp(situation, "every") == 0;
  int refusal = cublas13 == NULL ? 1 : 15;

  char name[128];
  int line = 0;
  for (; scanf("%127s", name) == 1; line++) {
    void *entry = dlvsym(cublas12, name, "libcublas.so.12");
    expect(entry != NULL, "not exported with version libcublas.so.12", name);
    if (entry == NULL) continue;
    if (every) {
      expect(((int (*)(void))entry)() == 1000 + line, "reaches another entry", name);
    } else if ((cublas13 == NULL || dlsym(cublas13, name) == NULL) && !returns_no_status(name)) {
      expect(((int (*)(void))entry)() == refusal, "missing, but returns another status", name);
    }
  }
  expect(line == 494, "expected 494 entries", "cublas12.syms");

  if (!every) {
    size_t (*version)(void) = (size_t(*)(void))dlsym(cublas12, "cublasGetCudartVersion");
    const char *(*text)(int) = (const char *(*)(int))dlsym(cublas12, "cublasGetStatusString");
    expect(version() == 0, "missing, but returns a version", "cublasGetCudartVersion");
    expect(strstr(text(0), "libcublas.so.13") != NULL, "missing, but returns no text that says so", "cublasGetStatusString");
  }
  if (strcmp(situation, "some") == 0) {
    GemmStridedBatchedEx *gemm = (GemmStridedBatchedEx *)dlsym(cublas12, "cublasGemmStridedBatchedEx");
    expect(GEMM_CALL(gemm) == STUB_RETURNS, "an argument or the result changed", "cublasGemmStridedBatchedEx");
    Mixed *mixed = (Mixed *)dlsym(cublas12, "cublasAsumEx");
    expect(MIXED_CALL(mixed) == STUB_RETURNS, "an argument or the result changed", "cublasAsumEx");
  }
  return failures > 0;
}
