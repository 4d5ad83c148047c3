#!/bin/bash
# Maps of the same prompts by one executor and by two, each with one core, and by the command line on one thread, in turn.
# Needs SPARK_HOME, target/greenfield.jar and spark/target/greenfield-spark.jar. Usage: benchmarks/spark-scale.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
jar=$PWD/spark/target/greenfield-spark.jar
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk 'BEGIN { srand(1); printf "["
  for (i = 0; i < 48; i++) {
    printf "%s{\"tokens\": [", i ? ", " : ""
    n = 16 + int(17 * rand())
    for (t = 0; t < n; t++) printf "%s%d", t ? ", " : "", int(1000 * rand())
    printf "]}"
  }
  print "]" }' > "$work/suite.json"
maps=(map --model random:6,6,384,1000,64 --suite "$work/suite.json" --probes 4 --backend cpu --threads 1 --memory 512MiB)
for round in $(seq "${1:-2}"); do
  for executors in 1 2; do
    echo "round $round, $executors executors, load $(cut -d' ' -f1 /proc/loadavg):" \
      "$("$SPARK_HOME/bin/spark-submit" --master "local-cluster[$executors,1,2048]" --executor-memory 2g \
        --conf spark.driver.extraClassPath="$jar" --conf spark.executor.extraClassPath="$jar" \
        --class dev.greenfield.spark.Main "$jar" "${maps[@]}" --prompts-a-part 4 --out "$work/maps-$round-$executors" \
        2> "$work/log" | grep written)"
  done
  start=$SECONDS
  java -jar target/greenfield.jar "${maps[@]}" --out "$work/one-$round" > "$work/log" 2>&1
  echo "round $round, the command line: $((SECONDS - start)) s, load $(cut -d' ' -f1 /proc/loadavg)"
done
