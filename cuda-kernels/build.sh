#!/usr/bin/env bash
# Builds the kernels: build.sh OUTDIR
#
#   OUTDIR/kernels.fatbin         machine code for sm_80, 90, 100, 120 and PTX for what comes after
#   OUTDIR/kernels.properties     what it was built from and by
#   OUTDIR/kernels.resources.txt  registers, shared memory and local memory of each kernel on each architecture
#
# Nothing is done when sources and compiler are those of the last build. With no nvcc it says so, leaves no output and succeeds: the jar
# then computes on the CPU only. It fails when a kernel uses local memory on sm_80 or sm_90: registers that spill, or an array indexed
# at run time.
set -euo pipefail

ARCHITECTURES=(80 90 100 120)
PTX=80
# What PTX an architecture's machine code is made of. From that of 90 and of 120 comes the same machine code, byte for byte, and to make
# PTX is half of nvcc's work. Kernels that ask for __CUDA_ARCH__ would need each its own.
declare -A FROM=([80]=80 [90]=80 [100]=100 [120]=100)
FLAGS=(-O3 -std=c++17 -fatbin --compress-mode=size)
OLDEST_NVCC=12.8  # the first that knows sm_100, sm_120 and --compress-mode

# Kernels that may use local memory, one a line: name, architecture, why. Without a reason a line does not count.
ALLOWED_LOCAL='
attention_tangent_fp32_64 sm_80 two blocks a processor leave 128 registers, five too few: 20 bytes
attention_tangent_capped_fp32_64 sm_90 the same, three too few: 12 bytes
attention_adjoint_queries_capped_fp32_64 sm_90 the same, eleven too few: 44 bytes
'

if [ $# != 1 ]; then
  echo "usage: build.sh OUTDIR" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
outputs=("$out/kernels.fatbin" "$out/kernels.properties" "$out/kernels.resources.txt")

no_kernels() {
  echo "$1: this build has no CUDA kernels, the jar computes on the CPU only; install the CUDA toolkit 13 and build again"
  rm -f "${outputs[@]}"
  exit 0
}

nvcc=$(command -v nvcc || true)
for home in "${CUDA_HOME:-}" /usr/local/cuda; do
  if [ -z "$nvcc" ] && [ -n "$home" ] && [ -x "$home/bin/nvcc" ]; then nvcc=$home/bin/nvcc; fi
done
[ -n "$nvcc" ] || no_kernels "no nvcc"
# "Cuda compilation tools, release 13.0, V13.0.88"
compiler=$("$nvcc" --version | sed -n 's/^Cuda compilation tools, release .*, V\(.*\)$/\1/p')
[ -n "$compiler" ] || no_kernels "$nvcc does not tell its version"
[ -n "$(command -v g++ || command -v clang++ || true)" ] || no_kernels "nvcc has no host compiler (g++)"
oldest=$(printf '%s\n%s\n' "$OLDEST_NVCC" "$compiler" | sort -V | head -n 1)
[ "$oldest" = "$OLDEST_NVCC" ] || no_kernels "$nvcc is version $compiler, expected $OLDEST_NVCC or later"

hash_of() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }
LC_ALL=C
sources=$(hash_of build.sh ./*.cu ./*.cuh)
property() { sed -n "s/^$1=//p" "$out/kernels.properties"; }

if [ -f "$out/kernels.fatbin" ] && [ -f "$out/kernels.properties" ] && [ -f "$out/kernels.resources.txt" ] &&
  [ "$(property sources.sha256)" = "$sources" ] && [ "$(property compiler)" = "nvcc $compiler" ] &&
  [ "$(property fatbin.sha256)" = "$(sha256sum < "$out/kernels.fatbin" | cut -d ' ' -f 1)" ]; then
  exit 0
fi

rm -f "${outputs[@]}"  # of other sources; a build that fails must not leave them
work=$(mktemp -d "$out/.kernels.XXXXXX")
trap 'rm -rf "$work"' EXIT

targets=(-gencode "arch=compute_$PTX,code=compute_$PTX")
for a in "${ARCHITECTURES[@]}"; do targets+=(-gencode "arch=compute_${FROM[$a]},code=sm_$a"); done

compile() {
  if ! "$nvcc" "${FLAGS[@]}" "$@" "${targets[@]}" -Xptxas -v kernels.cu -o "$work/kernels.fatbin" > "$work/log" 2>&1; then
    grep -v '^ptxas info' "$work/log" >&2 || true
    echo "nvcc $compiler did not compile cuda-kernels/kernels.cu: see the messages above" >&2
    exit 1
  fi
  grep -v -e '^ptxas info' -e '^ *[0-9]* bytes stack frame' -e '^$' "$work/log" >&2 || true  # warnings
}

# One line a kernel and architecture from ptxas's report, which is four lines for each; fails when those are not whole.
resources() {
  awk '
    /Compiling entry function/ { if (name) exit 1; split($0, q, "\047"); name = q[2]; arch = q[4]; local = "" }
    /bytes stack frame/ && name { local = $1 > $5 + $9 ? $1 : $5 + $9 }
    /Used [0-9]+ registers/ && name {
      if (local == "") exit 1
      match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
      shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
      printf "%-42s %-7s %9d %7d %7d\n", name, arch, registers, shared, local; name = ""
    }
    END { if (name) exit 1 }' "$work/log" | sort > "$work/table"
}

echo "CUDA kernels: nvcc compiles them for $(printf 'sm_%s ' "${ARCHITECTURES[@]}")and compute_$PTX, about two minutes on two cores"
begin=$(date +%s.%N)
compile -t 0
if ! resources; then  # the reports of two architectures ran into each other
  compile -t 1
  resources
fi
seconds=$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')

{
  printf '%-42s %-7s %9s %7s %7s\n' kernel target registers shared local
  cat "$work/table"
} > "$work/kernels.resources.txt"
mv "$work/kernels.resources.txt" "$out/"

local_memory=$(awk -v allowed="$ALLOWED_LOCAL" '
  BEGIN { n = split(allowed, lines, "\n"); for (i = 1; i <= n; i++) if (split(lines[i], f, " ") > 2) may[f[1] " " f[2]] = 1 }
  ($2 == "sm_80" || $2 == "sm_90") && $5 > 0 && !(($1 " " $2) in may) { printf "%s on %s: %d bytes; ", $1, $2, $5 }' "$work/table")
if [ -n "$local_memory" ]; then
  echo "kernels use local memory: ${local_memory}expected none (see $out/kernels.resources.txt); use fewer registers, or say in cuda-kernels/build.sh why they may" >&2
  exit 1
fi

{
  echo "fatbin.sha256=$(sha256sum < "$work/kernels.fatbin" | cut -d ' ' -f 1)"
  echo "sources.sha256=$sources"
  echo "compiler=nvcc $compiler"
  echo "architectures=$(printf 'sm_%s ' "${ARCHITECTURES[@]}")compute_$PTX"
} > "$work/kernels.properties"
# The properties last: they vouch for the fatbin.
mv "$work/kernels.fatbin" "$out/"
mv "$work/kernels.properties" "$out/"
echo "CUDA kernels: $(($(wc -l < "$out/kernels.resources.txt") - 1)) images of kernels, $(stat -c %s "$out/kernels.fatbin") bytes, nvcc $compiler, $seconds s"
