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

built=
if old "$out/libcuda.so.1"; then
  cd "$out/objects"
  for name in kernels stacks fibers traps misaligned warp shared_memory memory device streams copies launch recorder unsupported; do
    compile $name.o "$here/$name.cpp" $host
  done
  compile gemm.o "$here/gemm.cpp" $host -O3
  compile kernels_cu.o "$kernels" $host -fsanitize=null,alignment
  compile planted_cu.o "$here/planted.cu" $host -fsanitize=null,alignment
  # Two marks enclose the kernels' static variables, which are their __shared__ arrays: the linker keeps the order of the objects.
  for mark in begin end; do echo "char standin_shared_$mark[128];" | g++ $host -x c++ -c - -o shared_$mark.o; done
  g++ -shared -Wl,-soname,libcuda.so.1 -Wl,--version-script="$here/exports.map" -Wl,-Bsymbolic -o libcuda.new \
    shared_begin.o kernels_cu.o planted_cu.o shared_end.o kernels.o stacks.o fibers.o traps.o misaligned.o warp.o shared_memory.o memory.o device.o streams.o \
    copies.o launch.o recorder.o gemm.o unsupported.o
  mv libcuda.new "$out/libcuda.so.1"
  built=" libcuda.so.1"
fi
echo "stand-in CUDA: ${built:+built}${built:-up to date} in $out"
