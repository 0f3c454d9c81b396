#!/bin/sh
# run.sh - every test suite. Installs what is needed, builds with gcc, tests,
# builds with clang and the address and undefined behaviour sanitizers, tests
# again what sanitizers can tell something about. The last line is
# "N passed, N failed" (", N skipped" when some could not run here; each says
# why).
#
#   sh tests/run.sh [--quick]    without the second build
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/configs/packages.sh"
quick=${1-}

install_packages $build_packages $test_packages || exit 1

passed=0
failed=0
skipped=0
jobs=$(nproc)

# count LOG: add up what meson's log of a test run says.
count() {
    results=$(sed -n 's/^\(Ok\|Expected Fail\|Fail\|Unexpected Pass\|Skipped\|Timeout\): *\([0-9]*\).*/\1:\2/p' "$1")
    for result in $(printf '%s\n' "$results" | tr -d ' '); do
        n=${result#*:}
        case ${result%%:*} in
        Ok | ExpectedFail) passed=$((passed + n)) ;;
        Skipped) skipped=$((skipped + n)) ;;
        *) failed=$((failed + n)) ;;
        esac
    done
}

# suite BUILD LOG MESON-TEST-ARGUMENT...: run and count.
suite() {
    build=$1
    log=$2
    shift 2
    meson test -C "$build" --print-errorlogs --no-rebuild "$@" 2>&1 |
        tee "$log"
    grep -q '^Ok:' "$log" || failed=$((failed + 1))
    count "$log"
}

# make_build BUILD OPTION...: false, and counted, when it does not build.
make_build() {
    build=$1
    shift
    if [ ! -f "$build/build.ninja" ]; then
        meson setup "$build" "$here" "$@" || return 1
    fi
    ninja -C "$build" >"$build/ninja.log" 2>&1 && return 0
    tail -n 60 "$build/ninja.log"
    return 1
}

logs=$(mktemp -d "${TMPDIR:-/tmp}/entente-tests.XXXXXX")
trap 'rm -rf "$logs"' EXIT
plain=${BUILD:-$here/build}
checked=${BUILD_CHECKED:-$here/build-checked}

if make_build "$plain" -Dwerror=true; then
    suite "$plain" "$logs/plain" -t 3
else
    failed=$((failed + 1))
fi

if [ "$quick" != --quick ]; then
    if CC=clang make_build "$checked" -Dwerror=true -Db_lundef=false \
        -Db_sanitize=address,undefined; then
        ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
            UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
            suite "$checked" "$logs/checked" -t 6 \
            --suite unit --suite sim --suite fuzz --suite codec \
            --suite e2e --suite hostile
    else
        failed=$((failed + 1))
    fi
fi

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
