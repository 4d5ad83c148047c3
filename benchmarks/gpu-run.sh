#!/usr/bin/env bash
# Tests and times Greenfield on a GPU, step by step; a step that fails does not stop the next. Runs inside the bundle that
# gpu-bundle.sh makes (needs python3 only) or from the repository after gpu-bundle.sh. bash gpu-run.sh --help lists the options.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
steps="doctor tests sanitize models peers suite ncu"

usage() {
    cat <<TEXT
bash gpu-run.sh --out DIR [options]
  --out DIR        receives summary.txt, table.txt, table.json and logs.tar.gz
  --only A,B       only these steps of: $steps
  --quick          fewer shapes, shorter measurements
  --set NAME       cases of cases.json: full, quick or tiny
  --dry-run        no GPU: tiny shapes, CUDA by the host stand-in, steps that need a device are skipped
  --backend NAME   cuda (default), cpu
  --precision P    tf32 (default for cuda), fp32
  --libs DIR:DIR   folders of CUDA libraries; found by themselves if left out
  --ncu KERNELS    also profile kernels whose names match this regular expression
  --python NAME    python3 (default)
  --work DIR       where to unpack and export models; a temporary directory if left out
  --limit SECONDS  for everything together
TEXT
}

out= only= set= backend=cuda precision= libs= ncu= python=python3 work= limit=100000 dry=no quick=no
need() { [ $# -ge 2 ] || { echo "$1: found nothing after it, expected a value; see --help" >&2; exit 2; }; }
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=yes ;;
        --dry-run) dry=yes ;;
        --help) usage; exit 0 ;;
        --out | --only | --set | --backend | --precision | --libs | --ncu | --python | --work | --limit)
            need "$@"
            declare "${1#--}=$2"
            shift ;;
        *) echo "found '$1', expected one of the options that --help lists" >&2; exit 2 ;;
    esac
    shift
