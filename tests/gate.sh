#!/bin/sh
# gate.sh - the long proofs, before a release: many simulated worlds, power
# cuts at every call to the disk, failing calls and allocations, killed
# processes, real power cuts, fuzzers and planted bugs. What each part is and
# how a failure is replayed: docs/testing.md.
#
#   sh tests/gate.sh [PART...]     all of them, about half an hour on two cores
#
# Parts: sim checked crash io alloc kill powercut fuzz planted. The last line
# is "N passed, N failed" (", N skipped" when some could not run here; each
# says why). GATE_SEED is the first seed of the simulator, by default another
# one every day; GATE_SEEDS how many.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/configs/packages.sh"
install_packages $build_packages $test_packages || exit 1

parts=${*:-sim checked crash io alloc kill powercut fuzz planted}
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

# part NAME COMMAND...: run, time and count one part when it is wanted.
part() {
    name=$1
    shift
    case " $parts " in
    *" $name "*) ;;
    *) return ;;
    esac
    echo "== $name: $*"
    begin=$(date +%s)
    "$@"
    rc=$?
    took=$(($(date +%s) - begin))
    case $rc in
    0) passed=$((passed + 1)) word=ok ;;
    77) skipped=$((skipped + 1)) word=skipped ;;
    *) failed=$((failed + 1)) word="not ok" ;;
    esac
    echo "== $word - $name, $took s"
}

crash() {
    "$build/tests/faults/crash_points" --points 2000 --images 5 &&
        "$build/tests/faults/crash_points" --points 400 --images 2 \
            --every 10 --control
}

# Asserts stay on: they are part of what a release is.
make_build "$build" --buildtype=release -Db_ndebug=false -Db_lto=true || exit 1
part sim "$build/tests/sim/entente-sim" \
    --seeds "$first..$((first + seeds - 1))" --jobs "$jobs"
part crash crash
part io "$build/tests/faults/io_errors" --each 40
part alloc "$build/tests/faults/alloc_failures" --each 200
part kill python3 "$here/tests/faults/kill.py" "$build" --kills 500
part powercut sh "$here/tests/faults/powercut.sh" "$build" 50
case " $parts " in
*" checked "*)
    CC=clang make_build "$checked" -Dwerror=true -Db_lundef=false \
        -Db_sanitize=address,undefined || failed=$((failed + 1))
    ;;
esac
part checked env ASAN_OPTIONS=detect_leaks=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    "$checked/tests/sim/entente-sim" --seeds "$first..$((first + 499))" \
    --jobs "$jobs"
part fuzz sh "$here/tests/fuzz/run.sh" 60
part planted sh "$here/tests/planted/run.sh"

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
