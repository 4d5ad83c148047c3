#!/usr/bin/env bash
# Packs what a machine with a GPU and python3, but no Java and no network, needs beside the repository's own files to prove and time
# Greenfield on the GPU: target/gpu-bundle/payload.tar.xz, in a folder that git ignores. There: bash benchmarks/first-light.sh --out RESULTS
# Usage: benchmarks/gpu-bundle.sh [--skip-build]
#
#   runtime/        Java, cut down to the modules that are used
#   greenfield.jar  without what a GPU run does not need: OpenBLAS (the CPU backend then multiplies in plain Java), tokenizers' and JNA's
#                   natives, DJL's lists of models, jtokkit's vocabularies but GPT-2's; and without what the repository brings in src/main/resources (the demo's model, charts)
#   test-classes/   tests and benchmarks
#   lib/            JUnit, AssertJ and cuDNN's binding
#
# Repository and bundle travel together: both must stay below 58 MiB.
set -euo pipefail
cd "$(dirname "$0")/.."
most=$((58 << 20))
out=target/gpu-bundle
stage=target/gpu-stage

case ${1:-} in
    '') mvn -q -B -ntp -Dmaven.test.skip.exec package ;; # the tests are compiled, not run
    --skip-build) [ -f target/greenfield.jar ] || { echo "found no target/greenfield.jar, expected a build: leave --skip-build out" >&2; exit 1; } ;;
    *) echo "found '$1', expected --skip-build or nothing" >&2; exit 2 ;;
esac
rm -rf "$out" "$stage"
mkdir -p "$stage/lib" "$out"
mvn -q -B -ntp dependency:copy-dependencies -DexcludeScope=runtime -DoutputDirectory="$stage/lib" \
    -DexcludeArtifactIds=jazzer,archunit,byte-buddy,jmh-core,jmh-generator-annprocess,jopt-simple,commons-math3
cp -r target/test-classes "$stage"
rm -rf "$stage/test-classes/META-INF/BenchmarkList" "$stage/test-classes/META-INF/CompilerHints"

# Stored, not deflated: the archive of everything compresses better.
python3 - target/greenfield.jar "$stage/greenfield.jar" <<'PYTHON'
import os, re, sys, zipfile
unused = re.compile(r"org/bytedeco/openblas/.*\.(so|dylib|dll)(\.\d+)*$|org/bytedeco/(openblas/global/openblas_full|javacpp/tools/)|nlp/|native/lib/|com/sun/jna/[^/]+/(lib|.*jnidispatch)|com/knuddels/jtokkit/(cl100k|o200k|p50k).*\.tiktoken$|META-INF/maven/")
with zipfile.ZipFile(sys.argv[1]) as jar, zipfile.ZipFile(sys.argv[2], "w") as small:
    for entry in jar.infolist():
        if not unused.match(entry.filename) and not os.path.isfile(os.path.join("src/main/resources", entry.filename)):
            small.writestr(entry, jar.read(entry), zipfile.ZIP_STORED)
PYTHON

# Warnings come first, on standard output too.
modules=$(jdeps --multi-release 17 --ignore-missing-deps --print-module-deps \
    target/greenfield.jar "$stage/test-classes" "$stage"/lib/*.jar 2> /dev/null | tail -n 1 | sed -E 's/,(java\.desktop|jdk\.(compiler|jshell|javadoc))//g')
jlink --add-modules "$modules,java.base,java.logging,java.management,jdk.management,jdk.unsupported,jdk.zipfs" \
    --compress=0 --strip-debug --no-header-files --no-man-pages --output "$stage/runtime"

tar -C "$stage" -c . | xz -T0 -6 > "$out/payload.tar.xz"
bundle=$(du -sb "$out" | cut -f1)
# What git tracks, and what it neither tracks nor ignores.
tree=$({ git ls-files -z --cached --others --exclude-standard | xargs -0 stat -c %s 2> /dev/null || true; } | awk '{ n += $1 } END { print n }')
echo "$out: $((bundle / 1000)) kB packed, $(du -sm "$stage" | cut -f1) MiB unpacked; with the repository's $((tree / 1000)) kB $(((bundle + tree) / 1000)) of at most $((most / 1000)) kB"
for part in "$stage"/*; do
    echo "  $(du -sm "$part" | cut -f1) MiB ${part##*/} unpacked"
done
if [ $((bundle + tree)) -gt "$most" ]; then
    echo "found $((bundle + tree)) bytes of repository and bundle, expected at most $most to travel: leave more out in $0, or make the repository smaller" >&2
    exit 1
fi