done
[ -n "$out" ] || { usage >&2; exit 2; }
for step in ${only//,/ }; do
    [[ " $steps " == *" $step "* ]] || { echo "--only: found '$step', expected some of: $steps" >&2; exit 2; }
done
if [ -z "$set" ]; then
    set=full
    [ $quick = yes ] && set=quick
    [ $dry = yes ] && set=tiny
fi
[ -z "$precision" ] && { [ "$backend" = cuda ] && precision=tf32 || precision=fp32; }

mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work/logs/peers" && work=$(cd "$work" && pwd) || exit 2
logs=$work/logs
summary=$out/summary.txt
: > "$summary"
end=$((SECONDS + limit))
failed=0

say() { echo "$*" | tee -a "$summary"; }

# Where everything is: unpacked from the bundle, or staged in the repository.
if [ -f "$here/payload.tar.xz" ]; then
    home=$work/home
    # Python's tarfile: xz itself may be missing.
    [ -d "$home/repo" ] || { mkdir -p "$home" && "$python" -c 'import sys, tarfile
with tarfile.open(sys.argv[1]) as archive: archive.extractall(sys.argv[2])' "$here/payload.tar.xz" "$home" 2> /dev/null; } \
        || { say "FAIL unpack: $here/payload.tar.xz could not be unpacked to $home by $python: is the disk full?"; exit 1; }
else
    home=$here/../target/gpu-stage
    [ -d "$home/repo" ] || { echo "found no $home, expected the staged build: run benchmarks/gpu-bundle.sh first" >&2; exit 2; }
    [ $dry = yes ] && [ "$backend" = cuda ] && [ -z "$libs" ] && [ -d "$here/../target/standin" ] && libs=$here/../target/standin
fi
cd "$home/repo" || exit 2
java=$PWD/runtime/bin/java
classpath=$PWD/greenfield.jar:$PWD/test-classes:$(printf '%s:' "$PWD"/lib/*.jar)
options=(-Xmx4g -Djava.awt.headless=true "-Dgreenfield.native.dir=$work/native")
[ -n "$libs" ] && options+=("-Dgreenfield.cuda.libs=$libs")
[ "$backend" = cuda ] && options+=(-Dgreenfield.test.backends=cuda)

# Runs a command for what is left of the step's time; its file descriptors are the step's log.
within() {
    local left=$((deadline - SECONDS))
    [ $left -gt 0 ] || { echo "no time left for: $*"; return 124; }
    echo "+ $*"
    timeout -k 5 $left "$@" < /dev/null
}

# step NAME SECONDS: runs the function step_NAME, which sets `reason` when it returns 1 (failed) or 77 (skipped).
step() {
    local name=$1 status began=$SECONDS
    [ -z "$only" ] || [[ ",$only," == *",$name,"* ]] || return 0
    deadline=$((SECONDS + $2 < end ? SECONDS + $2 : end))
    reason=
    "step_$name" > "$logs/$name.log" 2>&1
    status=$?
    if [ $status = 124 ] || { [ $status != 0 ] && [ $SECONDS -ge $deadline ]; }; then
        reason="ran out of its time${reason:+; $reason}"
    fi
    case $status in
        0) say "PASS $name ($((SECONDS - began)) s)${reason:+: ${reason%; }}" ;;
        77) say "SKIP $name: ${reason%; }" ;;
        *)
            failed=1
            say "FAIL $name ($((SECONDS - began)) s): ${reason:-exit status $status}; the end of $name.log:"
            tail -n 15 "$logs/$name.log" | cut -c1-300 | sed 's/^/    /' | tee -a "$summary" ;;
    esac
}

needs_device() {
    if [ $dry = yes ] || [ "$backend" != cuda ]; then
        reason="needs a GPU, this is a run on ${libs:+the host stand-in of }$backend"
        return 77
    fi
    command -v "$1" > /dev/null || { reason="$1 is not installed"; return 77; }
}

step_doctor() {
    nvidia-smi 2> /dev/null
    uname -a
    within "$java" "${options[@]}" -jar greenfield.jar doctor || return 1
    within "$java" "${options[@]}" -jar greenfield.jar sensitivity --model demo --tokens 1,2,3 --answer '#4' --foil '#5' \
        --backend "$backend" --precision "$precision" --quiet || { reason="backend $backend does not work"; return 1; }
}

# "3 of 120 tests failed, 2 did not apply", from the launcher's summary in a log; fails if there is none.
counted() {
    awk '/tests found/ {all = $2} /tests failed/ {bad = $2} /tests aborted/ {other = $2}
        END {if (all == "") exit 1; print bad " of " all " tests failed, " other " did not apply"}' "$1"
}

# The tests of pom.xml's run on cuda, less those of the stand-in itself.
step_tests() {
    local status
    within "$java" "${options[@]}" -cp "$classpath" org.junit.platform.console.ConsoleLauncher execute \
        --disable-banner --disable-ansi-colors --fail-if-no-tests --details tree --reports-dir "$logs/test-reports" \
        --scan-classpath "$PWD/test-classes" \
        --include-classname 'dev\.greenfield\.(GoldenTest|(backend|backend\.cuda|engine)\.[A-Za-z]+Test)' \
        --exclude-classname '.*\.(StandInTest|NaiveAgreementTest)'
    status=$?
    reason=$(counted "$logs/tests.log") || reason="the tests did not end"
    if [ $status != 0 ]; then
        grep -F '[X]' "$logs/tests.log" | head -n 12
        return $status
    fi
    if grep -q 'tests of the cuda backend are skipped' "$logs/tests.log"; then
        reason=$(grep -m 1 'tests of the cuda backend are skipped' "$logs/tests.log")
        return 1
    fi
}

# The contract's cases under each checker, every buffer an allocation of its own.
step_sanitize() {
    local tool arithmetic name bad= last=$deadline left=6
    needs_device compute-sanitizer || return
    for tool in memcheck racecheck initcheck; do
        for arithmetic in fp32 tf32; do
            name=sanitize-$tool-$arithmetic
            deadline=$((SECONDS + (last - SECONDS) / left--))
            within compute-sanitizer --tool $tool --print-limit 20 --log-file "$logs/$name.log" "$java" "${options[@]}" \
                -Dgreenfield.cuda.cache=off -cp "$classpath" dev.greenfield.backend.CudaCases --precision $arithmetic \
                > "$logs/$name.run.log" 2>&1 || bad="$bad $tool $arithmetic (run),"
            tail -n 5 "$logs/$name.run.log"
            tail -n 30 "$logs/$name.log"
            if grep -q 'Device not supported' "$logs/$name.log"; then
                reason="compute-sanitizer does not support this machine"
                return 77
            fi
            grep -q 'actions done' "$logs/$name.run.log" \
                && grep -Eq 'ERROR SUMMARY: 0 errors|RACECHECK SUMMARY: 0 hazards' "$logs/$name.log" || bad="$bad $tool $arithmetic,"
            reason="$reason$tool $arithmetic: $(grep SUMMARY "$logs/$name.log" | tail -n 1 | sed 's/^[= ]*//'); "
        done
    done
    deadline=$last
    reason=${reason%; }
    [ -z "$bad" ] || { reason="found by${bad%,}; $reason"; return 1; }
}

step_models() {
    local name spec status=0
    while read -r name spec; do
        [ -d "$work/models/$name" ] && continue
        within "$java" "${options[@]}" -jar greenfield.jar export --model "$spec" --out "$work/models/$name" || { reason="$reason$name "; status=1; }
    done < <("$python" -c 'import json, sys
for model in json.load(open(sys.argv[1]))[sys.argv[2]]: print(model["model"], model["spec"])' cases.json "$set")
    [ -d "$work/models" ] || status=1
    return $status
}

# Peers that fail are findings, in their JSON files and here; the step passes if any of them measured something.
step_peers() {
    local peer last=$deadline device=cuda some=no left=5 seconds=1.5
    [ $dry = yes ] || [ "$backend" != cuda ] && device=cpu
    [ "$set" = full ] || seconds=0.5
    "$python" -c 'import numpy' || { reason="$python has no numpy"; return 77; }
    for peer in torch_tangent torch_adjoint torch_patch torch_map jax_peer; do
        deadline=$((SECONDS + (last - SECONDS) / left--))
        if ! "$python" -c "import ${peer%%_*}" 2> /dev/null; then
            reason="$reason$peer: ${peer%%_*} is not installed; "
        elif within "$python" peers/$peer.py --cases cases.json --set "$set" --models "$work/models" --out "$logs/peers" \
            --device $device --precision "$precision" --seconds $seconds; then
            some=yes
        else
            reason="$reason$peer: failed; "
        fi
    done
    deadline=$last
    grep -lqs '"median"' "$logs"/peers/*.json && some=yes  # a peer that ran out of time may have measured something
    [ $some = yes ] && return 0
    [[ $reason == *failed* ]] && return 1
    return 77
}

suite() {
    within "$@" "${options[@]}" -cp "$classpath" dev.greenfield.benchmarks.GpuSuite --operations --backend "$backend" --precision "$precision" \
        --cases cases.json --models "$work/models" --peers "$logs/peers" "${measure[@]}"
}

step_suite() {
    measure=(--set "$set" --out "$out")
    [ "$set" = quick ] && measure+=(--seconds 0.5)
    [ "$set" = tiny ] && measure+=(--seconds 0.05 --square 128 --memory 2)
    suite "$java"
    local status=$?
    reason=$(grep -m 1 '^PROBLEM' "$logs/suite.log" | cut -c1-200)
    return $status
}

step_ncu() {
    [ -n "$ncu" ] || { reason="no --ncu KERNELS given"; return 77; }
    needs_device ncu || return
    measure=(--set quick --kinds "tangent,patch" --seconds 0.01 --square 1024 --out "$logs/ncu")
    suite ncu --target-processes all --clock-control none --kernel-name "regex:$ncu" --launch-count 24 \
        --section SpeedOfLight --section LaunchStats --section Occupancy --section MemoryWorkloadAnalysis --section WarpStateStats \
        --log-file "$logs/ncu-profile.txt" "$java"
    grep -q 'Duration' "$logs/ncu-profile.txt" || { reason="no kernel matched '$ncu', or ncu could not read counters"; return 1; }
}

say "greenfield on $backend $precision, set $set$([ $dry = yes ] && echo ', dry run'), $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -n 1 || true)"
step doctor 60
step tests 300
step sanitize 420
step models 150
step peers 500
step suite 400
step ncu 150

[ -f "$out/table.txt" ] && cat "$out/table.txt"
tar -C "$work" -czf "$out/logs.tar.gz" logs || { say "FAIL pack: $out/logs.tar.gz could not be written: is the disk full?"; failed=1; }
[ "$(stat -c %s "$out/logs.tar.gz" 2> /dev/null || echo 0)" -le $((16 << 20)) ] || say "logs.tar.gz is larger than 16 MiB"
say "$([ $failed = 0 ] && echo "all steps passed or were skipped" || echo "some steps FAILED")"
exit $failed
