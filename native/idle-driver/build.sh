#!/bin/sh
# Builds the driver that does nothing into OUTDIR: libcuda.so.1 and libcublas.so.13, each only when a source is newer.
#   build.sh OUTDIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?"usage: build.sh OUTDIR"}

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ] || ! command -v gcc > /dev/null 2>&1; then
  echo "idle driver: not built: it needs Linux on x86_64 and gcc, found $(uname -s) on $(uname -m)" >&2
  exit 1
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)

old() {
  [ ! -e "$1" ] || [ -n "$(find "$here" "$here/../standin/unsupported.cpp" "$here/../standin/unsupported.inc" -type f -newer "$1" -print -quit)" ]
}

options="-O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra"
if old "$out/libcuda.so.1"; then
  gcc $options -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o "$out/libcuda.new" "$here/driver.c" "$here/../standin/unsupported.cpp"
  mv "$out/libcuda.new" "$out/libcuda.so.1"
fi
if old "$out/libcublas.so.13"; then
  gcc $options -Wl,-soname,libcublas.so.13 '-Wl,-rpath,$ORIGIN' -o "$out/libcublas.new" "$here/blas.c" "$out/libcuda.so.1"
  mv "$out/libcublas.new" "$out/libcublas.so.13"
fi
echo "idle driver: up to date in $out"
