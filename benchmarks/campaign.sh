#!/usr/bin/env bash
# The campaign of docs/reliability.md at length: hostile files by seed and by Jazzer, kills, threads, growth and full disks. Prints a
# line for each; ends with 1 if there was a fault.
# usage: benchmarks/campaign.sh [SIZE [SEED]]; SIZE 1 takes some minutes on two cores, 10 ten times as long; after mvn test-compile
set -euo pipefail
cd "$(dirname "$0")/.."
size=${1:-1}
seed=${2:-1}
list=$(mktemp)
log=$(mktemp)
trap 'rm -f "$list" "$log"' EXIT
mvn -o -q dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile="$list" > /dev/null
failed=0

files() {
    java -Xmx512m -cp "target/classes:target/test-classes:$(cat "$list")" dev.greenfield.fuzz.FuzzTarget "$1" $(($2 * size)) "$seed" || failed=1
}

# Tests at another length than the build's; what they print, or that they failed.
tests() {
    if mvn -o -Pfast -DexcludedGroups= -DforkCount=1 surefire:test@default-test "$@" > "$log" 2>&1; then
        grep -E "^(jazzer|maps|studies|[0-9]+ runs|[0-9]+ damaged|skipped)|Tests run:.*Time elapsed" "$log" || true
    else
        grep -E "ERROR|FAIL" "$log" | head -20
        failed=1
    fi
}

date -u +"%F %T UTC, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg 2> /dev/null || echo unknown)"
files SAFETENSORS 100000
files CONFIG 20000
files INDEX 20000
files TOKENIZER 1000
files SUITE 20000
files CHECKPOINT 10000
files STUDY 20000
files MERGE 1000
tests -Dtest=SafetensorsMutationTest -Dgreenfield.campaign.safetensors=$((100000 * size))
tests -Dtest=JazzerTest -Dgreenfield.campaign.jazzer=$((6 * size))
tests -Dtest=CheckpointKillTest -Dgreenfield.campaign.kills=$((90 * size))
tests -Dtest=StudyKillTest -Dgreenfield.campaign.study.kills=$((10 * size))
tests -Dtest=ThreadsTest -Dgreenfield.campaign.calls=$((400 * size))
tests -Dtest=GrowthTest -Dgreenfield.campaign.runs=$((2000 * size))
tests -Dtest=DiskFullTest
exit $failed
