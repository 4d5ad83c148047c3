#!/usr/bin/env bash
# The host's part of GPU work, with a driver that does nothing: processor time of the calling thread, launches, copies and waits.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: benchmarks/host-time.sh [--skip-build] [--seconds S] [--tokens T] [--only WORK] [--model MODEL]
  --skip-build   classes are there
  --seconds S    for each work. Default: 20
  --tokens T     of the maps. Default: 64
  --only WORK    part of a work's name, such as "16 probes"
  --model MODEL  Default: random:gpt2
Needs no GPU, but a build with kernels: the driver says that it runs them. A minute and a half.
TEXT
}

build=yes arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --skip-build) build=no; shift ;;
        --seconds|--tokens|--only|--model)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            arguments+=("$1" "$2"); shift 2 ;;
        -h|--help) usage; exit 0 ;;
        *) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
done
cd "$(dirname "$0")/.."

if [ "$build" = yes ]; then
    mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
fi
native/idle-driver/build.sh target/idle-driver
java -Xmx8g -Dgreenfield.cuda.libs=target/idle-driver \
    -cp "target/test-classes:target/classes:$(cat target/test-classpath.txt)" \
    dev.greenfield.benchmarks.HostTime "${arguments[@]}"
