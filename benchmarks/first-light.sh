#!/usr/bin/env bash
# shellcheck disable=SC2317  # stages are called by name
# First light: proves and times the CUDA backend on a machine with a GPU, python3 and nothing else, in one call of 450 s and, after a
# fix, a second of 240 s. Needs the bundle that gpu-bundle.sh makes. docs/first-light.md says what to do with what it finds.
#
# Stages have times by which they end; one that is done early leaves its time to the next. Everything is appended to the output folder as it
# happens, so that an end at any second costs only the line that was being written. bash first-light.sh --help lists the options.
set -u
LC_ALL=C
export LC_ALL PYTHONUNBUFFERED=1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    cat <<TEXT
bash benchmarks/first-light.sh [--call 1|2] [--out DIR] [options]
  --call N         1 (default): everything once. 2: what failed in call 1, golden answers, peers, speed, tests, Nsight Compute
  --out DIR        receives at most 8 files. Default: \$OUT, else first-light-out
  --first DIR      for call 2: what call 1 wrote. Default: target/first-light-1
  --dry-run        no GPU: the host stand-in (target/standin), tiny shapes; stages that need a device say so
  --without A,B    leaves these stages out
  --scale F        times all limits; 1, or 0.2 in a dry run
  --java JAVA, --classpath PATH   instead of the bundle's; what the build made, in a dry run without a bundle
  --libs DIR:DIR   folders of CUDA's libraries; found by themselves if left out
  --python NAME    python3 (default)
TEXT
}

call=1 without='' out=${OUT:-first-light-out} first=$root/target/first-light-1 dry=no scale='' java='' classpath='' libs='' python=python3
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry=yes ;;
        --help) usage; exit 0 ;;
        --call | --without | --out | --first | --scale | --java | --classpath | --libs | --python)
            [ $# -ge 2 ] || { echo "$1: found nothing after it, expected a value; see --help" >&2; exit 2; }
            declare "${1#--}=$2"
            shift ;;
        *) echo "found '$1', expected one of the options that --help lists" >&2; exit 2 ;;
    esac
    shift
done
case $call in 1 | 2) ;; *) echo "--call: found '$call', expected 1 or 2" >&2; exit 2 ;; esac
[ -n "$scale" ] || { [ "$dry" = yes ] && scale=0.2 || scale=1; }
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
if [ -d "$first" ]; then first=$(cd "$first" && pwd); fi

# Milliseconds that a limit of so many seconds comes to.
scaled() { awk -v s="$1" -v f="$scale" 'BEGIN { printf "%d", 1000 * s * f }'; }

# The last resort: whatever hangs, all of it ends. Not in the foreground, so that children of children end too.
if [ -z "${FIRST_LIGHT_GUARDED:-}" ]; then
    again=()
    [ "$dry" = yes ] && again=(--dry-run)
    if [ "$call" = 1 ]; then total=$(scaled 448); else total=$(scaled 238); fi
    FIRST_LIGHT_GUARDED=yes exec timeout -k 1 "$((total / 1000 + 1))" bash "${BASH_SOURCE[0]}" --call "$call" --without "$without" --out "$out" --first "$first" \
        --scale "$scale" --java "$java" --classpath "$classpath" --libs "$libs" --python "$python" "${again[@]}"
fi

summary=$out/summary.txt log=$out/log.txt cases=$out/cases.txt profile=$out/profile.txt sanitizer=$out/sanitizer.txt
rm -f "$out"/{summary,log,cases,profile,sanitizer}.txt "$out"/table.{txt,json} "$out"/table.{txt,json}.part "$out"/logs.tar.gz "$out"/logs.tar.gz.part "$out"/crashes.txt
ulimit -c 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/crash" "$work/peers" "$work/models"
begin=${EPOCHREALTIME/./}
failed=0 deadline=0 stage_end=0 reason=''

now() { echo $(((${EPOCHREALTIME/./} - begin) / 1000)); }
left() { echo $((deadline - $(now))); }
seconds() { awk -v m="$1" 'BEGIN { printf "%.1f", m / 1000 }'; }
say() { printf '[%6s s] %s\n' "$(seconds "$(now)")" "$*" | tee -a "$summary"; }

# Until when, as a percentage of what is left of the stage; then `whole` again.
part() { deadline=$(($(now) + (stage_end - $(now)) * $1 / 100)); }
whole() { deadline=$stage_end; }

