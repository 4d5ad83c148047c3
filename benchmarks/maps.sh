#!/usr/bin/env bash
# Response maps on the CPU: ours, PyTorch's and plain matrix products in turn, on the same models with the same directions.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: benchmarks/maps.sh [--dry-run] [--python PYTHON] [--chunks LIST] [--out DIR] [--skip-build]
  --dry-run        a tiny model, in seconds: to see that everything works
  --python PYTHON  with PyTorch over a fast BLAS (Debian's python3-torch with libopenblas0-pthread will do), or "none" for ours alone.
                   Default: /usr/bin/python3
  --chunks LIST    chunk sizes that the peer tries. Default: 8,16,32,64,128,256
  --out DIR        receives maps.txt and maps.json. Default: target/maps
  --skip-build     classes are there
Two cores need about half an hour, all of them: let nothing else run.
TEXT
}

python=/usr/bin/python3 chunks=8,16,32,64,128,256 out=target/maps set=maps build=yes
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) set=tiny chunks=4,16; shift ;;
        --skip-build) build=no; shift ;;
        --python|--chunks|--out)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            declare "${1#--}=$2"; shift 2 ;;
        -h|--help) usage; exit 0 ;;
        *) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
done
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/.."

if [ "$build" = yes ]; then
    mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
fi
classpath=target/test-classes:target/classes:$(cat target/test-classpath.txt)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# GFLOP/s of one product by PyTorch.
product() {
    "$python" - <<'PYTHON'
import os, time, torch
torch.set_num_threads(os.cpu_count())
a, b, times = torch.randn(1024, 768), torch.randn(768, 3072), []
for _ in range(12):
    start = time.perf_counter()
    a @ b
    times.append(time.perf_counter() - start)
print(round(2 * 1024 * 768 * 3072 / sorted(times)[6] / 1e9))
PYTHON
}

# Ours brings an OpenBLAS of its own, which the variable must not reach.
chosen=${OPENBLAS_CORETYPE:-}
unset OPENBLAS_CORETYPE
# OpenBLAS takes a processor that is newer than itself for a very old one, several times slower. The peer gets the best kernels that run.
if [ "$python" != none ] && [ -z "$chosen" ]; then
    best=$(product)
    echo "PyTorch's products by default: $best GFLOP/s"
    for core in Haswell:avx2 Zen:avx2 SkylakeX:avx512f; do
        if grep -qw "${core#*:}" /proc/cpuinfo 2> /dev/null; then
            rate=$(OPENBLAS_CORETYPE=${core%:*} product)
            echo "with OPENBLAS_CORETYPE=${core%:*}: $rate GFLOP/s"
            if [ $((10 * rate)) -gt $((11 * best)) ]; then best=$rate chosen=${core%:*}; fi
        fi
    done
fi

models=(maps-12=random:12,12,768,1000,64 maps-4=random:4,12,768,1000,64)
if [ "$set" = tiny ]; then models=(tiny=random:3,2,32,101,24,seed=3); fi
for model in "${models[@]}"; do
    java -cp "$classpath" dev.greenfield.cli.Main export --model "${model#*=}" --out "$work/models/${model%%=*}" --quiet > /dev/null
done

peer=()
if [ "$python" != none ]; then
    { echo '#!/bin/sh'
      if [ -n "$chosen" ]; then echo "export OPENBLAS_CORETYPE=$chosen"; fi
      echo "exec \"$python\" \"\$@\""; } > "$work/python"
    chmod +x "$work/python"
    peer=(--python "$work/python" --chunks "$chunks")
fi
java -cp "$classpath" dev.greenfield.benchmarks.MapSuite --set "$set" --models "$work/models" "${peer[@]}" --out "$out"
