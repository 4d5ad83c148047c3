#!/usr/bin/env bash
# The CPU speed table: JMH in one forked JVM, ours against the OpenBLAS products of the same shapes. Usage: benchmarks/cpu.sh [threads [random model]]
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
java -cp "target/test-classes:target/classes:$(cat target/test-classpath.txt)" dev.greenfield.benchmarks.SpeedTable "$@"
