#!/usr/bin/env bash
# Response maps on the CPU against PyTorch on the same model, one after the other. Usage: benchmarks/map.sh [PYTHON]
# PYTHON has torch: /usr/bin/python3 with Debian's python3-torch will do.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-/usr/bin/python3}
mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
classpath=target/test-classes:target/classes:$(cat target/test-classpath.txt)
models=$(mktemp -d)
trap 'rm -rf "$models"' EXIT

compare() { # spec tokens probes chunks
    rm -rf "$models/model"
    java -cp "$classpath" dev.greenfield.cli.Main export --model "$1" --out "$models/model" --quiet > /dev/null
    java -cp "$classpath" dev.greenfield.benchmarks.MapTable "$models/model" "$2" "$3" cpu 1
    PYTHONPATH=benchmarks/peers "$python" benchmarks/peers/torch_map.py "$models/model" --tokens "$2" --probes "$3" --chunks "$4" --seconds 1
}

compare random:12,12,768,1000,64 32 4 16,32
compare random:12,12,768,1000,64 32 16 16
compare random:4,12,768,1000,64 16 0 16
