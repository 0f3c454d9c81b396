#!/bin/sh
# Builds a release, makes the data, runs all workloads and prints what was
# measured beside what is asked of it. The working folder must lie on the disk
# that is to be measured: set TMPDIR when /tmp is memory.
#
#   run.sh [--quick] [--repeat N] [W1 W2 ...]
#
# --quick: a fifth of the data, one run of each: is anything badly wrong?
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build-bench
repeat=3
small=20000
big=100000
tests=

while [ $# -gt 0 ]; do
    case $1 in
    --quick) repeat=1 small=4000 big=20000 ;;
    --repeat) shift; repeat=$1 ;;
    W[1-7]) tests="$tests $1" ;;
    *) sed -n '2,8p' "$0" >&2; exit 2 ;;
    esac
    shift
done
tests=${tests:-W1 W2 W3 W4 W5 W6 W7}

work=$(mktemp -d "${TMPDIR:-/tmp}/entente-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" "$root" --buildtype=release -Db_lto=true -Db_ndebug=false >&2
fi
ninja -C "$build" tests/bench/entente-bench >&2
python3 "$here/gen.py" "$work/data" "$small" "$big" >&2

bench() {
    "$build/tests/bench/entente-bench" --data "$work/data" --dir "$work" \
        --repeat "$repeat" "$@"
}

# Word splitting of $tests is meant.
bench $tests >"$work/figures.json"
case $tests in
*W3*) bench --ids v5 W3 >"$work/named.json" ;;
*) : >"$work/named.json" ;;
esac
cat "$work/figures.json" "$work/named.json"
echo
python3 "$here/table.py" "$work/figures.json" "$work/named.json"
