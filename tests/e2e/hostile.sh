#!/bin/sh
# hostile.sh - a running daemon under attack by strangers: garbage, silent
# connections, oversize claims, the wrong mechanism, unknown keys. It must keep
# every promise of docs/operating.md and answer an honest node meanwhile.
#
#   sh tests/e2e/hostile.sh BUILD
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: hostile.sh BUILD}
work=$(mktemp -d "${TMPDIR:-/tmp}/entente-hostile.XXXXXX")
daemon=

finish() {
    [ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

failed=0
check() {
    what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/# /' "$work/out"
        failed=1
    fi
}

entente() {
    "$build/cli/entente" "$@"
}

entente --home "$work/a" init --org "Attacked" >/dev/null || exit 1
entente --home "$work/a" space create s >/dev/null || exit 1
"$build/node/entented" --home "$work/a" --listen 'tcp://127.0.0.1:*' \
    2>"$work/log" &
daemon=$!
tries=0
until grep -q 'listening on' "$work/log"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$work/log"; exit 1; }
    sleep 0.1
done
endpoint=$(sed -n 's/.*listening on \(tcp:[^ ]*\).*/\1/p' "$work/log")
key=$(entente --home "$work/a" whoami --json |
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p')
line=$(entente --home "$work/a" invite s 2>/dev/null)

check "the daemon keeps its promises under attack" \
    /usr/bin/python3 "$here/hostile.py" "$endpoint" "$key" --pid "$daemon" \
    --idle 100
entente --home "$work/b" init --org "Honest" >/dev/null || exit 1
check "an honest node joins afterwards" \
    "$build/cli/entente" --home "$work/b" join "$line"
check "the daemon still runs" kill -0 "$daemon"
exit $failed
