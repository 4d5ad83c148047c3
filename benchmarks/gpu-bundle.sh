#!/usr/bin/env bash
# Packs all that a machine with a GPU and python3, but no Java and no network, needs to test and time Greenfield on the GPU.
# Usage: benchmarks/gpu-bundle.sh [OUT]     OUT is target/gpu-bundle by default. There: bash OUT/gpu-run.sh --out RESULTS
#
# target/gpu-stage is the same thing unpacked (benchmarks/gpu-run.sh uses it when run from the repository):
#   stage/repo/    working directory: greenfield.jar, runtime/ (Java), test-classes/, lib/, peers/, cases.json, and the data of
#                  the tests where they look for them
# Left out to keep it small: OpenBLAS (the CPU backend then multiplies in plain Java), natives of other
# platforms, Java's desktop module, and test libraries that the GPU's tests do without (JMH, ArchUnit, Byte Buddy).
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-target/gpu-bundle}")
stage=$PWD/target/gpu-stage
repo=$stage/repo
most=$((60 * 1000 * 1000))

mvn -q -B -ntp -DskipTests package
junit=$(sed -n 's:.*<junit.version>\(.*\)</junit.version>.*:\1:p' pom.xml)
rm -rf "$stage" "$out"
mkdir -p "$repo/lib" "$out"

# JUnit 5.x.y belongs to platform 1.x.y.
mvn -q -B -ntp dependency:copy -DoutputDirectory="$repo/lib" -Dmdep.stripVersion=true \
    -Dartifact="org.junit.platform:junit-platform-console-standalone:1.${junit#5.}"
mvn -q -B -ntp dependency:copy-dependencies -DexcludeScope=runtime -DoutputDirectory="$repo/lib" \
    -DincludeArtifactIds=assertj-core,jcudnn,jcudnn-natives -Dmdep.stripVersion=true
cp -r target/test-classes benchmarks/peers benchmarks/cases.json "$repo"
rm -rf "$repo/peers/__pycache__"

# Stored, not deflated: the archive of everything compresses better.
python3 - target/greenfield.jar "$repo/greenfield.jar" <<'PYTHON'
import re, sys, zipfile
unused = re.compile(r"org/bytedeco/openblas/linux-x86_64/.*\.so|native/lib/(?!linux-x86_64/)[^/]+/|com/sun/jna/(?!linux-x86-64/)[^/]+/lib|com/sun/jna/(?!linux-x86-64/)[^/]+/.*jnidispatch")
with zipfile.ZipFile(sys.argv[1]) as jar, zipfile.ZipFile(sys.argv[2], "w") as small:
    for entry in jar.infolist():
        if not unused.match(entry.filename):
            small.writestr(entry, jar.read(entry), zipfile.ZIP_STORED)
PYTHON

cp -r --parents src/test/data src/main/resources/dev/greenfield/demo "$repo"

# Warnings come first, on standard output too.
modules=$(jdeps --multi-release 17 --ignore-missing-deps --print-module-deps \
    target/greenfield.jar "$repo/test-classes" "$repo"/lib/*.jar 2> /dev/null | tail -n 1 | sed 's/,java\.desktop//')
jlink --add-modules "$modules,java.base,java.logging,java.management,jdk.management,jdk.unsupported,jdk.zipfs" \
    --compress=0 --strip-debug --no-header-files --no-man-pages --output "$repo/runtime"

tar -C "$stage" -c repo | xz -T0 -6 > "$out/payload.tar.xz"
cp benchmarks/gpu-run.sh "$out"
size=$(du -sb "$out" | cut -f1)
echo "$out: $((size / 1000)) kB packed, $(du -sm "$stage" | cut -f1) MiB unpacked"
for part in "$repo/runtime" "$repo/greenfield.jar" "$repo/lib" "$repo/test-classes" "$repo/src"; do
    echo "  $(du -sm "$part" | cut -f1) MiB ${part#"$stage"/} unpacked"
done
if [ "$size" -gt "$most" ]; then
    echo "found $size bytes, expected at most $most to travel: leave something out in $0" >&2
    exit 1
fi
