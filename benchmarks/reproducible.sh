#!/usr/bin/env bash
# Builds the jars twice, in copies of the tracked files at two paths, and compares them byte by byte: reproducible.sh
#
# Both builds compile the kernels, so this takes twice what `mvn -DskipTests package` takes after `mvn clean`. It is no part of `mvn verify`.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for copy in one another/place; do
    echo "building in $copy"
    mkdir -p "$work/$copy"
    git ls-files -z | xargs -0 cp --parents -t "$work/$copy"
    (cd "$work/$copy" && mvn -q -B -ntp -DskipTests package)
    (cd "$work/$copy/target" && sha256sum -- *.jar) > "$work/sums-${copy%%/*}"
done
if ! diff "$work/sums-one" "$work/sums-another"; then
    echo "found different jars (above), expected the same bytes from the same sources" >&2
    exit 1
fi
cat "$work/sums-one"
