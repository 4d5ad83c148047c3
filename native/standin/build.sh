#!/bin/sh
# Builds the host stand-in into OUTDIR: libcuda.so.1, libcublas.so.13, libcudnn.so.9 and the sanitizers' runner `replay`, each only when a source is
# newer. Where it cannot be built it says so in one line and succeeds, having built nothing.
#   build.sh OUTDIR [KERNELS.cu]      KERNELS.cu: kernels other than cuda-kernels/kernels.cu
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernels=${2:-$here/../../cuda-kernels/kernels.cu}
out=${1:?"usage: build.sh OUTDIR [KERNELS.cu]"}

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  echo "stand-in CUDA: not built: found $(uname -s) on $(uname -m), it needs Linux on x86_64"
  exit 0
fi
if ! command -v g++ >/dev/null 2>&1; then
  rm -f "$out/libcuda.so.1" "$out/libcublas.so.13" "$out/libcudnn.so.9" "$out/replay"
  echo "stand-in CUDA: not built: found no g++; install it to test the CUDA backend without a GPU"
  exit 0
fi
if [ ! -e "$kernels" ]; then
  echo "stand-in CUDA: found no $kernels, expected the file that includes all kernels" >&2
  exit 1
fi
kernels=$(cd "$(dirname "$kernels")" && pwd)/$(basename "$kernels")
mkdir -p "$out/objects"
out=$(cd "$out" && pwd)
cd "$out/objects"

# The same arithmetic in every build: no contraction to fused multiply-adds that the source does not ask for. With the machine's vector
# units where it has those of x86-64-v3.
common="-std=c++17 -g1 -fPIC -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-unknown-pragmas -fmax-errors=5 -I$here -I$(dirname "$kernels") -I$here/../../cuda-kernels"
if grep -q -w avx2 /proc/cpuinfo && grep -q -w fma /proc/cpuinfo; then common="$common -march=x86-64-v3"; fi
host="$common -O2 -fvisibility=hidden"
checked="-fsanitize=null,alignment"  # kernels, see misaligned.cpp
# Checks of addresses are calls: the kernels compile in half the time. The checks that are left out find nothing that these do not.
sanitized="$common -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
  -fno-sanitize=null,object-size,pointer-overflow,vptr,return,unreachable --param asan-instrumentation-with-call-threshold=0"
# What runs the kernels tells the sanitizer of its stacks, and is not looked at itself: that would be most of a replay's time.
runner="$common -O2 -fno-omit-frame-pointer -fsanitize=address --param asan-instrument-reads=0 --param asan-instrument-writes=0
  --param asan-stack=0 --param asan-globals=0"

# Other kernels or options than last time make everything old.
echo "$kernels: $host $checked $sanitized $runner" > recipe.new
if cmp -s recipe.new recipe; then rm recipe.new; else mv recipe.new recipe; fi

# old OUTPUT: is it missing, or older than a source?
old() {
  [ ! -e "$1" ] || [ recipe -nt "$1" ] ||
    [ -n "$(find "$here" "$here/../../cuda-kernels" "$(dirname "$kernels")" -maxdepth 1 -type f -newer "$1" ! -name '*.md' ! -name 'selftest*' -print -quit)" ]
}

# compile OBJECT SOURCE OPTIONS...
compile() {
  object=$1 source=$2
  shift 2
  g++ "$@" -x c++ -c "$source" -o "$object"
}

runtime="kernels stacks fibers warp shared_memory"  # what runs kernels, in the driver and in replay
driver="traps misaligned memory device graphs streams copies launch products recorder unsupported"

# Two marks enclose the kernels' static variables, which are their __shared__ arrays: the linker keeps the order of the objects.
compile_marks() {
  for mark in begin end; do echo "char standin_shared_$mark[128];" | g++ $host -x c++ -c - -o "$1shared_$mark.o"; done
}

build_libraries() {
  objects=
  for name in $runtime $driver; do
    compile $name.o "$here/$name.cpp" $host
    objects="$objects $name.o"
  done
  compile gemm.o "$here/gemm.cpp" $host -O3
  compile kernels_cu.o "$kernels" $host $checked
  compile planted_cu.o "$here/planted.cu" $host $checked
  compile_marks ""
  g++ -shared -Wl,-soname,libcuda.so.1 -Wl,--version-script="$here/exports.map" -Wl,-Bsymbolic -o libcuda.new \
    shared_begin.o kernels_cu.o planted_cu.o shared_end.o gemm.o $objects
  compile blas.o "$here/blas.cpp" $host
  mv libcuda.new "$out/libcuda.so.1"
  g++ -shared -Wl,-soname,libcublas.so.13 -Wl,-Bsymbolic '-Wl,-rpath,$ORIGIN' -o libcublas.new blas.o "$out/libcuda.so.1"
  mv libcublas.new "$out/libcublas.so.13"
  compile dnn.o "$here/dnn.cpp" $host
  g++ -shared -Wl,-soname,libcudnn.so.9 -Wl,-Bsymbolic '-Wl,-rpath,$ORIGIN' -o libcudnn.new dnn.o "$out/libcuda.so.1"
  mv libcudnn.new "$out/libcudnn.so.9"
}

build_replay() {
  objects=
  for name in $runtime replay; do
    compile sanitized_$name.o "$here/$name.cpp" $runner
    objects="$objects sanitized_$name.o"
  done
  # Products are computed as the library does: they are not what is looked at, and must give the same bits.
  compile replay_gemm.o "$here/gemm.cpp" $host -O3
  compile sanitized_kernels_cu.o "$kernels" $sanitized
  compile sanitized_planted_cu.o "$here/planted.cu" $sanitized
  compile_marks replay_
  g++ -fsanitize=address,undefined -o replay.new \
    replay_shared_begin.o sanitized_kernels_cu.o sanitized_planted_cu.o replay_shared_end.o replay_gemm.o $objects
  mv replay.new "$out/replay"
}

# What cannot be built is not left as it was.
built=
libraries=
replay=
if old "$out/libcuda.so.1" || old "$out/libcublas.so.13" || old "$out/libcudnn.so.9"; then
  rm -f "$out/libcuda.so.1" "$out/libcublas.so.13" "$out/libcudnn.so.9"
  (set -e; build_libraries) & libraries=$!
  built="$built libcuda.so.1 libcublas.so.13 libcudnn.so.9"
fi
if old "$out/replay"; then
  rm -f "$out/replay"
  (set -e; build_replay) & replay=$!
  built="$built replay"
fi
failed=
if [ -n "$libraries" ]; then wait "$libraries" || failed=1; fi
if [ -n "$replay" ]; then wait "$replay" || failed=1; fi
if [ -n "$failed" ]; then
  echo "stand-in CUDA: not built: g++ failed, see above" >&2
  exit 1
fi
if [ -n "$built" ]; then echo "stand-in CUDA: built$built in $out"; else echo "stand-in CUDA: up to date in $out"; fi
