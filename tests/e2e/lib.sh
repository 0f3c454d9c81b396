# lib.sh - what the end-to-end tests share; sourced, with the build folder
# as $1. A test is a sentence and a command; it prints "ok - sentence" or
# "not ok - sentence", and `finish` ends with 1 when any failed.

build=${1:?usage: $0 BUILD}
build=$(cd "$build" && pwd) || exit 1
here=$(cd "$(dirname "$0")" && pwd)
demo=$here/../../configs/demo/data
work=$(mktemp -d "${TMPDIR:-/tmp}/entente-e2e.XXXXXX") || exit 1
failed=0
daemons=

LC_ALL=C.UTF-8
TZ=UTC
HOME=$work
export LC_ALL TZ HOME
unset ENTENTE_HOME XDG_DATA_HOME LANGUAGE

clean_up() {
    for pid in $daemons; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# The program on the node $node; stdout and stderr are kept in out and err. Its
# clock is wrong by $clock seconds, if that is set.
node=$work/a
clock=
entente() {
    LD_PRELOAD=${clock:+$build/tests/e2e/libclock.so} CLOCK_SHIFT=$clock \
        "$build/cli/entente" --home "$node" "$@" >"$work/out" 2>"$work/err"
}

say_ok() {
    echo "ok - $1"
}

say_not_ok() {
    failed=1
    echo "not ok - $1"
    [ -s "$work/err" ] && sed 's/^/#   /' "$work/err" | head -5
    [ -s "$work/out" ] && sed 's/^/#   /' "$work/out" | head -5
    return 0
}

# check SENTENCE COMMAND...: the command succeeds.
check() {
    sentence=$1
    shift
    if "$@"; then say_ok "$sentence"; else say_not_ok "$sentence"; fi
}

# exits STATUS SENTENCE ARGS...: the program ends with that status.
exits() {
    want=$1
    sentence=$2
    shift 2
    entente "$@"
    got=$?
    if [ "$got" -eq "$want" ]; then
        say_ok "$sentence"
    else
        say_not_ok "$sentence (exit $got, not $want)"
    fi
}

# prints TEXT, tells TEXT: it stands on stdout, on stderr of the last run.
prints() {
    grep -qF -e "$1" "$work/out"
}

tells() {
    grep -qF -e "$1" "$work/err"
}

same() {
    [ "$1" = "$2" ]
}

# The digest of a space, as text.
digest() {
    "$build/cli/entente" --home "$node" digest "$1" --format csv
}

# Rows of a kind, without the heading.
count() {
    "$build/cli/entente" --home "$node" list "$@" --format csv |
        tail -n +2 | wc -l
}

finish() {
    exit $failed
}