# within FILE COMMAND...: appends what it prints to FILE and its messages to the log; ends it when the time is over. Files that it
# writes cannot grow beyond 14 MiB. A process that the driver holds cannot be ended: then it is left behind.
within() {
    local file=$1 pid status limit
    shift
    if [ "$(left)" -lt 300 ]; then
        echo "no time left for: $*" >> "$log"
        return 124
    fi
    limit=$(seconds "$(left)")
    echo "+ [$(seconds "$(now)") s, for ${limit} s] $*" | cut -c1-600 >> "$log"
    (ulimit -f "${file_limit:-14336}" && exec timeout -k 2 "$limit" "$@") >> "$file" 2>> "${messages:-$log}" < /dev/null &
    pid=$!
    while kill -0 "$pid" 2> /dev/null; do
        if [ "$(left)" -lt -4000 ]; then
            echo "left behind, it cannot be ended: process $pid, $*" >> "$log"
            return 124
        fi
        sleep 0.1
    done
    wait "$pid"
    status=$?
    crashes
    [ "$status" -ne 0 ] && echo "  exit status $status" >> "$log"
    return "$status"
}

# What a virtual machine that crashed had to say; libraries and environment at its end are cut off.
crashes() {
    local file
    for file in "$work"/crash/hs_err_*.log; do
        [ -f "$file" ] || continue
        { echo "--- ${file##*/}"; head -n 1500 "$file"; } >> "$out/crashes.txt"
        rm "$file"
        reason="${reason}a virtual machine crashed, see crashes.txt; "
    done
}

# stage NAME END: runs stage_NAME, which is to be done END seconds after the beginning. It returns 77 when it does not apply.
stage() {
    local name=$1 began status
    case ,$without, in *,"$name",*) say "SKIP $name: it was not asked for"; return ;; esac
    began=$(now) stage_end=$(scaled "$2") reason=''
    whole
    if [ "$(left)" -lt 500 ]; then
        say "SKIP $name: no time was left"
        return
    fi
    echo "=== $name" >> "$log"
    "stage_$name"
    status=$?
    whole
    took=$(seconds $(($(now) - began)))
    case $status in
        0) say "PASS $name ($took s)${reason:+: ${reason%; }}" ;;
        77) say "SKIP $name ($took s): ${reason%; }" ;;
        124 | 137 | 143) failed=1; say "TIME $name ($took s): ended at its limit${reason:+; ${reason%; }}" ;;
        *) failed=1; say "FAIL $name ($took s): ${reason:-exit status $status, see log.txt}" ;;
    esac
}

main=dev.greenfield.cli.Main
bench=dev.greenfield.benchmarks

# needs_device PROGRAM
needs_device() {
    if [ "$dry" = yes ]; then reason="$1 needs a GPU, this is a dry run"; return 77; fi
    command -v "$1" > /dev/null || { reason="$1 is not installed"; return 77; }
}

