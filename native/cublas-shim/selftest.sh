#!/usr/bin/env bash
# Tests OUTDIR/libcublas.so.12 against stand-ins for cuBLAS 13: selftest.sh OUTDIR
#
# Another architecture's library is tested with CC its compiler and RUN what runs its programs, for example
#   CC=aarch64-linux-gnu-gcc RUN="qemu-aarch64 -L /usr/aarch64-linux-gnu" selftest.sh OUTDIR
set -euo pipefail

if [ $# != 1 ] || [ ! -f "$1/libcublas.so.12" ]; then
  echo "usage: selftest.sh OUTDIR, where build.sh OUTDIR made libcublas.so.12" >&2
  exit 2
fi
library=$(cd "$1" && pwd)/libcublas.so.12
cd "$(dirname "${BASH_SOURCE[0]}")"
cc=${CC:-gcc}
read -r -a run <<< "${RUN:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "selftest of $library: $1" >&2
  exit 1
}

"$cc" -O1 -Wall selftest.c -o "$work/selftest" -ldl
stub() { "$cc" -O1 -w -fPIC -shared "$2" -o "$work/$1/libcublas.so.13" -Wl,-soname,libcublas.so.13; }
mkdir "$work/some" "$work/every" "$work/none"
stub some stub13.c
awk '{ printf "int %s(void) { return %d; }\n", $1, 1000 + NR - 1 }' cublas12.syms > "$work/every.c"
stub every "$work/every.c"
# A file that is no library hides a libcublas.so.13 that this machine may have.
echo "no library" > "$work/none/libcublas.so.13"
export LD_LIBRARY_PATH=$work/none

for situation in every some; do
  "${run[@]}" "$work/selftest" $situation "$library" "$work/$situation/libcublas.so.13" < cublas12.syms 2> "$work/messages" ||
    fail "with $situation of cuBLAS 13: $(cat "$work/messages")"
  [ ! -s "$work/messages" ] || fail "with $situation of cuBLAS 13 it printed: $(cat "$work/messages")"
done
"${run[@]}" "$work/selftest" none "$library" < cublas12.syms 2> "$work/messages" || fail "with no cuBLAS 13: $(cat "$work/messages")"
[ "$(wc -l < "$work/messages")" = 1 ] && grep -q 'libcublas.so.13.*CUBLAS_STATUS_NOT_INITIALIZED' "$work/messages" ||
  fail "with no cuBLAS 13 it printed not one line that says so but: $(cat "$work/messages")"

# Nothing but the list is exported, the stack cannot be executed, the code needs no relocation, and an old glibc will do.
readelf --dyn-syms -W "$library" | awk '$7 != "UND" && $5 == "GLOBAL" && $4 == "FUNC" { sub(/@.*/, "", $8); print $8 }' | LC_ALL=C sort > "$work/exported"
cmp -s "$work/exported" cublas12.syms || fail "it exports other functions than cublas12.syms: $(diff "$work/exported" cublas12.syms | head -n 3)"
readelf -lW "$library" | grep GNU_STACK | grep -q 'RW ' || fail "its stack is executable"
readelf -dW "$library" | grep -q 'SONAME.*\[libcublas.so.12\]' || fail "its SONAME is not libcublas.so.12"
! readelf -dW "$library" | grep -q TEXTREL || fail "its code has relocations"
newest=$(readelf -VW "$library" | grep -o 'GLIBC_[0-9.]*' | sort -V | tail -n 1)
[ "$(printf '%s\nGLIBC_2.17\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.17 ] || fail "it needs $newest, expected no more than GLIBC_2.17"
echo "selftest of $library passed: 494 entries"
