// Every entry point that JCuda 12.6.0's driver library binds to (nm -D libJCudaDriver), so that each call has somewhere to land. The
// ones that the stand-in has replace these weak ones; the rest say that they are not supported.
#define UNSUPPORTED(name) extern "C" __attribute__((weak, visibility("default"))) int name() { return 801; }
#include "unsupported.inc"
