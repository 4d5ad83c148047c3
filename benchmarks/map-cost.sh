#!/usr/bin/env bash
# What a response map costs against tokens, layers, width and probes, and its memory against sites; with pictures where Chromium is installed.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: benchmarks/map-cost.sh [--dry-run] [--out DIR] [--skip-build]
  --dry-run      tiny shapes, in seconds: to see that everything works
  --out DIR      receives map-cost.csv, map-cost.html and, with Chromium, map-cost.png. Default: target/map-cost
  --skip-build   classes are there
Two cores need about six minutes, all of them: let nothing else run.
TEXT
}

out=target/map-cost build=yes arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) arguments=(--dry-run --limit 1); shift ;;
        --skip-build) build=no; shift ;;
        --out)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            out=$2; shift 2 ;;
        -h|--help) usage; exit 0 ;;
        *) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
done
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/.."

if [ "$build" = yes ]; then
    mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
fi
java -cp "target/test-classes:target/classes:$(cat target/test-classpath.txt)" \
    dev.greenfield.benchmarks.MapCost "${arguments[@]}" --out "$out"

for browser in chromium chromium-browser google-chrome; do
    if command -v "$browser" > /dev/null; then
        profile=$(mktemp -d)
        trap 'rm -rf "$profile"' EXIT
        "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" --window-size=1000,1780 \
            --screenshot="$out/map-cost.png" "file://$out/map-cost.html" > "$out/browser.log" 2>&1
        rm "$out/browser.log"
        echo "picture: $out/map-cost.png"
        break
    fi
done
