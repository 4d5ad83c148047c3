#!/usr/bin/env bash
# Response maps on the CPU, ours and PyTorch's on the same models, one after the other. Usage: benchmarks/maps.sh [PYTHON [CHUNKS]]
# PYTHON has torch over a fast BLAS: Debian's python3-torch with libopenblas0-pthread will do.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-/usr/bin/python3}
chunks=${2:-16}
mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
classpath=target/test-classes:target/classes:$(cat target/test-classpath.txt)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for model in maps-12=random:12,12,768,1000,64 maps-4=random:4,12,768,1000,64; do
    java -cp "$classpath" dev.greenfield.cli.Main export --model "${model#*=}" --out "$work/models/${model%%=*}" --quiet > /dev/null
done
"$python" benchmarks/peers/torch_map.py --cases benchmarks/cases.json --set maps --models "$work/models" --out "$work/peers" \
    --device cpu --precision fp32 --chunks "$chunks" --seconds 1
java -cp "$classpath" dev.greenfield.benchmarks.GpuSuite --backend cpu --set maps --models "$work/models" --peers "$work/peers" \
    --square 2048 --seconds 5 --out "$work/out"
