#!/bin/sh
# Builds the stand-in into OUTDIR and proves that each planted fault is reported and that correct kernels pass (selftest.cpp).
#   selftest.sh OUTDIR [KERNELS.cu]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/build.sh" "$@"
if [ ! -e "$1/libcuda.so.1" ]; then exit 0; fi  # build.sh said why
out=$(cd "$1" && pwd)
if [ ! -e "$out/selftest" ] || [ "$here/selftest.cpp" -nt "$out/selftest" ] || [ "$out/libcuda.so.1" -nt "$out/selftest" ]; then
  g++ -std=c++17 -O1 -Wall -Wextra -o "$out/selftest" "$here/selftest.cpp" "$out/libcuda.so.1" "$out/libcublas.so.13" '-Wl,-rpath,$ORIGIN'
fi
"$out/selftest" "$out" "$here/planted.cu"
