#!/bin/sh
# Builds the host stand-in into OUTDIR: libcuda.so.1, libcublas.so.13 and the sanitizers' runner `replay`, each only when a source is
# newer. Where it cannot be built it says so in one line and succeeds.
#   build.sh OUTDIR [KERNELS.cu]      KERNELS.cu: kernels other than cuda-kernels/kernels.cu
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernel_folder=$here/../../cuda-kernels
out=${1:?"usage: build.sh OUTDIR [KERNELS.cu]"}
kernels=${2:-$kernel_folder/kernels.cu}

if ! command -v g++ >/dev/null 2>&1; then
  echo "stand-in CUDA: not built: found no g++"
  exit 0
fi
if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  echo "stand-in CUDA: not built: found $(uname -s) on $(uname -m), it needs Linux on x86_64"
  exit 0
fi
mkdir -p "$out/objects"
out=$(cd "$out" && pwd)

# The same arithmetic in every build: no contraction to fused multiply-adds that the source does not ask for. With the machine's vector
# units where it has those of x86-64-v3.
common="-std=c++17 -g -fPIC -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-unknown-pragmas -I$here -I$kernel_folder"
if grep -q -w avx2 /proc/cpuinfo && grep -q -w fma /proc/cpuinfo; then common="$common -march=x86-64-v3"; fi
host="$common -O2 -fvisibility=hidden"
sanitized="$common -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

# Is the output $1 older than a source, or not there?
old() { [ ! -e "$1" ] || [ -n "$(find "$here" "$kernel_folder" "$kernels" -newer "$1" -name '*.*' ! -name '*.md' -print -quit)" ]; }

# compile OBJECT SOURCE OPTIONS...
compile() { object=$1 source=$2; shift 2; g++ "$@" -x c++ -c "$source" -o "$out/objects/$object"; }

runtime="kernels stacks fibers warp shared_memory"  # what runs kernels, in the driver and in replay
driver="traps misaligned memory device streams copies launch products recorder unsupported"

# Two marks enclose the kernels' static variables, which are their __shared__ arrays: the linker keeps the order of the objects.
make_marks() {
  for mark in begin end; do echo "char standin_shared_$mark[128];" | g++ $host -x c++ -c - -o shared_$mark.o; done
}

built=
cd "$out/objects"
if old "$out/libcuda.so.1"; then
  objects=
  for name in $runtime $driver; do
    compile $name.o "$here/$name.cpp" $host
    objects="$objects $name.o"
  done
  compile gemm.o "$here/gemm.cpp" $host -O3
  compile kernels_cu.o "$kernels" $host -fsanitize=null,alignment
  compile planted_cu.o "$here/planted.cu" $host -fsanitize=null,alignment
  make_marks
  g++ -shared -Wl,-soname,libcuda.so.1 -Wl,--version-script="$here/exports.map" -Wl,-Bsymbolic -o libcuda.new \
    shared_begin.o kernels_cu.o planted_cu.o shared_end.o gemm.o $objects
  mv libcuda.new "$out/libcuda.so.1"
  built="$built libcuda.so.1"
fi
if old "$out/libcublas.so.13"; then
  compile blas.o "$here/blas.cpp" $host
  g++ -shared -Wl,-soname,libcublas.so.13 -Wl,-Bsymbolic '-Wl,-rpath,$ORIGIN' -o libcublas.new blas.o "$out/libcuda.so.1"
  mv libcublas.new "$out/libcublas.so.13"
  built="$built libcublas.so.13"
fi
if old "$out/replay"; then
  objects=
  for name in $runtime; do
    compile sanitized_$name.o "$here/$name.cpp" $sanitized
    objects="$objects sanitized_$name.o"
  done
  compile sanitized_replay.o "$here/replay.cpp" $sanitized
  compile sanitized_kernels_cu.o "$kernels" $sanitized
  compile sanitized_planted_cu.o "$here/planted.cu" $sanitized
  # The products are the driver's own object: they are not what is looked at, and their bits are the same.
  g++ -fsanitize=address,undefined -o replay.new \
    shared_begin.o sanitized_kernels_cu.o sanitized_planted_cu.o shared_end.o sanitized_replay.o gemm.o $objects
  mv replay.new "$out/replay"
  built="$built replay"
fi
if [ -n "$built" ]; then echo "stand-in CUDA: built$built in $out"; else echo "stand-in CUDA: up to date in $out"; fi
