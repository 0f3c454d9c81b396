#!/bin/sh
# run.sh - do the checkers see a bug? Each NN-name.patch beside this script puts
# one bug into common/, as somebody could write it by mistake. A private copy of
# the tree is built with it, and the finders look; a bug that none of them sees
# is a hole in the checkers.
#
#   tests/planted/run.sh [--minutes N] [--first SEED] [NAME...]
#
# At most N minutes a bug (5). The simulator looks from fresh seeds, from --first
# or the time of day on. NAME is a part of a patch's name; none: all.
# A patch begins with what is broken and a line
#
#   Finder: sim [ARGUMENT...] | prop_merge [ARGUMENT...] | test NAME...
#
# with the one that finds it soonest. When that one does not, all others follow:
# the simulator, prop_merge, the programs of tests/faults, all other tests.
# What a finder says is believed only if it has nothing to say of the tree
# without the bug.
#
# PLANTED_DIR keeps the copy and its build for the next time.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
minutes=5
first=$(date +%y%m%d%H%M)0000
names=

usage() {
    sed -n 's/^#   \(tests\/planted\)/usage: \1/p' "$0" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --minutes | --first)
        [ $# -ge 2 ] || usage
        [ "$1" = --minutes ] && minutes=$2 || first=$2
        shift
        ;;
    -*) usage ;;
    *) names="$names $1" ;;
    esac
    shift
done

if [ -n "${PLANTED_DIR-}" ]; then
    work=$PLANTED_DIR
    mkdir -p "$work" || exit 1
else
    work=$(mktemp -d "${TMPDIR:-/tmp}/planted.XXXXXX") || exit 1
    trap 'rm -rf "$work"' EXIT
fi
trap 'exit 130' INT TERM
tree=$work/tree
build=$work/build
log=$work/log
mkdir -p "$work/tmp" "$work/clean"
export TMPDIR="$work/tmp"

# Only what changed is written anew, so that ninja builds only that.
fresh=$work/fresh
rm -rf "$fresh" && mkdir -p "$fresh" "$tree" || exit 1
git -C "$top" archive HEAD | tar -x -C "$fresh" || exit 1
(cd "$fresh" && find . -type f) | while read -r file; do
    cmp -s "$fresh/$file" "$tree/$file" && continue
    mkdir -p "$tree/${file%/*}"
    cp -p "$fresh/$file" "$tree/$file"
    touch "$tree/$file"
done
rm -rf "$fresh"

if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" "$tree" -Dwerror=true >"$log" 2>&1 || {
        cat "$log"
        exit 1
    }
fi

seed_of() {
    sed -n 's/^seed \([0-9]*\) failed.*/\1/p' "$1" | head -n 1
}

left() {
    echo $((deadline - $(date +%s)))
}

until_end() {
    echo $((end - $(date +%s)))
}

# make_targets TARGET...: quiet.
make_targets() {
    ninja -j2 -C "$build" "$@" >"$log.build" 2>&1
}

# make_for FINDER...: build what it needs.
make_for() {
    case $1 in
    sim) make_targets tests/sim/entente-sim ;;
    prop_merge) make_targets tests/prop/prop_merge ;;
    *) make_targets node/entented cli/entente ;;
    esac
}

# passes_clean SUITE...: whether tests that fail pass without the bug.
passes_clean() {
    undo "$patch"
    meson test -C "$build" "$@" >"$log.clean" 2>&1
    rc=$?
    patch -s -p1 --no-backup-if-mismatch -d "$tree" <"$patch" >/dev/null
    [ $rc = 0 ] || echo "these fail without the bug too: $*" >&2
    return $rc
}

