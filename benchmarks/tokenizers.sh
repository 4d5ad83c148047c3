#!/usr/bin/env bash
# Mutated tokenizer files, each loaded and applied: how many were read and refused, and how often the library's process ended.
# usage: benchmarks/tokenizers.sh [COUNT [SEED]]; after mvn test-compile
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-100000}
seed=${2:-1}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
mvn -o -q dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile="$list" > /dev/null
java -Xmx512m -cp "target/classes:target/test-classes:$(cat "$list")" dev.greenfield.model.TokenizerMutants "$count" "$seed"
