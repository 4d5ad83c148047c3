// libcublas.so.12 for machines that have cuBLAS 13: each of its entries jumps to the one of the same name in libcublas.so.13.
//
// JCublas 12.6 is linked against libcublas.so.12, which a CUDA 13 installation lacks. What JCublas calls has the same arguments in both
// versions. An entry that is not exported would end the JVM at its first call, so all 494 are, also those that cuBLAS 13 dropped.
// build.sh makes entries.inc, ENTRY(index, name) for each line of cublas12.syms, and the version script.
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

// The oldest versions of these, so that what is built on a new system loads on an old one too.
#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
#else
#error "the cuBLAS forwarding library knows x86-64 and aarch64"
#endif
__asm__(".symver dlopen,dlopen@" OLDEST "\n.symver dlsym,dlsym@" OLDEST "\n.symver dlerror,dlerror@" OLDEST);

#define TARGET "libcublas.so.13"

static const char *const names[] = {
#define ENTRY(index, name) #name,
#include "entries.inc"
#undef ENTRY
};
enum { COUNT = sizeof names / sizeof names[0] };

// Where each entry jumps to.
void *cublas12_targets[COUNT];

static int not_supported(void) { return 15; }   // CUBLAS_STATUS_NOT_SUPPORTED: cuBLAS 13 has no such entry
static int not_initialized(void) { return 1; }  // CUBLAS_STATUS_NOT_INITIALIZED: there is no cuBLAS 13

// Not all entries return a status: a version is 0 when unknown, and text must be text.
static size_t no_version(void) { return 0; }
static const char *no_text(void) { return "unknown: " TARGET " does not say"; }

static void *stub(const char *name, void *status) {
  if (strcmp(name, "cublasGetCudartVersion") == 0) return (void *)no_version;
  if (strcmp(name, "cublasGetStatusName") == 0 || strcmp(name, "cublasGetStatusString") == 0) return (void *)no_text;
  return status;
}

// By its bare name dlopen finds a cuBLAS 13 that the process has loaded, wherever from, else the one on the library path.
__attribute__((constructor)) static void resolve(void) {
  void *library = dlopen(TARGET, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *why = dlerror();
    fprintf(stderr,
            "libcublas.so.12 (forwarding to cuBLAS 13): %s; every call will return CUBLAS_STATUS_NOT_INITIALIZED. Install cuBLAS 13 and "
            "put its folder on LD_LIBRARY_PATH\n",
            why == NULL ? TARGET " cannot be loaded" : why);
  }
  for (int i = 0; i < COUNT; i++) {
    void *target = library == NULL ? NULL : dlsym(library, names[i]);
    cublas12_targets[i] = target != NULL ? target : stub(names[i], library == NULL ? (void *)not_initialized : (void *)not_supported);
  }
}

// A jump, not a call: arguments in registers and on the stack are where the caller left them, and the target returns to the caller.
#if defined(__x86_64__)
#define JUMP(index) "endbr64\n\tjmp *cublas12_targets+8*" #index "(%rip)\n"
#else
// x16 is the register that the ABI leaves to such jumps; hint 34 is "bti c", where indirect calls may land.
#define JUMP(index) \
  "hint #34\n\tadrp x16, cublas12_targets+8*" #index "\n\tldr x16, [x16, :lo12:cublas12_targets+8*" #index "]\n\tbr x16\n"
#endif
#define ENTRY(index, name) \
  __asm__(".text\n.balign 16\n.globl " #name "\n.type " #name ",%function\n" #name ":\n\t" JUMP(index) ".size " #name ",.-" #name "\n");
#include "entries.inc"