# find_with FINDER ARGUMENT...: until `end`; false when it found something, and
# `said` is what.
find_with() {
    said=
    make_for "$@" || {
        said="it does not build: $(grep -m1 'error' "$log.build")"
        return 2
    }
    case $1 in
    sim)
        shift
        look_from=$first
        while [ "$(until_end)" -gt 0 ]; do
            "$build/tests/sim/entente-sim" --seeds \
                "$look_from..$((look_from + 99999))" --jobs 2 --seconds \
                "$(until_end)" --until-failure "$@" >"$log" 2>&1 && return 0
            seed=$(seed_of "$log")
            said="seed $seed: $(sed -n -e "s/^seed $seed: //p" \
                -e '/assertion failed/p' "$log" |
                head -n 1 | cut -c1-120)"
            [ -n "$seed" ] || {
                said=$(tail -n 1 "$log")
                return 1
            }
            # The same world without the bug.
            timeout 150 "$work/clean/entente-sim" --seed "$seed" "$@" \
                >"$log.clean" 2>&1 && return 1
            echo "seed $seed fails without the bug too" >&2
            look_from=$((seed + 1))
        done
        return 0
        ;;
    prop_merge)
        shift
        timeout "$(until_end)" "$build/tests/prop/prop_merge" "$@" >"$log" 2>&1
        ;;
    test)
        shift
        timeout "$(until_end)" meson test -C "$build" --print-errorlogs "$@" \
            >"$log" 2>&1
        ;;
    esac
    rc=$?
    [ $rc = 0 ] || [ $rc = 124 ] && return 0
    case $finder in
    "$expected" | prop_merge*) ;;
    *) passes_clean "$@" || return 0 ;;
    esac
    said=$(grep -m1 -E '[^ ]+\.(c|py|sh):[0-9]+:[FE]:|^ *FAIL|[Ff]ailed|assert|[IMNALST][0-9]+:' \
        "$log" | cut -c1-120)
    return 1
}

undo() {
    patch -R -s -p1 -d "$tree" <"$1" >/dev/null 2>&1
}

# find_bug PATCH NAME: all finders in turn until one sees it.
find_bug() {
    expected=$(sed -n 's/^Finder: //p' "$1" | head -n 1)
    deadline=$(($(date +%s) + 60 * minutes))
    begin=$(date +%s)
    others="sim
prop_merge --cases 2000
test --suite faults
test --suite unit --suite sim --suite compat
test --suite prop --suite e2e
test --suite fuzz"
    printf '%s\n%s\n' "${expected:-sim}" "$others" >"$work/finders"
    tried=
    while read -r finder; do
        [ "$(left)" -gt 5 ] || break
        case "$tried" in *"|$finder|"*) continue ;; esac
        tried="$tried|$finder|"
        # Half of the time left, so that each has some.
        end=$(($(date +%s) + $(left) / 2))
        # shellcheck disable=SC2086
        find_with $finder </dev/null
        case $? in
        1)
            echo "killed $2 by $finder in $(($(date +%s) - begin)) s" \
                "(${said:-no word})"
            return 0
            ;;
        2)
            echo "FAILED $2: $said"
            return 1
            ;;
        esac
    done <"$work/finders"
    echo "SURVIVED $2: $(sed -n '1p' "$1")"
    return 1
}

chosen() {
    [ -z "$names" ] && return 0
    for part in $names; do
        case $1 in *"$part"*) return 0 ;; esac
    done
    return 1
}

echo "seeds from $first on"
for patch in "$here"/[0-9]*.patch; do # what a killed run left behind
    patch -R -s -f -p1 --dry-run -d "$tree" <"$patch" >/dev/null 2>&1 &&
        undo "$patch"
done
make_targets tests/sim/entente-sim tests/prop/prop_merge node/entented \
    cli/entente || {
    tail -n 40 "$log.build"
    exit 1
}
cp "$build/tests/sim/entente-sim" "$work/clean/" || exit 1

# The tests that are expected to see a bug must pass without any.
for patch in "$here"/[0-9]*.patch; do
    name=$(basename "$patch" .patch)
    chosen "$name" && sed -n 's/^Finder: test //p' "$patch"
done | tr ' ' '\n' | grep -v '^-' | sort -u >"$work/tests"
if [ -s "$work/tests" ]; then
    # shellcheck disable=SC2046
    meson test -C "$build" $(cat "$work/tests") >"$log" 2>&1 || {
        grep -E 'FAIL|TIMEOUT|ERROR' "$log"
        echo "these fail without any bug"
        exit 1
    }
fi

killed=0
survived=0
for patch in "$here"/[0-9]*.patch; do
    name=$(basename "$patch" .patch)
    chosen "$name" || continue
    if ! patch -s -p1 --no-backup-if-mismatch -d "$tree" <"$patch" \
        >"$log" 2>&1; then
        echo "FAILED $name: it does not apply: $(tail -n 1 "$log")"
        git -C "$top" archive HEAD common | tar -x -m -C "$tree"
        find "$tree" -name '*.rej' -delete
        survived=$((survived + 1))
        continue
    fi
    if find_bug "$patch" "$name"; then
        killed=$((killed + 1))
    else
        survived=$((survived + 1))
    fi
    undo "$patch"
    rm -rf "$work/tmp"/* /dev/shm/entente-planted.*
done
echo "$killed killed, $survived survived"
[ "$survived" = 0 ]