# Folders of CUDA's libraries: those of the driver, and of Python's packages (CUDA 13 lies in nvidia/cu13/lib, cuDNN in nvidia/cudnn/lib).
find_libraries() {
    local folder found=
    for folder in $(ldconfig -p 2> /dev/null | awk '/libcuda\.so\.1 / { print $NF }' | xargs -r -n 1 dirname) /usr/local/nvidia/lib64 /usr/local/nvidia/lib \
        $(timeout 10 "$python" -c 'import glob, importlib.util as u
spec = u.find_spec("nvidia")
for place in spec.submodule_search_locations if spec else []: print(*sorted(glob.glob(place + "/*/lib")))' 2>> "$log"); do
        [ -d "$folder" ] && found=$found:$folder
    done
    echo "${found#:}"
}

stage_unpack() {
    local home=$work/home
    {
        date -u
        uname -a
        timeout 5 "$python" --version
        df -h "$work" | tail -n 1
        # A cold card takes seconds to answer and a wedged driver never does: nothing waits for this.
        timeout -k 2 20 nvidia-smi || echo "no answer from nvidia-smi"
    } >> "$log" 2>&1 < /dev/null &
    if [ -z "$java" ] && [ -f "$root/target/gpu-bundle/payload.tar.xz" ]; then
        mkdir -p "$home"
        file_limit=unlimited within "$log" "$python" -c 'import sys, tarfile
with tarfile.open(sys.argv[1]) as archive: archive.extractall(sys.argv[2])' "$root/target/gpu-bundle/payload.tar.xz" "$home" \
            || { reason="the bundle could not be unpacked to $home"; return 1; }
        java=$home/runtime/bin/java
        classpath=$home/greenfield.jar:$home/test-classes:$(printf '%s:' "$home"/lib/*.jar)$root/src/main/resources
    elif [ -z "$java" ] && [ "$dry" = yes ] && [ -f "$root/target/test-classpath.txt" ]; then
        java=$(command -v java)
        classpath=$root/target/test-classes:$root/target/classes:$(cat "$root/target/test-classpath.txt")
    elif [ -z "$java" ]; then
        reason="found no target/gpu-bundle/payload.tar.xz: run benchmarks/gpu-bundle.sh first"
        return 1
    fi
    tests=${classpath%%test-classes*}test-classes
    tests=${tests##*:}
    if [ -z "$libs" ]; then
        [ "$dry" = yes ] && libs=$root/target/standin || libs=$(find_libraries)
    fi
    echo "libraries: $libs" >> "$log"
    options=("-Xmx$([ "$dry" = yes ] && echo 1 || echo 6)g" -XX:-UsePerfData "-XX:ErrorFile=$work/crash/hs_err_%p.log" -Djava.awt.headless=true
        "-Dgreenfield.native.dir=$work/native" -Dgreenfield.test.backends=cuda)
    [ -n "$libs" ] && options+=("-Dgreenfield.cuda.libs=$libs")
    jvm=("$java" "${options[@]}" -cp "$classpath")
    if [ "$dry" = yes ]; then set_of=tiny measure=(--seconds 0.02 --square 128 --memory 1); else set_of=light measure=(--seconds 0.3); fi
    within "$log" "${jvm[@]}" -version || { reason="Java does not run"; return 1; }
    reason=$(timeout -k 1 5 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -n 1)
}

stage_doctor() {
    local precision bad=
    within "$log" "${jvm[@]}" "$main" doctor || bad="doctor "
    reason=$(grep -m 1 '^backend *cuda: ' "$log" | cut -c1-200)
    case $reason in *yes*) ;; *) reason="${reason:-doctor said nothing of cuda}"; return 3 ;; esac
    for precision in fp32 tf32; do
        within "$log" "${jvm[@]}" "$main" sensitivity --model demo --tokens 1,2,3 --answer '#4' --foil '#5' --backend cuda \
            --precision "$precision" --quiet || bad="$bad$precision "
    done
    [ -z "$bad" ] || { reason="failed: $bad"; return 1; }
}

# What single calls cost the host, into the profile.
stage_calls() {
    local status=0
    within "$profile" "${jvm[@]}" "$bench.CallCosts" tf32 || status=$?
    if [ "$dry" = no ]; then within "$profile" "${jvm[@]}" dev.greenfield.backend.cuda.GraphCosts tf32 || reason="no graph could be timed; "; fi
    return "$status"
}

# smoke_all LIST: each line of LIST is a family and a precision. Four processes at a time; each says how it ended.
smoke_all() {
    local list=$1 limit
    limit=$(seconds $(($(left) * 2 / 3)))
    # In the foreground of the outer limit, so that this one reaches the virtual machines too.
    # shellcheck disable=SC2016  # the inner shell's arguments
    within "$cases" xargs -a "$list" -P 4 -L 1 bash -c 'timeout --foreground -k 2 "$0" "${@:1:$#-2}" "${@: -2}"
        echo "smoke ${*: -2} exit $?"' "$limit" "${jvm[@]}" "$bench.Smoke"
}

# smoke_verdict LIST
smoke_verdict() {
    local list=$1 wanted ok bad
    wanted=$(grep -c . "$list")
    ok=$(grep -c '^smoke .* exit 0$' "$cases")
    bad=$(sed -n 's/^smoke \(.*\) exit \([1-9][0-9]*\)$/\1 (\2)/p' "$cases" | paste -sd ',' | sed 's/,/, /g')
    reason="$reason$ok of $wanted families passed${bad:+; failed: $bad}"
    if [ "$ok" = "$wanted" ]; then return 0; elif [ -n "$bad" ]; then return 1; else return 124; fi
}

stage_smoke() {
    local family more precision
    within "$work/families" "${jvm[@]}" "$bench.Smoke" --list
    if [ ! -s "$work/families" ]; then
        reason="no class $bench.Smoke, or it lists no families"
        return 77
    fi
    while read -r family more; do
        for precision in ${more:-fp32 tf32}; do echo "$family $precision"; done
    done < "$work/families" > "$work/smoke"
    smoke_all "$work/smoke"
    smoke_verdict "$work/smoke"
}

# What did not pass in call 1, by its own lines: families of kernels, and classes of tests. What never ran counts as failed.
stage_again() {
    local list=$work/smoke family precision classes status=0
    : > "$cases"
    within "$work/families" "${jvm[@]}" "$bench.Smoke" --list
    while read -r family precision; do
        for precision in ${precision:-fp32 tf32}; do
            grep -qsx "smoke $family $precision exit 0" "$first/cases.txt" || echo "$family $precision"
        done
    done < "$work/families" > "$list"
    [ -f "$first/cases.txt" ] || reason="found no cases.txt in $first, so that all count as failed; "
    classes=$(sed -n 's/^FAIL \([A-Za-z0-9]*Test\) .*/\1/p' "$first/cases.txt" 2> /dev/null | grep -vxE '(Family)?GoldenTest' | sort -u | paste -sd '|')
    if [ -n "$classes" ]; then
        part 40
        within "$cases" "${jvm[@]}" "$bench.DeviceTests" --classes "$tests" --include ".*\\.($classes)" || status=1
        reason="$reason$(grep '^[0-9]* passed, ' "$cases" | tail -n 1); "
        whole
    fi
    if [ -s "$list" ]; then
        smoke_all "$list"
        smoke_verdict "$list" || status=1
    fi
    [ -s "$list" ] || [ -n "$classes" ] || { reason="nothing failed in call 1"; return 77; }
    return "$status"
}

stage_golden() {
    within "$cases" "${jvm[@]}" "$bench.DeviceTests" --classes "$tests" --include '.*\.(Family)?GoldenTest' --seconds 60
    local status=$?
    reason="$reason$(grep '^[0-9]* passed, ' "$cases" | tail -n 1)"
    return "$status"
}

# What is tried in place of the defaults, each in a process of its own.
TRIED="greenfield.engine.newborn=on greenfield.engine.keypath=on greenfield.engine.keptmaps=off greenfield.cuda.chunk=8192"

# suite PROPERTY OPTIONS...
suite() { file_limit=unlimited "${into[@]}" "${jvm[@]}" "-D$1" "$bench.GpuSuite" --backend cuda --precision tf32 --cases benchmarks/cases.json "${@:2}"; }

stage_speed() {
    local setting status profiled=profiled tune=(--set tune --seconds 0.15) alone=(--products --operations) into=(within "$log") messages=
    [ "$dry" = yes ] && tune=(--set tiny "${measure[@]}") profiled=tiny
    # The host's code is compiled as it runs: what takes milliseconds needs seconds to show its own speed.
    [ "$call" = 2 ] && alone=() && [ "$dry" = no ] && set_of=second measure=(--seconds 1.5)
    if [ "$call" = 1 ]; then part 62; else part 80; fi
    suite greenfield.table=yes --set "$set_of" "${alone[@]}" --models "$work/models" --peers "$work/peers" --out "$out" "${measure[@]}"
    status=$?
    reason="$(grep -c ' \.\. [0-9]' "$out/table.txt" 2> /dev/null) pieces of work in table.txt; $(grep -m 1 '^PROBLEM' "$log" | cut -c1-200)"
    into=(within "$profile") messages=$profile
    if [ "$call" = 1 ]; then
        part 60
        suite greenfield.cuda.profile=true --set "$profiled" --seconds 0.05 --models "$work/models" --tried "with a profile"
    fi
    whole
    suite greenfield.cuda.graphs=off --set "$([ "$dry" = yes ] && echo tiny || echo quick)" --seconds 0.3 --models "$work/models" --tried "without graphs"
    [ "$call" = 1 ] || return "$status"
    for setting in $TRIED; do
        suite "$setting" "${tune[@]}" --kinds map --models "$work/models" --tried "$setting"
    done
    return "$status"
}

# sanitized FILE TOOL PROGRAM...: compute-sanitizer over a program, with the properties of `buffers`, only the kernels of `filters`.
sanitized() {
    local padding=()
    # Without it what lies past the end may be the next allocation, where nothing is wrong.
    [ "$2" = memcheck ] && padding=(--padding 4096)
    file_limit=unlimited within "$1" compute-sanitizer --tool "$2" --print-limit 40 "${padding[@]}" "${filters[@]}" "${jvm[@]}" \
        "${buffers[@]}" "${@:3}"
}

# watches TOOL NAMES...: whether the tool reports what is planted in kernels of these names. If not, its silence says nothing.
watches() {
    local name seen=0
    sanitized "$work/planted" "$1" dev.greenfield.backend.PlantedFaults "${@:2}"
    for name in "${@:2}"; do
        grep -q "^====.*$name" "$work/planted" || seen=1
    done
    { echo "=== planted, $1, ${#filters[@]} arguments of filters"; cat "$work/planted"; } >> "$sanitizer"
    rm "$work/planted"
    return "$seen"
}

# checker TOOL PRECISION [PART]...: the table of operations, or its cases whose names have one of these parts.
checker() {
    local tool=$1 precision=$2 parts=${*:3}
    echo "=== $tool $precision ${parts:-all}" >> "$sanitizer"
    sanitized "$sanitizer" "$tool" dev.greenfield.backend.CudaCases --precision "$precision" "${@:3}"
    reason="$reason$tool $precision: $(sed -n "/^=== $tool $precision ${parts:-all}\$/,\$p" "$sanitizer" | grep -E 'SUMMARY' | tail -n 1 | sed 's/^[= ]*//'); "
}

# Sensitivities again and again, with memory that is used again: graphs, and copies by kernels, which the table of operations has none of.
gathered() {
    local buffers=()
    echo "=== memcheck fp32 gathered" >> "$sanitizer"
    sanitized "$sanitizer" memcheck "$bench.GpuSuite" --backend cuda --precision fp32 --cases benchmarks/cases.json --set tiny --kinds sensitivity \
        --seconds 0.1 --models "$work/models" --tried gathered
}

stage_sanitize() {
    # Every buffer an allocation of its own: what lies past its end is nobody's.
    local tool name names filters=() buffers=(-Dgreenfield.cuda.cache=off)
    needs_device compute-sanitizer || return
    compute-sanitizer --help 2>> "$log" | grep -iA 4 'kernel-regex\|padding' >> "$log"
    names=$("$python" -c 'import sys, zipfile
for path in sys.argv[1].split(":"):
    if path.endswith("greenfield.jar"):
        lines = zipfile.ZipFile(path).read("dev/greenfield/backend/cuda/kernels.resources.txt").decode().splitlines()[1:]
        print(*sorted({"_".join(line.split()[0].split("_")[:2]) for line in lines}))' "$classpath" 2>> "$log")
    for name in $names; do filters+=(--kernel-regex "kns=$name"); done
    part 15
    if [ -n "$names" ] && ! watches racecheck "${names%% *}_planted" "${names##* }_planted"; then
        reason="filters of kernels do not work, all kernels are watched; "
        filters=()
        watches racecheck attention_planted || reason="${reason}racecheck does not report a planted hazard; "
    fi
    part 10
    name=attention_planted
    [ ${#filters[@]} = 0 ] || name=${names%% *}_planted
    watches memcheck "$name" || reason="${reason}memcheck does not report a planted overrun; "
    part 10; gathered
    part 15; checker memcheck fp32 newborn scores rmsNorm heads gate scaleColumns window "soft cap"
    part 20; checker memcheck fp32
    part 20; checker memcheck tf32 attention
    part 15; checker memcheck bf16 multiply
    part 30; checker racecheck tf32 newborn scores "soft cap"
    part 55; checker racecheck tf32 attention
    whole; checker racecheck fp32 attention
    if grep -q 'Device not supported' "$sanitizer"; then reason="compute-sanitizer does not support this machine"; return 77; fi
    case $reason in *planted*) return 1 ;; esac
    sed '/^=== planted/,/SUMMARY/d' "$sanitizer" | grep -qE 'SUMMARY: [1-9]' && return 1
    # The eight above; fewer, where some were ended at the limit.
    tool=$(grep -cE 'ERROR SUMMARY: 0 errors|RACECHECK SUMMARY: 0 hazards' "$sanitizer")
    [ "$tool" -ge 8 ] && return 0
    return 124
}

# The tests of the build's run on cuda, less golden answers (they had their stage) and those of the stand-in itself.
stage_tests() {
    local status more=
    [ "$dry" = yes ] && more='|.*\.(SharedBackend|LinearOperator|ResponseMap|MapCheckpoint|AverageJacobian|MapReductions)Test'
    within "$cases" "${jvm[@]}" "$bench.DeviceTests" --classes "$tests" --seconds 20 \
        --include 'dev\.greenfield\.((backend|backend\.cuda|engine)\.[A-Za-z]+|response\.(ResponseMap|MapCheckpoint|MapReductions|AverageJacobian|LinearOperator))Test' \
        --exclude ".*\\.(StandInTest|NaiveAgreementTest)$more"
    status=$?
    reason="$reason$(grep -c '^ok .*Test > ' "$cases") tests passed, $(grep -c '^FAIL .*Test > ' "$cases") failed so far (golden ones too); "
    if [ "$status" = 2 ]; then reason="${reason}none ran"; fi
    return "$status"
}

# Peers that fail are findings, in their files and in the table.
stage_peers() {
    local peer more
    if [ "$dry" = yes ]; then reason="PyTorch and JAX need a GPU, this is a dry run"; return 77; fi
    file_limit=unlimited within "$log" "${jvm[@]}" "$main" export --model random:gpt2 --out "$work/models/gpt2" || { reason="no model to give them"; return 1; }
    for peer in torch_tangent torch_adjoint jax_peer torch_patch torch_map; do
        more=()
        # Those that the first call has told enough of.
        [ "$call" = 2 ] && case $peer in torch_tangent | torch_patch | torch_map) continue ;; jax_peer) more=(--kinds sensitivity) ;; esac
        case $peer in
            torch_tangent) part 30; more=(--variants "linearize+math,jvp+sdpa") ;;
            torch_adjoint) part 30; more=(--variants "graph+math,graph+sdpa") ;;
            jax_peer) part 60 ;;
            torch_patch) part 40 ;;
            *) whole ;;
        esac
        within "$log" "$python" "benchmarks/peers/$peer.py" --cases benchmarks/cases.json --set peers --models "$work/models" --out "$work/peers" \
            --device cuda --precision tf32 --seconds 0.4 --chunks 64,256 "${more[@]}" || reason="$reason$peer failed or took too long; "
    done
    whole
    [ -n "$(ls "$work/peers")" ] || return 1
}

