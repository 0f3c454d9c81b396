#!/bin/sh
# gate.sh - the long proofs, before a release: many simulated worlds, power
# cuts at every call to the disk, failing calls and allocations, killed
# processes, real power cuts, fuzzers and planted bugs. What each part is and
# how a failure is replayed: docs/testing.md.
#
#   sh tests/gate.sh [PART...]     half an hour on two cores
#
# Parts: crash io alloc kill powercut checked fuzz sim, and, when it is named,
# planted (as long again). Parts that need one core run side by side. The last
# line is "N passed, N failed" (", N skipped" when some could not run here; each
# says why). GATE_SEED is the first seed of the simulator, by default another
# one every day; GATE_SEEDS how many.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/configs/packages.sh"
install_packages $build_packages $test_packages || exit 1

parts=${*:-crash io alloc kill powercut checked fuzz sim}
jobs=$(nproc)
first=${GATE_SEED:-$(date +%Y%m%d)00000}
seeds=${GATE_SEEDS:-20000}
build=${BUILD_GATE:-$here/build-gate}
checked=${BUILD_CHECKED:-$here/build-checked}
passed=0
failed=0
skipped=0

# make_build BUILD OPTION...
make_build() {
    dir=$1
    shift
    if [ ! -f "$dir/build.ninja" ]; then
        meson setup "$dir" "$here" "$@" >/dev/null || return 1
    fi
    ninja -C "$dir" >"$dir/ninja.log" 2>&1 && return 0
    tail -n 40 "$dir/ninja.log"
    return 1
}

# wanted NAME: is that part to run?
wanted() {
    case " $parts " in
    *" $1 "*) return 0 ;;
    esac
    return 1
}

# part NAME COMMAND...: run and time one part; what it says is shown when it is
# done.
part() {
    name=$1
    shift
    wanted "$name" || return 0
    echo "== $name: $*"
    begin=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1
    rc=$?
    echo $rc >"$logs/$name.rc"
    case $rc in
    0) word=ok ;;
    77) word=skipped ;;
    *) word="not ok" ;;
    esac
    tail -n 20 "$logs/$name.log"
    echo "== $word - $name, $(($(date +%s) - begin)) s"
}

crash() {
    "$build/tests/faults/crash_points" --points 2000 --images 5 &&
        "$build/tests/faults/crash_points" --points 400 --images 2 \
            --every 10 --control
}

seeds_of() {
    "$1/tests/sim/entente-sim" --seeds "$first..$((first + $2 - 1))" \
        --jobs "$3"
}

checked() {
    ASAN_OPTIONS=detect_leaks=1 \
        UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
        seeds_of "$checked" 500 1
}

logs=$build/gate
mkdir -p "$logs" || exit 1
rm -f "$logs"/*
# Asserts stay on: they are part of what a release is. Not optimised across
# files: the linker could not put the simulator's functions in their places.
make_build "$build" --buildtype=release -Db_ndebug=false || exit 1
if wanted checked; then
    CC=clang make_build "$checked" -Dwerror=true -Db_lundef=false \
        -Db_sanitize=address,undefined || exit 1
fi
if wanted fuzz; then
    sh "$here/tests/fuzz/run.sh" build || exit 1
fi

part fuzz sh "$here/tests/fuzz/run.sh" 60 &
one=$!
(
    part crash crash
    part io "$build/tests/faults/io_errors" --each 20
    part alloc "$build/tests/faults/alloc_failures" --each 60
    part kill python3 "$here/tests/faults/kill.py" "$build" --kills 500
    part powercut sh "$here/tests/faults/powercut.sh" "$build" 50
    part checked checked
) &
wait $! $one
part sim seeds_of "$build" "$seeds" "$jobs"
part planted sh "$here/tests/planted/run.sh"

for name in $parts; do
    case $(cat "$logs/$name.rc" 2>/dev/null) in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
done
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
