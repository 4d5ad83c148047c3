#!/usr/bin/env bash
# Builds the library that forwards cuBLAS 12 to cuBLAS 13: build.sh OUTDIR
#
#   OUTDIR/libcublas.so.12
#   OUTDIR/libcublas.properties  what it was built from and by
#
# Nothing is done when sources and compiler are those of the last build. With no C compiler (gcc, or what CC names) it says so, leaves no library and
# succeeds: JCublas then needs a libcublas.so.12 of the system.
set -euo pipefail

if [ $# != 1 ]; then
  echo "usage: build.sh OUTDIR" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
library=$out/libcublas.so.12
properties=$out/libcublas.properties
cc=${CC:-gcc}

system=$(uname -s)-$(uname -m)
if [ "$system" != Linux-x86_64 ] && [ "$system" != Linux-aarch64 ] || ! getconf GNU_LIBC_VERSION > /dev/null 2>&1; then
  echo "the library that forwards cuBLAS 12 to cuBLAS 13 is not built: found $system, it needs Linux with glibc on x86-64 or aarch64"
  rm -f "$library" "$properties"
  exit 0
fi
if ! command -v "$cc" > /dev/null; then
  echo "no $cc: the library that forwards cuBLAS 12 to cuBLAS 13 is not built; install gcc and build again"
  rm -f "$library" "$properties"
  exit 0
fi

LC_ALL=C
describe() {
  echo "library.sha256=$(sha256sum < "$1" | cut -d ' ' -f 1)"
  echo "sources.sha256=$(sha256sum build.sh cublas12.syms forward.c | sha256sum | cut -d ' ' -f 1)"
  echo "compiler=$("$cc" -dumpmachine) $("$cc" -dumpfullversion)"
}
if [ -f "$library" ] && [ -f "$properties" ] && [ "$(cat "$properties")" = "$(describe "$library")" ]; then
  exit 0
fi

work=$(mktemp -d "$out/.cublas-shim.XXXXXX")
trap 'rm -rf "$work"' EXIT
awk '{ printf "ENTRY(%d, %s)\n", NR - 1, $1 }' cublas12.syms > "$work/entries.inc"
{
  echo "libcublas.so.12 {"
  echo "  global:"
  sed 's/.*/    &;/' cublas12.syms
  echo "  local: *;"
  echo "};"
} > "$work/exports.map"
# Older glibc has dlopen in libdl.
"$cc" -std=c11 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -fno-lto -shared -I "$work" forward.c -o "$work/library" \
  -Wl,-soname,libcublas.so.12 -Wl,--version-script="$work/exports.map" -Wl,-z,noexecstack -Wl,-z,relro,-z,now -Wl,-z,defs -s -ldl
chmod 644 "$work/library"
describe "$work/library" > "$work/properties"
mv "$work/library" "$library"
mv "$work/properties" "$properties"
echo "libcublas.so.12: $(wc -l < cublas12.syms) entries, $(stat -c %s "$library") bytes"