stage_ncu() {
    needs_device ncu || return
    file_limit=unlimited within "$profile" ncu --target-processes all --clock-control none --kernel-name 'regex:^(attention_tangent|layer_norm_tangent|activation_tangent)' \
        --launch-skip 20 --launch-count 10 --section SpeedOfLight --section LaunchStats --section Occupancy --section MemoryWorkloadAnalysis \
        --section WarpStateStats --section SourceCounters "${jvm[@]}" "$bench.GpuSuite" --backend cuda --precision tf32 \
        --cases benchmarks/cases.json --set peers --kinds tangent --models "$work/models" --seconds 0.01 --tried ncu
    grep -q 'Duration' "$profile" || { reason="no kernel was profiled: ncu could not read counters, or there was no time"; return 1; }
}

# What peers wrote; then whether all of it can come back.
stage_pack() {
    crashes
    if [ -n "$(ls "$work/peers")" ]; then
        tar -C "$work" -czf "$out/logs.tar.gz.part" peers || { reason="logs.tar.gz could not be written"; return 1; }
        mv "$out/logs.tar.gz.part" "$out/logs.tar.gz"
    fi
    reason="$(find "$out" -type f | wc -l) files, $(du -sk "$out" | cut -f1) KiB; $reason"
    if [ "$(find "$out" -type f | wc -l)" -gt 8 ] || [ -n "$(find "$out" -type f -size +16383k)" ]; then
        reason="more than 8 files, or one above 16 MiB: $reason"
        return 1
    fi
}

cd "$root" || exit 2
set_of='' tests='' measure=() options=() jvm=()
say "first light, call $call$([ "$dry" = yes ] && echo ', dry run on the host stand-in'), limits times $scale"
if [ "$call" = 1 ]; then
    stage unpack 25
    [ $failed = 0 ] || exit 1
    stage doctor 38
    stage smoke 100
    stage golden 120
    stage calls 130
    stage peers 210
    stage speed 320
    stage sanitize 390
    stage tests 420
    stage ncu 440
    stage pack 445
else
    stage unpack 25
    [ $failed = 0 ] || exit 1
    stage again 45
    stage golden 55
    stage calls 65
    stage peers 110
    stage speed 175
    stage sanitize 200
    stage tests 222
    stage ncu 230
    stage pack 236
fi
say "$([ $failed = 0 ] && echo "all stages passed or were skipped" || echo "some stages did not pass")"
exit $failed
