#!/usr/bin/env bash
# Takes docs/images/map.png, the picture in the README, from the demo model.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: benchmarks/map-picture.sh [--skip-build] [FILE]
  --skip-build   classes are there
  FILE           Default: docs/images/map.png
Needs Chromium (chromium, chromium-browser or google-chrome on the PATH).
TEXT
}

build=yes file=
while [ $# -gt 0 ]; do
    case $1 in
        --skip-build) build=no; shift ;;
        -h|--help) usage; exit 0 ;;
        -*) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
        *) file=$(realpath -m "$1"); shift ;;
    esac
done
cd "$(dirname "$0")/.."
file=${file:-$PWD/docs/images/map.png}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium on the PATH: install one" >&2
    exit 1
}
if [ "$build" = yes ]; then
    mvn -q -B -ntp test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java -cp "target/test-classes:target/classes:$(cat target/test-classpath.txt)" dev.greenfield.benchmarks.MapPicture "$work/page.html"
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --window-size=1120,1133 \
    --screenshot="$file" "file://$work/page.html#figure-1.source=0,10" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
echo "$file"
